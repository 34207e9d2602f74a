"""How mail programs put an answer and the mail that it answers into one HTML page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape

from tests.mailformat.siblings.language import ADDRESS, NAME, Language
from tests.mailformat.siblings.programs import Sibling, attribution

_TO = "Max Beispiel &lt;max@firma.example&gt;"


def _divs(text: str) -> str:
    return "".join(f"<div>{escape(line) or '<br>'}</div>" for line in text.split("\n"))


def _paragraphs(text: str) -> str:
    return "".join(
        f'<p class="MsoNormal">{escape(line) or "<o:p>&nbsp;</o:p>"}</p>\r\n' for line in text.split("\n")
    )


def _breaks(text: str) -> str:
    return "<br>\n".join(escape(line) for line in text.split("\n"))


def _header(language: Language, form: str, joint: str) -> str:
    von, sent, to, subject = language.labels
    values = (
        (von, f"{NAME} &lt;{ADDRESS}&gt;"),
        (sent, language.dates[0]),
        (to, _TO),
        (subject, "Re: [WEB-42] Termin"),
    )
    return joint.join(form.format(label=label, value=value) for label, value in values)


Page = Callable[[Language, str, str, str], str]


def _gmail(language: Language, answer: str, older: str, line: str) -> str:
    return (
        f'<div dir="ltr">{_divs(answer)}</div><br><div class="gmail_quote gmail_quote_container">'
        f'<div dir="ltr" class="gmail_attr">{escape(line)}<br></div>'
        f'<blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid '
        f'rgb(204,204,204);padding-left:1ex"><div dir="ltr">{_divs(older)}</div></blockquote></div>'
    )


def _gmail_old(language: Language, answer: str, older: str, line: str) -> str:
    return (
        f'{_breaks(answer)}<br><br><div class="gmail_quote">{escape(line)}<br>'
        f'<blockquote class="gmail_quote" style="margin:0 0 0 .8ex">{_breaks(older)}</blockquote></div><br>'
    )


def _outlook(language: Language, answer: str, older: str, line: str) -> str:
    block = _header(language, "<b>{label}:</b> {value}", "<br>\r\n")
    return (
        '<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><style><!-- p.MsoNormal '
        "{margin:0cm} --></style>"
        f'</head><body lang="DE"><div class="WordSection1">{_paragraphs(answer)}'
        '<p class="MsoNormal"><o:p>&nbsp;</o:p></p><div><div style="border:none;border-top:solid '
        "#E1E1E1 1.0pt;"
        f'padding:3.0pt 0cm 0cm 0cm"><p class="MsoNormal">{block}<o:p></o:p></p></div></div>'
        f"{_paragraphs(older)}</div></body></html>"
    )


def _owa(language: Language, answer: str, older: str, line: str) -> str:
    block = _header(language, "<b>{label}:</b> {value}", "<br>")
    return (
        f'<div style="font-family:Calibri">{_divs(answer)}</div><div id="appendonsend"></div>'
        '<hr style="display:inline-block;width:98%" tabindex="-1"><div id="divRplyFwdMsg" dir="ltr">'
        f"<font>{block}</font><div>&nbsp;</div></div><div>{_divs(older)}</div>"
    )


def _outlook_mobile(language: Language, answer: str, older: str, line: str) -> str:
    block = _header(language, "<b>{label}:</b> {value}", "<br>")
    return (
        f'<div dir="auto">{_divs(answer)}</div><div id="ms-outlook-mobile-signature" dir="auto">'
        f'<div>{escape(language.notes[0])}</div></div><hr><div id="divRplyFwdMsg"><font>{block}</font></div>'
        f"{_divs(older)}"
    )


def _outlook_new(language: Language, answer: str, older: str, line: str) -> str:
    block = _header(language, "<b>{label}: </b>{value}", "<br>")
    return (
        f'<div class="elementToProof">{_divs(answer)}</div><div id="mail-editor-reference-message-container">'
        f'<div class="ms-outlook-mobile-reference-message"><div>{block}</div><div><br></div>'
        f"{_divs(older)}</div></div>"
    )


def _apple(language: Language, answer: str, older: str, line: str) -> str:
    return (
        f'<html><body style="overflow-wrap: break-word;">{_divs(answer)}<div><br><blockquote type="cite">'
        f"<div>{escape(line)}</div><br "
        f"class='Apple-interchange-newline'><div>{_divs(older)}</div></blockquote></div></body></html>"
    )


def _iphone(language: Language, answer: str, older: str, line: str) -> str:
    return (
        f'<html><body dir="auto">{_divs(answer)}<br><div dir="ltr">{escape(language.notes[0])}</div>'
        f'<div dir="ltr"><br>'
        f'<blockquote type="cite">{escape(line)}<br><br></blockquote></div><blockquote type="cite">'
        f'<div dir="ltr">{_divs(older)}'
        "</div></blockquote></body></html>"
    )


def _thunderbird(language: Language, answer: str, older: str, line: str) -> str:
    return (
        f"<html><head></head><body><p>{_breaks(answer)}</p><p><br></p>"
        f'<div class="moz-cite-prefix">{escape(line)}<br></div>'
        f'<blockquote type="cite" cite="mid:x@kunde.example"><p>{_breaks(older)}</p></blockquote><p>'
        f"<br></p></body></html>"
    )


def _thunderbird_below(language: Language, answer: str, older: str, line: str) -> str:
    return (
        f'<body><div class="moz-cite-prefix">{escape(line)}<br></div><blockquote type="cite"><p>'
        f"{_breaks(older)}</p></blockquote>"
        f'<p>{_breaks(answer)}</p><div class="moz-signature">-- <br>Max Beispiel<br>Tel. +49 30 '
        f"1234567</div></body>"
    )


def _yahoo(language: Language, answer: str, older: str, line: str) -> str:
    return (
        f'<html><body><div class="ydpyahoo-style-wrap">{_divs(answer)}<div><br></div></div>'
        f'<div id="yahoo_quoted_1" class="yahoo_quoted"><div><div>{escape(line)}</div><div><br></div>'
        f"<div>{_divs(older)}"
        "</div></div></div></body></html>"
    )


def _proton(language: Language, answer: str, older: str, line: str) -> str:
    return (
        f"<div>{_divs(answer)}</div><div><br></div><div class='protonmail_signature_block'><div "
        f"class='protonmail_signature_block-proton'>"
        f"Sent with Proton Mail secure email.</div></div><div class='protonmail_quote'>{escape(line)}<br>"
        f"<blockquote class='protonmail_quote' type='cite'>{_divs(older)}</blockquote></div>"
    )


def _zoho(language: Language, answer: str, older: str, line: str) -> str:
    return (
        f"<div>{_divs(answer)}</div><br><div class='zmail_extra_hr' style='border-top: 1px solid "
        f"rgb(204,204,204)'></div>"
        f"<div class='zmail_extra' data-zbluepencil-ignore='true'><div "
        f"id='Zm-_Id_-Sgn1'>{escape(line)}<br></div>"
        f"<br><blockquote><div>{_divs(older)}</div></blockquote></div>"
    )


def _gmx(language: Language, answer: str, older: str, line: str) -> str:
    block = _header(language, "<div><b>{label}:</b>&nbsp;{value}</div>", "")
    return (
        f"<html><body><div style='font-family: Verdana'><div>{_divs(answer)}</div><div>&nbsp;<div "
        f"name='quote' "
        "style='margin:10px 5px 5px 10px; padding: 10px 0 10px 10px; border-left:2px solid #C3D9E5;'>"
        f"<div style='margin:0 0 10px 0;'>{block}</div><div "
        f"name='quoted-content'>{_divs(older)}</div></div></div></div></body></html>"
    )


def _samsung(language: Language, answer: str, older: str, line: str) -> str:
    block = _header(language, "<div>{label}: {value} </div>", "")
    return (
        f"<html><body>{_divs(answer)}<div><br></div><div id='composer_signature'><div style='font-size:85%'>"
        f"{escape(language.notes[0])}</div></div><div><br></div><div "
        f"style='font-size:100%;color:#000000'><!-- originalMessage -->"
        f"<div>-------- {escape(language.separators[0])} "
        f"--------</div>{block}<div><br></div></div>{_divs(older)}</body></html>"
    )


def _notes(language: Language, answer: str, older: str, line: str) -> str:
    block = _header(
        language, "<tr><td><font color='#5f5f5f'>{label}:</font></td><td><font>{value}</font></td></tr>", ""
    )
    return (
        f"<font size=2>{_breaks(answer)}</font><br><br><table>{block}</table><hr noshade><br>"
        f"<font size=2>{_breaks(older)}</font>"
    )


def _zimbra(language: Language, answer: str, older: str, line: str) -> str:
    block = _header(language, "<b>{label}: </b>{value}", "<br>")
    return (
        f"<html><body><div style='font-family: arial'>{_divs(answer)}<div><br></div><hr id='zwchr' "
        f"data-marker='__DIVIDER__'>"
        f"<div data-marker='__HEADERS__'><blockquote style='border-left:2px solid "
        f"#1010FF;margin-left:5px;padding-left:5px'>{block}<br>"
        f"</blockquote></div><div data-marker='__QUOTED_TEXT__'><blockquote style='border-left:2px "
        f"solid #1010FF;margin-left:5px;"
        f"padding-left:5px'>{_divs(older)}</blockquote></div></div></body></html>"
    )


def _roundcube(language: Language, answer: str, older: str, line: str) -> str:
    return (
        f"<html><body><p>{_breaks(answer)}</p><p id='reply-intro'>{escape(line)}</p><blockquote "
        f"type='cite' style='padding: 0 0.4em; "
        f"border-left: #1010ff 2px solid; margin: 0'><div "
        f"id='replybody1'>{_divs(older)}</div></blockquote></body></html>"
    )


def _horde(language: Language, answer: str, older: str, line: str) -> str:
    return (
        f"<p>{_breaks(answer)}<br></p><p>{escape(line)}</p><blockquote type='cite' "
        f"style='border-left:2px solid blue;margin-left:2px;"
        f"padding-left:12px;'>{_breaks(older)}</blockquote><br><br>"
    )


def _k9(language: Language, answer: str, older: str, line: str) -> str:
    return (
        f"<html><body>{_breaks(answer)}<br><br>-- <br>{escape(language.notes[0])}<br><br><div "
        f"class='gmail_quote'>{escape(line)}"
        f"<blockquote class='gmail_quote' style='margin: 0pt 0pt 0pt 0.8ex; border-left: 1px solid "
        f"#ccc; padding-left: 1ex;'>"
        f"{_breaks(older)}</blockquote></div></body></html>"
    )


def _fairemail(language: Language, answer: str, older: str, line: str) -> str:
    return (
        f"<html><body><p>{_breaks(answer)}</p><div fairemail='reference'><p>{escape(line)}</p>"
        f"<blockquote style='margin:0;padding-left:8px;border-left:3px solid "
        f"#ccc'>{_divs(older)}</blockquote></div></body></html>"
    )


def _spark(language: Language, answer: str, older: str, line: str) -> str:
    return (
        f"<div name='messageBodySection'>{_divs(answer)}</div><div "
        f"name='messageReplySection'>{escape(line)}<br>"
        f"<blockquote type='cite' style='border-left-color: grey; border-left-width: thin; "
        f"border-left-style: solid; margin: 5px;"
        f"padding-left: 10px;'>{_divs(older)}</blockquote></div>"
    )


def _superhuman(language: Language, answer: str, older: str, line: str) -> str:
    return (
        f"<div>{_divs(answer)}</div><br><div class='gmail_signature'></div><br><div "
        f"class='gmail_quote'><p>{escape(line)}</p>"
        f"<blockquote class='gmail_quote' type='cite'>{_divs(older)}</blockquote></div>"
    )


def _front(language: Language, answer: str, older: str, line: str) -> str:
    return (
        f"<div>{_divs(answer)}</div><br><br><div>{escape(line)}</div><blockquote type='cite' "
        f"class='front-blockquote' "
        f"style='margin:0 0 0 5px;padding-left:10px;border-left:1px solid #ccc'>{_divs(older)}</blockquote>"
    )


def _missive(language: Language, answer: str, older: str, line: str) -> str:
    return (
        f"<div>{_divs(answer)}</div><div class='missive_quote'>{escape(line)}<br><blockquote "
        f"style='margin: 0 0 0 5px;padding-left:12px;"
        f"border-left: 2px solid #d6d6d6'>{_divs(older)}</blockquote></div>"
    )


def _mailspring(language: Language, answer: str, older: str, line: str) -> str:
    return (
        f"<div>{_divs(answer)}</div><br><div "
        f"class='gmail_quote_attribution'>{escape(line)}</div><blockquote>{_divs(older)}</blockquote>"
    )


def _groupwise(language: Language, answer: str, older: str, line: str) -> str:
    return (
        f"<html><body style='margin: 4px'>{_divs(answer)}<br><br>&gt;&gt;&gt; {NAME} &lt;{ADDRESS}&gt; "
        f"03.03.2026 10:11 &gt;&gt;&gt;<br>"
        f"<table bgcolor='#f3f3f3' style='MARGIN: 0px 0px 0px "
        f"15px'><tr><td><div>{_divs(older)}</div></td></tr></table></body></html>"
    )


def _evolution(language: Language, answer: str, older: str, line: str) -> str:
    return (
        f"<html><body><div>{_breaks(answer)}</div><div><br></div><div>{escape(line)}</div><blockquote "
        f"type='cite' "
        f"style='margin:0 0 0 .8ex; border-left:2px #729fcf "
        f"solid;padding-left:1ex'><div>{_breaks(older)}</div></blockquote></body></html>"
    )


def _kmail(language: Language, answer: str, older: str, line: str) -> str:
    return (
        f"<html><body><p style='margin-top:0;margin-bottom:0;'>{_breaks(answer)}</p><br "
        f"/><p>{escape(line)}</p>"
        f"<blockquote>{_breaks(older)}</blockquote></body></html>"
    )


def _mailru(language: Language, answer: str, older: str, line: str) -> str:
    return (
        f"<HTML><BODY><div>{_divs(answer)}</div><div>&nbsp;</div><blockquote style='border-left:1px "
        f"solid #0857A6; margin:10px; "
        f"padding:0 0 0 10px;'>{escape(line)}<br>&nbsp;<div id=''><div class='js-helper "
        f"js-readmsg-msg'>{_divs(older)}</div></div>"
        "</blockquote></BODY></HTML>"
    )


def _yandex(language: Language, answer: str, older: str, line: str) -> str:
    return (
        f"<div>{_divs(answer)}</div><div>&nbsp;</div><div>{escape(line)}</div><blockquote>"
        f"{_divs(older)}</blockquote>"
    )


def _qq(language: Language, answer: str, older: str, line: str) -> str:
    block = _header(language, "<div><b>{label}:</b>&nbsp;{value};</div>", "")
    return (
        f"<div>{_divs(answer)}</div><div><br></div><div style='font-size: "
        f"12px'>------------------&nbsp;{escape(language.separators[0])}&nbsp;"
        f"------------------</div><div style='background:#efefef;'>{block}</div><div><br></div>{_divs(older)}"
    )


def _aol(language: Language, answer: str, older: str, line: str) -> str:
    block = _header(language, "{label}: {value}", "<br>\n")
    return (
        f"<div>{_divs(answer)}</div><br><br>-----{escape(language.separators[0])}-----<br>\n"
        f"{block}<br>\n<br>\n<div id='yiv1'>"
        f"{_divs(older)}</div>"
    )


def _tutanota(language: Language, answer: str, older: str, line: str) -> str:
    return (
        f"<html><body>{_divs(answer)}<div><br></div><div>{escape(line)}<br></div><blockquote "
        f"class='tutanota_quote' "
        f"style='border-left: 1px solid #93A3B8; padding-left: 10px; margin-left: "
        f"5px;'>{_divs(older)}</blockquote></body></html>"
    )


PAGES: dict[str, Page] = {
    name.removeprefix("_"): page
    for name, page in list(globals().items())
    if name.startswith("_")
    and callable(page)
    and getattr(page, "__code__", None)
    and page.__code__.co_argcount == 4
}


def pages(language: Language) -> Iterator[Sibling]:
    """Each program's page, with the first attributions of the language."""
    for number, template in enumerate(language.attributions[:3]):
        line = attribution(template)
        for name, page in PAGES.items():
            body = page(language, language.answer, language.older, line)
            yield Sibling(f"{language.code}-page-{name}-{number}", body, language.answer)


