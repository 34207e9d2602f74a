"""Both sides of the package together: what we write, we read; on any day and in any charset."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depesche.mailformat.addresses import Address
from depesche.mailformat.charset import CHARSETS, Charset
from depesche.mailformat.compose import (
    Attachment,
    Draft,
    compose,
    from_headers,
    personal_headers,
    to_seven_bit,
)
from depesche.mailformat.parse import parse
from tests.mailformat.repertoire import texts

WHEN = datetime(2026, 11, 23, 15, 4, 5, tzinfo=UTC)


def without_spacing(text: str) -> str:
    """Reading brings white space together and drops what turns or joins text; the rest must be the same."""
    return "".join(char for char in text if char.isprintable() and not char.isspace())


@pytest.mark.parametrize("charset", CHARSETS, ids=lambda charset: charset.key)
@settings(max_examples=20)
@given(data=st.data(), seven_bit=st.booleans())
def test_what_we_write_we_read(charset: Charset, data: st.DataObject, seven_bit: bool) -> None:
    own = texts(charset, max_size=60)
    author = Address(data.draw(own), "jane@example.org")
    reader = Address(data.draw(own), "joe@example.org")
    what = Draft(
        data.draw(own),
        data.draw(own),
        WHEN,
        html=data.draw(st.none() | own),
        attachments=(
            Attachment(f"{data.draw(own)}.bin", "application/x-any", data.draw(st.binary(max_size=99))),
        ),
        in_reply_to="<0@example.org>",
        references=("<root@example.org>", "<0@example.org>"),
        charset=charset.key,
    )
    octets = (
        from_headers(author, charset=charset.key)
        + personal_headers(to=[reader], reply_to=author, message_id="<1@example.org>", charset=charset.key)
        + compose(what, boundary="n").octets
    )
    mail = parse(to_seven_bit(octets) if seven_bit else octets)
    assert mail.defects == ()
    for found, meant in zip((mail.from_, mail.reply_to, mail.to), (author, author, reader), strict=True):
        assert [one.addr_spec for one in found] == [meant.addr_spec]
        # Reading takes off the apostrophes that some programs put around names.
        assert without_spacing(found[0].display_name).strip("'") == without_spacing(meant.display_name).strip(
            "'"
        )
    assert without_spacing(mail.subject) == without_spacing(what.subject)
    assert mail.message_id == "<1@example.org>"
    assert mail.in_reply_to == ("<0@example.org>",)
    assert mail.references == ("<root@example.org>", "<0@example.org>")
    assert mail.date == WHEN
    assert mail.text is not None
    assert without_spacing(mail.text) == without_spacing(what.text)
    (attachment,) = mail.attachments
    assert attachment.data == what.attachments[0].data
