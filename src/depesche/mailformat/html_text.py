"""An HTML letter as lines of Markdown, with the marks of mail programs on them.

What counts is not how a letter looks but which words are new. So blockquotes become depth, the containers
that Gmail, Outlook, Apple Mail, Thunderbird, Yahoo, Proton and others put around older mails become marks,
and the same cutter that reads plain text decides. Layout is dropped; links, lists, emphasis, code and
tables stay.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from depesche.mailformat.html_tokens import Tag, Tokens
from depesche.mailformat.letter_lines import Line, Mark, visible


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_VOID = _words("area base br col embed hr img input link meta param source track wbr basefont bgsound frame")
_BLOCK = _words(
    "address article aside body center dd details dialog div dl dt fieldset figcaption figure footer form "
    "h1 h2 h3 h4 "
    "h5 h6 header hgroup html li main menu nav ol p pre section summary table tbody td tfoot th "
    "thead tr ul blockquote "
    "caption dir legend optgroup option"
)
_SPACED = _words("p h1 h2 h3 h4 h5 h6 ul ol dl pre blockquote table figure")
_EMPHASIS = {
    "b": "**",
    "strong": "**",
    "i": "*",
    "em": "*",
    "s": "~~",
    "strike": "~~",
    "del": "~~",
    "code": "`",
}
_CLOSED_BY_SAME = frozenset({"p", "li", "td", "th", "tr", "dd", "dt", "option"})
_DEEPEST_QUOTE = 50
_NEVER = 1 << 60
_CELL = " | "

_CUT_IDS = frozenset(
    {
        *("divrplyfwdmsg", "appendonsend", "stopspelling", "olk_src_body_section", "replysplit"),
        *("mail-editor-reference-message-container", "ms-outlook-mobile-reference-message"),
        *(
            "isforwardcontent",
            "originalmessage",
            "origbody",
            "lineBreakAtBeginningOfMessage".lower() + "-quote",
        ),
    }
)
_QUOTE_CLASSES = frozenset(
    {
        *(
            "yahoo_quoted",
            "protonmail_quote",
            "zmail_extra",
            "tutanota_quote",
            "quoted-text",
            "email_quote",
            "gmx_quote",
        ),
        *(
            "front-blockquote",
            "msg-quote",
            "replied-message",
            "mailmate_quote",
            "mail-quote",
            "iscwidgetsquote",
        ),
    }
)
_ATTRIBUTION_CLASSES = frozenset(
    {"gmail_attr", "moz-cite-prefix", "mail-cite-prefix", "zmail_extra_hr_intro"}
)
_SIGNATURE_CLASSES = frozenset(
    {
        *("gmail_signature", "gmail_signature_prefix", "moz-signature", "protonmail_signature_block"),
        *("yahoo-signature", "tutanota_signature", "ms-outlook-mobile-signature"),
    }
)
_SIGNATURE_IDS = frozenset({"signature", "_rc_sig", "ms-outlook-mobile-signature", "x_signature"})
_HIDDEN = re.compile(r"display\s{0,5}:\s{0,5}none|visibility\s{0,5}:\s{0,5}hidden|mso-hide\s{0,5}:\s{0,5}all")
_BORDER_LEFT = re.compile(
    r"border-left(?:-style|-width)?\s{0,5}:(?!\s{0,5}(?:none|0|medium none|medium)\b)[^;]{0,80}"
)
_NO_INDENT_QUOTE = re.compile(r"border\s{0,5}:\s{0,5}(?:none|0)", re.IGNORECASE)
_SPACE = re.compile(r"[ \t\r\n\f\v]+")


@dataclass(slots=True)
class _Element:
    name: str
    quote: bool = False
    mark: Mark | None = None
    hidden: bool = False
    gmail: bool = False
    marker: str = ""
    href: str = ""
    ordered: int = -1
    item: bool = False
    pre: bool = False
    position: int = 0


@dataclass(slots=True)
class _Writer:
    """Collects the lines. `piece` is the line being written, in fragments."""

    lines: list[Line] = field(default_factory=list)
    piece: list[str] = field(default_factory=list)
    stack: list[_Element] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)
    depth: int = 0
    hidden: int = 0
    pre: int = 0
    lists: list[_Element] = field(default_factory=list)
    bullets: list[str] = field(default_factory=list)
    emphasis: dict[str, int] = field(default_factory=dict)
    inline: list[_Element] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    gmail: list[int] = field(default_factory=list)
    want_blank: bool = False

    def text(self, text: str) -> None:
        if self.hidden:
            return
        if self.pre:
            rows = text.replace("\r\n", "\n").replace("\r", "\n").split("\n", 10_000)
            for row in rows[:-1]:
                self.piece.append(row)
                self.line()
            self.piece.append(rows[-1])
            return
        collapsed = _SPACE.sub(" ", text)
        if collapsed == " " and not self.piece:
            return
        if collapsed:
            self.piece.append(collapsed)

    def _close_inline(self) -> None:
        for element in reversed(self.inline):
            self._wrap(element)
            element.position = 0

    def _wrap(self, element: _Element) -> None:
        content = "".join(self.piece[element.position :])
        core = content.strip()
        if not core:
            return
        lead = content[: len(content) - len(content.lstrip())]
        trail = content[len(content.rstrip()) :]
        if element.href:
            core = _link(core, element.href)
        elif element.marker and len(core) < 2_000:
            core = f"{element.marker}{core}{element.marker}"
        self.piece[element.position :] = [lead + core + trail]

    def line(self) -> None:
        """End the line, also an empty one."""
        if self.inline:
            self._close_inline()
        raw = "".join(self.piece).replace("\xa0", " ").replace("\u202f", " ")
        self.piece.clear()
        raw = raw.rstrip() if self.pre else raw.strip()
        self.emit(raw.removesuffix(_CELL.rstrip()).rstrip() if raw.endswith(_CELL.rstrip()) else raw)

    def emit(self, content: str) -> None:
        if self.want_blank and content and self.lines and self.lines[-1].content:
            self.lines.append(Line("", "", min(self.depth, self.lines[-1].depth)))
        if content:
            self.want_blank = False
        indent = ""
        if self.lists and content:
            level = len(self.lists) - 1
            indent = "  " * min(level, 10)
            if self.bullets and self.bullets[-1]:
                indent += self.bullets[-1]
                self.bullets[-1] = ""
            else:
                indent += "  "
        if self.pre and content and not self.lists:
            indent = "    "
        quote = "> " * min(self.depth, _DEEPEST_QUOTE)
        shown = (quote + indent + content).rstrip()
        mark = self.marks[-1] if self.marks else Mark.NONE
        self.lines.append(Line(shown, visible(content), self.depth, mark if content else Mark.NONE))

    def flush(self) -> None:
        """End the line if there is anything on it."""
        if self.piece:
            if any(fragment.strip(" ") for fragment in self.piece):
                self.line()
            else:
                self.piece.clear()

    def open(self, tag: Tag) -> None:
        name = tag.name
        if name == "br":
            if not self.hidden:
                self.line()
            return
        if name == "hr":
            self._rule(tag)
            return
        if name == "img":
            self._image(tag)
            return
        if name in _VOID:
            return
        if name in _CLOSED_BY_SAME and self.stack and self.stack[-1].name == name:
            self.close(name)
        element = self._element(tag)
        if name in _BLOCK and name not in ("td", "th"):
            self.flush()
            if name in _SPACED and not self.lists and not _tight(tag, name):
                self.want_blank = True
        self._enter(element)
        self.stack.append(element)
        self.names[name] = self.names.get(name, 0) + 1

    def _element(self, tag: Tag) -> _Element:
        name = tag.name
        element = _Element(name)
        if name in _EMPHASIS:
            element.marker = _EMPHASIS[name]
            return element
        if name in ("span", "font", "td", "tr", "tbody", "u") and "=" not in tag.rest:
            return element
        attributes = tag.attributes()
        if not attributes and name != "blockquote":
            return self._list_element(element)
        style = attributes.get("style", "")[:2_000].lower()
        identity = attributes.get("id", "").lower()
        classes = frozenset(attributes.get("class", "").lower().split()[:20])
        element.hidden = bool(style) and _HIDDEN.search(style) is not None
        if name == "a":
            element.href = _safe_link(attributes.get("href", ""))
        if identity in _CUT_IDS or identity.removeprefix("x_") in _CUT_IDS:
            self._cut_below()
        if classes & _ATTRIBUTION_CLASSES or identity == "reply-intro":
            element.mark = Mark.ATTRIBUTION
        elif classes & _SIGNATURE_CLASSES or identity in _SIGNATURE_IDS:
            element.mark = Mark.SIGNATURE
        if name == "blockquote":
            element.quote = (
                attributes.get("type", "").lower() == "cite"
                or not (_NO_INDENT_QUOTE.search(style) and not _BORDER_LEFT.search(style))
                or "gmail_quote" in classes
            )
        elif classes & _QUOTE_CLASSES or (name in ("div", "td") and _is_quote_bar(attributes, style)):
            element.quote = True
        elif "gmail_quote" in classes or "gmail_quote_container" in classes:
            element.gmail = True
        return self._list_element(element)

    def _list_element(self, element: _Element) -> _Element:
        if element.name in ("ol", "ul", "menu", "dir"):
            element.ordered = 1 if element.name == "ol" else 0
        element.item = element.name == "li"
        element.pre = element.name == "pre"
        return element

    def _enter(self, element: _Element) -> None:
        if element.hidden:
            self.hidden += 1
        if element.quote:
            self.flush()
            self._mark_gmail_attribution()
            self.depth += 1
        if element.mark is not None:
            self.flush()
            self.marks.append(element.mark)
        if element.gmail:
            self.flush()
            self.gmail.append(len(self.lines))
        if element.ordered >= 0:
            self.lists.append(element)
            self.bullets.append("")
        if element.item and self.lists:
            owner = self.lists[-1]
            self.bullets[-1] = f"{owner.ordered}. " if owner.ordered > 0 else "- "
            owner.ordered += owner.ordered > 0
        if element.pre:
            self.pre += 1
        if element.marker or element.href:
            key = element.marker or "a"
            if self.emphasis.get(key, 0) == 0:
                element.position = len(self.piece)
                self.inline.append(element)
            self.emphasis[key] = self.emphasis.get(key, 0) + 1

    def _mark_gmail_attribution(self) -> None:
        """In Gmail's quote container, what stands above the blockquote introduces it, in whatever
        language.
        """
        if not self.gmail:
            return
        start = self.gmail[-1]
        self.gmail[-1] = _NEVER  # what stands between the blockquotes are answers
        fresh = [index for index in range(start, len(self.lines)) if self.lines[index].content]
        if 0 < len(fresh) <= 4 and sum(len(self.lines[index].content) for index in fresh) <= 400:
            for index in fresh:
                line = self.lines[index]
                if line.depth == self.depth:
                    self.lines[index] = Line(line.shown, line.content, line.depth, Mark.ATTRIBUTION)

    def close(self, name: str) -> None:
        if name == "p" and not self.names.get("p"):
            self.flush()
            return
        if not self.names.get(name):
            return
        while self.stack:
            element = self.stack.pop()
            self.names[element.name] -= 1
            self._leave(element)
            if element.name == name:
                return

    def _leave(self, element: _Element) -> None:
        name = element.name
        if element.marker or element.href:
            key = element.marker or "a"
            self.emphasis[key] -= 1
            if element in self.inline[-8:] and self.inline and self.inline[-1] is element:
                self._wrap(element)
                self.inline.pop()
            elif self.emphasis[key] == 0:
                self.inline = [other for other in self.inline if other is not element]
        if name in ("td", "th"):
            self._cell()
            return
        if name in _BLOCK:
            self.flush()
            if name in _SPACED and len(self.lists) <= (element.ordered >= 0) and name != "table":
                self.want_blank = True
        if element.pre:
            self.pre -= 1
        if element.ordered >= 0 and self.lists:
            self.lists.pop()
            self.bullets.pop()
        if element.gmail and self.gmail:
            self.gmail.pop()
        if element.mark is not None and self.marks:
            self.flush()
            self.marks.pop()
        if element.quote:
            self.flush()
            self.depth -= 1
        if element.hidden:
            self.hidden -= 1

    def _cell(self) -> None:
        """Cells of one line stand side by side; what has lines of its own stays below each other."""
        if self.piece and any(fragment.strip() for fragment in self.piece):
            self.piece.append(_CELL)

    def _rule(self, tag: Tag) -> None:
        if self.hidden:
            return
        self.flush()
        attributes = tag.attributes()
        if attributes.get("id", "").lower() in _CUT_IDS:
            self._cut_below()
            return
        self.want_blank = True
        self.emit("---")

    def _cut_below(self) -> None:
        """An older mail begins here and goes on to the end, whatever contains it."""
        self.flush()
        if self.depth == 0:
            self.lines.append(Line("", "", 0, Mark.CUT_BELOW))

    def _image(self, tag: Tag) -> None:
        if self.hidden:
            return
        attributes = tag.attributes()
        source = attributes.get("src", "")
        alt = " ".join(attributes.get("alt", "").split())[:200]
        if source.lower().startswith("cid:"):
            identity = source[4:].strip()
            if identity and not re.search(r"[\s()<>]", identity):
                self.piece.append(f"![{alt.replace('[', '(').replace(']', ')')}](cid:{identity[:200]})")
        elif alt and len(alt) <= 4:
            self.piece.append(alt)  # an emoji drawn as a picture


def _tight(tag: Tag, name: str) -> bool:
    """Outlook's paragraphs are lines: they have no margin."""
    if name in ("ul", "ol"):
        return False
    rest = tag.rest[:500].lower()
    return name == "p" and (
        "mso" in rest or "margin:0" in rest.replace(" ", "") or "margin-bottom:0" in rest.replace(" ", "")
    )


