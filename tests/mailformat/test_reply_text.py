"""The cutter on single points; whole mails of all clients and languages are in test_corpus.py."""

from __future__ import annotations

import pytest

from depesche.mailformat.html_text import html_to_markdown
from depesche.mailformat.parse import parse
from depesche.mailformat.reading import read
from depesche.mailformat.reply_text import cut_text, reply_text
from depesche.mailformat.reply_text.attributions import attribution_ending_at
from depesche.mailformat.reply_text.clutter import is_closing
from depesche.mailformat.reply_text.device_notes import is_device_note
from depesche.mailformat.reply_text.forms import is_rule
from depesche.mailformat.reply_text.markers import header_block_at, separator_kind

ATTRIBUTIONS = [
    "Am 01.03.26 um 17:05 schrieb Jana Vogt:",
    "Am 1. März 2026 um 17:05 schrieb Jana Vogt <jana@kunde.example>:",
    "Jana Vogt <jana@kunde.example> schrieb am So., 1. März 2026, 17:05:",
    "Jana Vogt schrieb am 01.03.2026 um 17:05:",
    "Jana Vogt schrieb am 1. März 2026:",
    "Jana Vogt schreef op 1-3-2026:",
    "2026. 03. 01. keltezéssel, 17:05 írta, Jana Vogt:",
    "1 Mart 2026 17:05 tarihinde Jana Vogt <jana@kunde.example> yazdı:",
    'Den 1 mars 2026 17:05 skrev "Jana Vogt" <jana@kunde.example>:',
    "El domingo, 1 de marzo de 2026, Jana Vogt escribió:",
    "Воскресенье, 1 марта 2026, 17:05 +03:00 от Jana Vogt <jana@kunde.example>:",
    "Zitat von Jana Vogt <jana@kunde.example>:",
    "On Sun, Mar 1, 2026 at 5:05 PM Jana Vogt <jana@kunde.example> wrote:",
    "On 01/03/2026 17:05, Jana Vogt wrote:",
    "Quoting Jana Vogt <jana@kunde.example>:",
    "2026-03-01 17:05 GMT+01:00 Jana Vogt <jana@kunde.example>:",
    "Le dim. 1 mars 2026 à 17:05, Jana Vogt <jana@kunde.example> a écrit :",
    "Le 01/03/2026 à 17:05, Jana Vogt a écrit :",
    "El dom, 1 mar 2026 a las 17:05, Jana Vogt (<jana@kunde.example>) escribió:",
    "Il giorno dom 1 mar 2026 alle ore 17:05 Jana Vogt <jana@kunde.example> ha scritto:",
    "Em dom., 1 de mar. de 2026 às 17:05, Jana Vogt <jana@kunde.example> escreveu:",
    "Op zo 1 mrt 2026 om 17:05 schreef Jana Vogt <jana@kunde.example>:",
    "Op 1 mrt. 2026 om 17:05 heeft Jana Vogt <jana@kunde.example> het volgende geschreven:",
    "Den søn. 1. mar. 2026 kl. 17.05 skrev Jana Vogt <jana@kunde.example>:",
    "Den sön 1 mars 2026 kl 17:05 skrev Jana Vogt <jana@kunde.example>:",
    "su 1. maalisk. 2026 klo 17.05 Jana Vogt (jana@kunde.example) kirjoitti:",
    "W dniu 1.03.2026 o 17:05, Jana Vogt pisze:",
    "ne 1. 3. 2026 v 17:05 odesílatel Jana Vogt <jana@kunde.example> napsal:",
    "ne 1. 3. 2026 o 17:05 Jana Vogt <jana@kunde.example> napísal(a):",
    "V V ned., 1. mar. 2026 ob 17:05 je oseba Jana Vogt <jana@kunde.example> napisala:",
    "вс, 1 мар. 2026 г. в 17:05, Jana Vogt <jana@kunde.example>:",
    "01.03.2026 17:05, Jana Vogt пишет:",
    "在 2026年3月1日，17:05，Jana Vogt <jana@kunde.example> 写道：",
    "Jana Vogt <jana@kunde.example> 於 2026年3月1日 週日 下午5:05寫道：",
    "2026年3月1日(日) 17:05 Jana Vogt <jana@kunde.example>:",
    "2026년 3월 1일 (일) 오후 5:05, Jana Vogt <jana@kunde.example>님이 작성:",
    "في الأحد، 1 مارس 2026 في 17:05 تمت كتابة ما يلي بواسطة Jana Vogt <jana@kunde.example>:",
]
NO_ATTRIBUTIONS = [
    "Am 01.03.26 um 17:05 war der Server weg:",
    "Am 1.3.2026 schrieb ich Ihnen bereits:",
    "On Monday we will do the following:",
    "I wrote:",
    "Mein Chef schrieb dazu einen langen Text.",
    "Jan 15, 2026 at 14:30",
    "15.01.2026 14:30",
    "Kontakt: jana@kunde.example",
    "http://example.org/2026/03/01:",
]


