"""Markdown to HTML, for pages and mails. Raw HTML is text, links are http, https or mailto. Pictures from
elsewhere are links; those that came with a mail (`cid:`) are shown in their place, from our own pages.

Two nets, one behind the other: markdown-it writes no raw HTML (`html` is off), nh3 lets through only what
stands in the lists below.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final
from urllib.parse import unquote

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

MAX_MARKED_UP: Final = 50_000  # characters; a longer text is shown as plain paragraphs, in linear time
_TAGS: Final = {
    *("p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a"),
    "img",
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES: Final = {"a": {"href"}, "ol": {"start"}, "img": {"src", "alt"}}
_SCHEMES: Final = {"http", "https", "mailto"}
_PICTURE: Final = re.compile(r"!\[([^\]\n]{0,300})\]\(cid:[^)\s]{1,300}\)", re.IGNORECASE)
_URL: Final = re.compile(r"https?://[^\s<>\"]{1,2000}")
_AFTER_URL: Final = ".,;:!?'*_~"

_MAIL_STYLE: Final[Mapping[str, str]] = {
    "p": "margin:0 0 12px;",
    "ul": "margin:0 0 12px;padding-left:22px;",
    "ol": "margin:0 0 12px;padding-left:26px;",
    "li": "margin:0 0 4px;",
    "blockquote": "margin:0 0 12px;padding:0 0 0 12px;border-left:2px solid #9fb0b5;color:#576a71;",
    "pre": "margin:0 0 12px;padding:8px 12px;border:1px solid #9fb0b5;border-radius:6px;font-size:13px;"
    "white-space:pre-wrap;",
    "code": "font-family:ui-monospace,Menlo,Consolas,monospace;font-size:13px;",
    "a": "color:#0a5c70;",
    "table": "border-collapse:collapse;margin:0 0 12px;",
    "th": "border:1px solid #9fb0b5;padding:4px 8px;text-align:left;",
    "td": "border:1px solid #9fb0b5;padding:4px 8px;",
    **{
        f"h{level}": "margin:0 0 8px;font-size:16px;line-height:22px;font-weight:600;"
        for level in range(1, 7)
    },
}


def to_html(text: str, pictures: Mapping[str, str] | None = None) -> SafeString:
    """For a page: no style, no class; links carry rel="nofollow noopener noreferrer". `pictures`: the path
    of the file for each `cid:` that may be shown."""
    return _safe(_rendered(text, {}, pictures or {}), _ATTRIBUTES)


def to_mail_html(text: str) -> SafeString:
    """For a mail: the same, with its style inline, since mail programs drop style sheets."""
    styled = {tag: {"style"} | _ATTRIBUTES.get(tag, set()) for tag in _MAIL_STYLE} | {
        "ol": {"start", "style"}
    }
    return _safe(_rendered(text, _MAIL_STYLE, {}), styled)


def as_text(text: str) -> str:
    """For the text part of a mail: the same, with pictures of mails by their names."""
    return _PICTURE.sub(lambda match: f"[{match[1]}]" if match[1] else "", text)


def _rendered(text: str, style: Mapping[str, str], pictures: Mapping[str, str]) -> str:
    if len(text) > MAX_MARKED_UP:
        return _plain(text, style)
    parser = _parser()
    tokens = parser.parse(text)
    for token in tokens:
        if token.type == "inline" and token.children:
            token.children = _with_pictures(token.children, pictures)
    if style:
        _paint(tokens, style)
    return str(parser.renderer.render(tokens, parser.options, {}))


def _safe(html: str, attributes: dict[str, set[str]]) -> SafeString:
    clean = nh3.clean(
        html,
        tags=_TAGS,
        attributes={**attributes, "*": set()},
        url_schemes=_SCHEMES,
        link_rel="nofollow noopener noreferrer",
    )
    return mark_safe(clean)  # noqa: S308  this is the place where it becomes safe


def _plain(text: str, style: Mapping[str, str]) -> str:
    opening = f'<p style="{style["p"]}">' if style else "<p>"
    paragraphs = re.split(r"\n{2,}", text.strip("\n"))
    return "".join(f"{opening}{escape(part)}</p>".replace("\n", "<br>") for part in paragraphs)


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"breaks": True, "html": False})
    parser.enable(["table", "strikethrough"])
    parser.disable(["html_block", "html_inline", "reference"])
    parser.core.ruler.push("bare_links", _bare_links)
    return parser


def _bare_links(state: StateCore) -> None:
    """`https://…` in running text becomes a link, as people expect of a comment."""
    for block in state.tokens:
        if block.type == "inline" and block.children and "://" in block.content:
            block.children = _with_links(block.children)


def _with_links(tokens: Sequence[Token]) -> list[Token]:
    result: list[Token] = []
    inside = 0
    for token in tokens:
        inside += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        if token.type != "text" or inside or "://" not in token.content:
            result.append(token)
            continue
        position = 0
        for match in _URL.finditer(token.content):
            url = match.group().rstrip(_AFTER_URL)
            if url.endswith(")") and url.count("(") < url.count(")"):
                url = url[:-1]
            if len(url) <= len("https://"):
                continue
            result += [_text(token.content[position : match.start()]), *_link(url)]
            position = match.start() + len(url)
        result.append(_text(token.content[position:]))
    return result


def _with_pictures(tokens: Sequence[Token], pictures: Mapping[str, str]) -> list[Token]:
    """A picture of the mail becomes an image, one from elsewhere a link, any other its name."""
    result: list[Token] = []
    inside = 0
    for token in tokens:
        inside += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        if token.type != "image":
            result.append(token)
            continue
        source = str(token.attrs.get("src", ""))
        path = pictures.get(unquote(source[4:])) if source[:4].lower() == "cid:" else None
        if path is not None:
            token.attrs = {"src": path, "alt": ""}
            result.append(token)
        elif source.startswith(("http://", "https://")) and not inside:
            opening, address, closing = _link(source)
            result += [opening, _text(token.content) if token.content else address, closing]
        else:
            result.append(_text(token.content))
    return result


def _text(content: str) -> Token:
    return Token(type="text", tag="", nesting=0, content=content)


def _link(url: str) -> tuple[Token, Token, Token]:
    opening = Token(type="link_open", tag="a", nesting=1, attrs={"href": url})
    return opening, _text(url), Token(type="link_close", tag="a", nesting=-1)


def _paint(tokens: Sequence[Token], style: Mapping[str, str]) -> None:
    for token in tokens:
        wanted: Any = style.get(token.tag)
        if wanted and token.nesting >= 0:
            token.attrs["style"] = wanted
        if token.children:
            _paint(token.children, style)
