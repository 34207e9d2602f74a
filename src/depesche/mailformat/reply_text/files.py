"""Which files of a mail belong to what was written now.

The pictures of a signature and of the quoted mail come along with every answer. They are those that the
letter shows (by `cid:`) only where it was cut. Cryptographic signatures are no files for a reader either.
"""

from __future__ import annotations

from depesche.mailformat.parse import MailAttachment, ParsedMail

_SIGNATURES = frozenset(
    {
        "application/pgp-signature",
        "application/pgp-keys",
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
    }
)


def files_of_answer(mail: ParsedMail, new_text: str, new_html_text: str) -> tuple[MailAttachment, ...]:
    """The attachments without the pictures that are shown in the cut part alone, in the order of the mail.

    `new_text` is what is new in the letter, `new_html_text` the same read from its HTML (where the places of
    pictures are certain); a picture that is shown nowhere is a file like any other.
    """
    shown = (mail.html or "") + (mail.text or "")
    kept: list[MailAttachment] = []
    for file in mail.attachments:
        if file.content_type in _SIGNATURES:
            continue
        identity = file.content_id
        if (
            not file.content_type.startswith("image/")
            or not identity
            or f"cid:{identity}" not in shown
            or f"cid:{identity}" in new_text
            or f"cid:{identity}" in new_html_text
        ):
            kept.append(file)
    return tuple(kept)