@pytest.mark.parametrize("line", ATTRIBUTIONS)
def test_attributions_are_known_and_cut(line: str) -> None:
    answer = cut_text(f"Neuer Text.\n\n{line}\n\n> Alter Text.\n")
    assert answer.text == "Neuer Text."
    assert answer.had_quote
    assert "Alter Text." in answer.cut


@pytest.mark.parametrize("line", ATTRIBUTIONS)
@pytest.mark.parametrize("wrap_at", [20, 30, 40])
def test_a_wrapped_attribution_is_found_from_its_end(line: str, wrap_at: int) -> None:
    space = line.find(" ", wrap_at)
    wrapped = line if space < 0 else line[:space] + "\n" + line[space + 1 :]
    answer = cut_text(f"Ein Satz davor.\n\n{wrapped}\n\n> Alter Text.\n")
    assert answer.text == "Ein Satz davor."


@pytest.mark.parametrize("line", NO_ATTRIBUTIONS)
def test_what_only_looks_like_an_attribution_stays(line: str) -> None:
    assert attribution_ending_at([line], 0, -1) is None
    assert cut_text(f"Text.\n\n{line}\nWeiter im Text.\n").text == f"Text.\n\n{line}\nWeiter im Text."


@pytest.mark.parametrize(
    "block",
    [
        "Von: Jana <jana@kunde.example>\nGesendet: Sonntag, 1. März 2026 17:05\nAn: Peter\nBetreff: x",
        "*Von:* Jana <jana@kunde.example>\n*Gesendet:* Sonntag\n*An:* Peter\n*Betreff:* x",
        "From: Jana\nDate: Sunday, 1 March 2026 at 17:05\nTo: Peter\nSubject: x",
        "De : Jana <jana@kunde.example>\nEnvoyé : dimanche 1 mars 2026\nÀ : Peter\nObjet : x",
        "Da: Jana\nInviato: domenica 1 marzo 2026 17:05\nA: Peter\nOggetto: x",
        "Van: Jana\nVerzonden: zondag 1 maart 2026 17:05\nAan: Peter\nOnderwerp: x",
        "Od: Jana\nWysłano: niedziela, 1 marca 2026\nDo: Peter\nTemat: x",
        "От: Jana\nОтправлено: 1 марта 2026 г. 17:05\nКому: Peter\nТема: x",
        "Lähettäjä: Jana\nLähetetty: 1.3.2026\nVastaanottaja: Peter\nAihe: x",
        "发件人: Jana\n发送时间: 2026年3月1日 17:05\n收件人: Peter\n主题: x",
        "差出人: Jana\n送信日時: 2026年3月1日 17:05\n宛先: Peter\n件名: x",
        "Kimden: Jana\nGönderildi: 1 Mart 2026 17:05\nKime: Peter\nKonu: x",
        "Feladó: Jana\nElküldve: 2026. március 1. 17:05\nCímzett: Peter\nTárgy: x",
    ],
)
def test_header_blocks_begin_the_older_mail(block: str) -> None:
    assert header_block_at(block.split("\n"), 0, separated=False) is not None
    assert cut_text(f"Neu.\n\n________________________________\n{block}\n\nAlt.\n").text == "Neu."


