from __future__ import annotations

import re
from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depesche.mailformat.own_pictures import with_own_pictures
from depesche.mailformat.parse import MailAttachment

PNG = MailAttachment("a.png", "image/png", b"\x89PNG", "one@mail", inline=True)
SHOWN = "data:image/png;base64,iVBORw=="


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<img src="cid:one@mail">', f'<img src="{SHOWN}">'),
        ("<IMG alt=x SRC = 'CID:one%40mail' >", f"<IMG alt=x SRC = '{SHOWN}' >"),
        ("<img src=cid:one@mail>", f"<img src={SHOWN}>"),
        ('<img src="cid:one&#64;mail">', f'<img src="{SHOWN}">'),
        ('<td background="cid:one@mail">', f'<td background="{SHOWN}">'),
        ('<p style="background:url(cid:one@mail)">', f'<p style="background:url({SHOWN})">'),
    ],
)
def test_the_places_where_a_mail_names_its_pictures(html: str, expected: str) -> None:
    assert with_own_pictures(html, [PNG]) == expected


@pytest.mark.parametrize(
    "html",
    [
        '<img src="cid:other@mail">',
        "He wrote cid:one@mail in his letter",
        '<a href="cid:one@mail">x</a>',
        '<img src="https://elsewhere.example/one@mail">',
    ],
)
def test_everything_else_stays(html: str) -> None:
    assert with_own_pictures(html, [PNG]) == html


@pytest.mark.parametrize(
    "kind", ["image/svg+xml", "text/html", "application/octet-stream", 'image/png"onerror=']
)
def test_only_pictures_without_script(kind: str) -> None:
    html = '<img src="cid:one@mail">'
    assert with_own_pictures(html, [MailAttachment("a", kind, b"x", "one@mail")]) == html


def test_names_that_everybody_uses_for_jpeg() -> None:
    shown = with_own_pictures('<img src="cid:a">', [MailAttachment("a", "image/jpg", b"x", "a")])
    assert shown == '<img src="data:image/jpeg;base64,eA==">'


def test_a_picture_shown_without_end_ends() -> None:
    big = MailAttachment("a.png", "image/png", b"x" * 1_000, "a")
    shown = with_own_pictures('<img src="cid:a">' * 50, [big], most_octets=3_500)
    assert shown.count("data:") == 3
    assert shown.count("cid:a") == 47


@given(st.binary(max_size=60), st.text(max_size=60))
def test_the_picture_arrives_octet_for_octet(data: bytes, around: str) -> None:
    html = f'{around}<img src="cid:a">'
    shown = with_own_pictures(html, [MailAttachment("a", "image/gif", data, "a")])
    found = re.findall(r'src="data:image/gif;base64,([A-Za-z0-9+/=]*)"', shown)
    assert b64decode(found[-1]) == data