def _is_quote_bar(attributes: dict[str, str], style: str) -> bool:
    if attributes.get("name", "").lower() == "quote":
        return True  # GMX and web.de
    return "border-left" in style and "padding" in style and _BORDER_LEFT.search(style) is not None


_SAFE = re.compile(r"(?:https?|mailto|tel|ftp):", re.IGNORECASE)


def _safe_link(href: str) -> str:
    address = "".join(href.split())
    if len(address) > 2_000 or not _SAFE.match(address):
        return ""
    return address.replace("(", "%28").replace(")", "%29").replace("<", "%3C").replace(">", "%3E")


def _link(text: str, href: str) -> str:
    if href.lower().startswith(("mailto:", "tel:")):
        target = href.split(":", 1)[1].split("?", 1)[0]
        if "@" in text or not target or href.lower().startswith("tel:"):
            return text
        return f"{text} <{target}>"
    bare = text.strip("<>").rstrip("/")
    if bare == href.rstrip("/") or href.rstrip("/").split("://", 1)[-1] in (bare, "www." + bare):
        return text
    if text.startswith("![") or "](" in text:
        return text
    label = text.replace("[", "(").replace("]", ")")
    return f"[{label}]({href})"


def html_lines(source: str, *, most: int = 10_000) -> tuple[list[Line], str]:
    """The first `most` lines of an HTML body, and the bare text of what follows. Linear; never raises."""
    writer = _Writer()
    stream = Tokens(source)
    for token in stream:
        if isinstance(token, str):
            writer.text(token)
        elif not token.closing:
            writer.open(token)
        elif token.name == "br":
            writer.line()
        else:
            writer.close(token.name)
        if len(writer.lines) >= most:
            break
    writer.flush()
    return _without_false_signature(writer.lines), stream.unread()


def _without_false_signature(lines: list[Line]) -> list[Line]:
    """Phones put whole answers into their signature element: where nothing else is new, it is the letter."""
    end = next((index for index, line in enumerate(lines) if line.mark is Mark.CUT_BELOW), len(lines))
    above = lines[:end]
    fresh = [line for line in above if line.content and line.depth == 0 and line.mark is not Mark.ATTRIBUTION]
    if fresh and all(line.mark is Mark.SIGNATURE for line in fresh):
        return [
            Line(line.shown, line.content, line.depth, Mark.NONE) if line.mark is Mark.SIGNATURE else line
            for line in lines
        ]
    return lines


def html_to_markdown(source: str) -> str:
    """The whole letter as Markdown, nothing cut."""
    lines, rest = html_lines(source)
    return "\n".join([*(line.shown for line in lines), rest]).strip()