def test_a_list_of_labels_is_no_header_block() -> None:
    text = "Von: Berlin\nNach: Hamburg\n\nAn: alle"
    assert cut_text(f"Bitte buchen.\n\n{text}").text == f"Bitte buchen.\n\n{text}"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("-----Ursprüngliche Nachricht-----", "separator"),
        ("-------- Original Message --------", "separator"),
        ("*-------- Original Message --------*", "separator"),
        ("---- On Sun, 01 Mar 2026 17:05:12 +0100 Jane <j@x.example> wrote ----", "separator"),
        ("---------- Forwarded message ---------", "forward"),
        ("Anfang der weitergeleiteten Nachricht:", "forward"),
        ("##- Please type your reply above this line -##", "reply-above"),
        ("Original message", None),
        ("-----", None),
        ("The original message was lost.", None),
    ],
)
def test_separators(line: str, kind: str | None) -> None:
    assert separator_kind(line) == kind


@pytest.mark.parametrize(
    "line",
    [
        "Von meinem iPhone gesendet",
        "Gesendet mit der GMX Mail App",
        "Gesendet von Outlook für Android",
        "Von meinem/meiner Galaxy gesendet",
        "Sent from my iPhone",
        "Sent from Mail for Windows",
        "Get Outlook for Android<https://aka.ms/x>",
        "Envoyé de mon iPhone",
        "Enviado desde mi iPhone",
        "Inviato da iPhone",
        "Verstuurd vanaf mijn iPhone",
        "Skickat från min iPhone",
        "Wysłane z iPhone'a",
        "Отправлено с iPhone",
        "iPhoneから送信",
        "发自我的iPhone",
        "나의 iPhone에서 보냄",
        "Virenfrei. www.avast.com",
    ],
)
def test_device_notes(line: str) -> None:
    assert is_device_note(line, certain=True)
    assert cut_text(f"Antwort.\n\n{line}").text == "Antwort."


@pytest.mark.parametrize(
    "line",
    [
        "Sent from my desk, which is much easier than typing on the phone.",
        "Von meinem Chef kam noch nichts, ich frage nach.",
        "Das habe ich gestern gesendet.",
    ],
)
def test_sentences_are_no_device_notes(line: str) -> None:
    assert not is_device_note(line)


@pytest.mark.parametrize(
    "line", ["Mit freundlichen Grüßen", "MfG", "Viele Grüße aus Köln,", "Best regards,", "Cordialement"]
)
def test_closings(line: str) -> None:
    assert is_closing(line)


@pytest.mark.parametrize(
    "line", ["Danke für die schnelle Antwort, aber der Fehler besteht weiter.", "Grundsätzlich ja."]
)
def test_no_closings(line: str) -> None:
    assert not is_closing(line)


def test_rules() -> None:
    assert is_rule("____")
    assert is_rule("- - -")
    assert not is_rule("-")
    assert not is_rule("--force")


def test_our_own_words_are_known_without_any_mark() -> None:
    ours = (
        "Jana Vogt hat einen Kommentar geschrieben.\n\n"
        "Der Server läuft wieder, bitte prüfen Sie die Anmeldung.\n"
    )
    body = (
        "Geprüft, geht.\n\nJana Vogt hat einen Kommentar geschrieben.\n\n"
        "Der Server läuft wieder, bitte\nprüfen Sie die Anmeldung.\n"
    )
    assert cut_text(body).text != "Geprüft, geht."
    answer = cut_text(body, known_texts=[ours])
    assert answer.text == "Geprüft, geht."
    assert "Server läuft wieder" in answer.cut


def test_an_answer_that_is_nothing_but_a_quote_is_empty() -> None:
    answer = cut_text("Am 01.03.26 um 17:05 schrieb Jana:\n> Alles klar?\n")
    assert answer.text == ""
    assert "Alles klar?" in answer.cut


def test_a_long_quote_between_answers_is_shortened_to_what_is_answered() -> None:
    quote = "\n".join(f"> Zeile {number}" for number in range(60))
    answer = cut_text(
        f"Am 01.03.26 schrieb Jana am 1.1.2026 10:00:\n{quote}\n\nErstens.\n\n> Noch eins?\n\nZweitens.\n"
    )
    assert "Zeile 59" in answer.text
    assert "Zeile 3\n" not in answer.text
    assert answer.text.endswith("> Noch eins?\n\nZweitens.")