def answered_below(language: Language) -> Iterator[Sibling]:
    """The answer stands below the quote, or between its lines."""
    line = attribution(language.attributions[0])
    one, two = [text for text in language.older.split("\n") if text][1:3]
    first, second = language.answer.split("\n")
    frames = {
        "apple": "<blockquote type='cite'><div>{line}</div></blockquote>{between}",
        "gmail": "<div class='gmail_quote'><div class='gmail_attr'>{line}</div>{between}</div>",
        "thunderbird": "<div class='moz-cite-prefix'>{line}<br></div>{between}",
        "plain": "<p>{line}</p>{between}",
    }
    for name, frame in frames.items():
        between = (
            f"<blockquote type='cite'>{_divs(one)}</blockquote><div>{escape(first)}</div>"
            f"<blockquote type='cite'>{_divs(two)}</blockquote><div>{escape(second)}</div>"
        )
        body = frame.format(line=escape(line), between=between)
        kept = f"> {one}\n{first}\n> {two}\n{second}"
        yield Sibling(f"{language.code}-page-{name}-between", body, kept)
        below = f"<blockquote type='cite'>{_divs(language.older)}</blockquote>{_divs(language.answer)}"
        yield Sibling(
            f"{language.code}-page-{name}-below",
            frame.format(line=escape(line), between=below),
            language.answer,
        )
        nest = "<blockquote type='cite'>" * 5 + _divs(language.older) + "</blockquote>" * 5
        yield Sibling(
            f"{language.code}-page-{name}-deep",
            _divs(language.answer) + frame.format(line=escape(line), between=nest),
            language.answer,
        )
