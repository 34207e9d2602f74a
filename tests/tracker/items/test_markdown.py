"""Markdown: what people write looks right; what an attacker writes does nothing."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depesche.tracker.items import markdown


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("one\ntwo", "<p>one<br>\ntwo</p>"),
        ("**bold** _it_ ~~gone~~", "<p><strong>bold</strong> <em>it</em> <s>gone</s></p>"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("a < b & c", "<p>a &lt; b &amp; c</p>"),
        ("<script>x</script>", "<p>&lt;script&gt;x&lt;/script&gt;</p>"),
        ("Grüße „Jana“", "<p>Grüße „Jana“</p>"),
    ],
)
def test_what_people_write(text: str, html: str) -> None:
    assert markdown.to_html(text).strip() == html


@pytest.mark.parametrize(
    ("text", "href", "after"),
    [
        ("see https://example.org/a_b_c.", "https://example.org/a_b_c", "."),
        ("(https://example.org/x_(y))", "https://example.org/x_(y)", ")"),
        ("https://example.org/?a=1&b=2, ok", "https://example.org/?a=1&amp;b=2", ", ok"),
    ],
)
def test_bare_links(text: str, href: str, after: str) -> None:
    html = markdown.to_html(text)
    assert f'href="{href}"' in html
    assert f"{href}</a>{after}" in html
    assert 'rel="nofollow noopener noreferrer"' in html


@pytest.mark.parametrize(
    "text",
    [
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,AAAA)",
        "![x](https://example.org/pixel.gif)",
        "<img src=x onerror=alert(1)>",
        '[x](https://example.org "onmouseover=alert(1)")',
        "<a href='javascript:x'>y</a>",
        "[x]: javascript:alert(1)\n\n[x]",
    ],
)
def test_nothing_active_gets_through(text: str) -> None:
    for html in (markdown.to_html(text), markdown.to_mail_html(text)):
        tags = re.findall(r"<[^>]*>", html)
        assert not any(re.search(r"javascript|data:|<img|onerror|onmouse|title=", tag) for tag in tags)


@given(st.text(alphabet=st.sampled_from("<>&\"'`*_[]()!#|-=~\\\n :/ahsrcpt.j"), max_size=200))
def test_only_permitted_tags_come_out(text: str) -> None:
    for html in (markdown.to_html(text), markdown.to_mail_html(text)):
        names = {name.lower() for name in re.findall(r"</?([a-zA-Z0-9]+)", html)}
        assert names <= markdown._TAGS
        assert not re.search(r"<[^>]*\son\w+=", html)


@pytest.mark.parametrize(
    "bait", ["[", "*a ", "`", "> ", "![", "<", "- ", "|", "~~", "https://", "\\", "_a_", "](", "&#"]
)
def test_hostile_repetition_is_bounded(bait: str) -> None:
    text = bait * (markdown.MAX_MARKED_UP // len(bait))
    assert len(markdown.to_html(text)) > 0
    assert len(markdown.to_html(text * 4)) > 0


def test_mail_html_has_its_style_inline() -> None:
    html = markdown.to_mail_html("Hello\n\n- a\n\n`code`")
    assert '<p style="margin' in html
    assert '<li style="margin' in html
    assert '<code style="font-family' in html
    assert "style=" not in markdown.to_html("<p style='x'>Hello</p>").replace("&lt;p style", "")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a ![p](cid:x@y.1) b", '<p>a <img src="/files/1/a.png" alt="p"> b</p>'),
        ("![p](CID:x@y.1)", '<p><img src="/files/1/a.png" alt="p"></p>'),
        ("![name](cid:other)", "<p>name</p>"),
        ("![<b>](cid:other)", "<p>&lt;b&gt;</p>"),
        ("![x](/files/1/a.png)", "<p>x</p>"),
    ],
)
def test_pictures_of_a_mail_stand_in_their_place(text: str, html: str) -> None:
    assert markdown.to_html(text, {"x@y.1": "/files/1/a.png"}).strip() == html
    assert "<img" not in markdown.to_html(text)
    assert "<img" not in markdown.to_mail_html(text)


def test_pictures_by_their_names_in_text() -> None:
    assert markdown.as_text("a ![shot.png](cid:x@y) b ![](cid:z) ![c](http://x.example/c.png)") == (
        "a [shot.png] b  ![c](http://x.example/c.png)"
    )