def test_a_text_signed_in_the_clear_loses_its_armour() -> None:
    body = (
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nGenehmigt.\n- -- \nJana\n"
        "-----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----\n"
    )
    assert cut_text(body).text == "Genehmigt."


def test_html_is_taken_when_the_plain_text_is_only_a_note() -> None:
    raw = (
        b"Content-Type: multipart/alternative; boundary=x\n\n--x\n\n"
        b"This message requires an HTML email client.\n"
        b"--x\nContent-Type: text/html\n\n<p>" + b"Hallo <b>Welt</b>. " * 30 + b"</p>\n--x--\n"
    )
    answer = reply_text(parse(raw))
    assert answer.from_html
    assert answer.text.startswith("Hallo **Welt**.")


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ("a<br>b", "a\nb"),
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ("<div>a</div><div><br></div><div>b</div>", "a\n\nb"),
        ("<b>a</b> <i>b</i> <code>c</code> <s>d</s>", "**a** *b* `c` ~~d~~"),
        ("<b></b>a<b> b </b>c", "a **b** c"),
        ('<a href="https://x.example/">x.example</a>', "x.example"),
        ('<a href="https://x.example/y">hier</a>', "[hier](https://x.example/y)"),
        ('<a href="javascript:alert(1)">hier</a>', "hier"),
        ('<a href="mailto:j@x.example">Jana</a>', "Jana <j@x.example>"),
        ("<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>", "- a\n  - b\n- c"),
        ("<ol><li>a</li><li>b</li></ol>", "1. a\n2. b"),
        ("<style>x</style><script>y</script><title>z</title>a", "a"),
        ('<span style="display:none">versteckt</span>a', "a"),
        ("a<!-- b -->c<!--[if mso]>d<![endif]-->e", "ace"),
        ("&lt;b&gt; &amp; &uuml; &#8364;", "<b> & ü €"),
        ("<img src='http://x.example/pixel.gif' width=1>a", "a"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("<p>offen <div>und</p> verschachtelt</div>", "offen\nund\n\nverschachtelt"),
    ],
)
def test_html_becomes_markdown(html: str, markdown: str) -> None:
    assert "\n".join(line.rstrip() for line in html_to_markdown(html).split("\n")) == markdown


PICTURES = b"""From: jana@kunde.example
Subject: Re: x
Content-Type: multipart/related; boundary=r

--r
Content-Type: multipart/alternative; boundary=a

--a
Content-Type: text/plain; charset=utf-8

Siehe Bild.
[cid:shot@x]

--a
Content-Type: text/html; charset=utf-8

<p>Siehe Bild.<br><img src="cid:shot@x"></p><div class="moz-signature"><img src="cid:logo@x">Jana</div>
<blockquote type="cite">Alt <img src="cid:old@x"></blockquote>
--a--
--r
Content-Type: image/png; name=shot.png
Content-ID: <shot@x>

1
--r
Content-Type: image/png; name=logo.png
Content-ID: <logo@x>

2
--r
Content-Type: image/png; name=old.png
Content-ID: <old@x>

3
--r
Content-Type: image/png; name=free.png
Content-Disposition: attachment; filename=free.png

4
--r
Content-Type: application/pgp-signature; name=signature.asc

5
--r--
"""


def test_pictures_of_signature_and_quote_are_no_files_of_the_answer() -> None:
    assert [file.filename for file in read(PICTURES).attachments] == ["shot.png", "free.png"]
    assert len(read(PICTURES).mail.attachments) == 5


def test_a_short_answer_below_our_own_words_is_kept() -> None:
    ours = "The coupling insert is worn on one side.\nWe have one in stock: I can change it tomorrow.\n"
    quoted = "".join(f"> {line}\n" for line in ours.splitlines())
    answer = cut_text(f"On Mon, 23 Nov 2026, Tracker wrote:\n{quoted}\nYes, please.\n", known_texts=[ours])
    assert answer.text == "Yes, please."
    for without_introduction in (quoted, ours):
        assert "Yes, please." in cut_text(f"{without_introduction}\nYes, please.\n", known_texts=[ours]).text
