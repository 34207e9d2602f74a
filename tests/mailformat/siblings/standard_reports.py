"""Reports by RFC 3464 as they arrive: whole, torn, mislabelled, encoded where nothing may be encoded."""

from __future__ import annotations

import base64
import quopri
from collections.abc import Callable, Iterator

from tests.mailformat.siblings.reports import ADDRESSES, CAUSES, MESSAGE_ID, RETURNED, SENDER, Report

_NOTE = "This is the mail system at host mx.kunde.example.\n\nYour message could not be delivered.\n"


def _fields(addresses: tuple[str, ...], code: str, status: str, words: str, action: str) -> str:
    groups = [
        f"Final-Recipient: rfc822; {address}\nOriginal-Recipient: rfc822;{address}\nAction: {action}\n"
        f"Status: {status}\nRemote-MTA: dns; mx.kunde.example\nDiagnostic-Code: smtp; {code} {status} "
        f"<{address}>:\n"
        f"    {words}\n"
        for address in addresses
    ]
    return (
        "Reporting-MTA: dns; mx.firma.example\nArrival-Date: Tue, 3 Mar 2026 10:11:12 +0100\n\n"
        + "\n".join(groups)
    )


def _whole(
    fields: str,
    returned: str,
    *,
    kind: str = "message/delivery-status",
    top: str = "multipart/report; report-type=delivery-status",
    encoding: str = "",
    end: str = "\n--b1--\n",
    note: str = _NOTE,
) -> str:
    return (
        f"Return-Path: <>\nFrom: MAILER-DAEMON@mx.firma.example (Mail Delivery System)\nTo: {SENDER}\n"
        f"Subject: Undelivered Mail Returned to Sender\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n"
        f'Content-Type: {top};\n\tboundary="b1"\n\n--b1\nContent-Type: text/plain; '
        f"charset=us-ascii\n\n{note}\n"
        f"--b1\nContent-Type: {kind}\n{encoding}\n{fields}\n--b1\nContent-Type: message/rfc822\n\n"
        f"{returned}{end}"
    )


def _base64(text: str) -> str:
    return base64.encodebytes(text.encode()).decode()


FORMS: dict[str, Callable[[str, str], str]] = {
    "whole": _whole,
    "crlf": lambda fields, returned: _whole(fields, returned).replace("\n", "\r\n"),
    "cut-off": lambda fields, returned: _whole(fields, returned, end=""),
    "headers-only": lambda fields, returned: _whole(fields, returned.split("\n\n")[0] + "\n").replace(
        "message/rfc822", "text/rfc822-headers"
    ),
    "as-text": lambda fields, returned: _whole(fields, returned, kind="text/plain; charset=us-ascii"),
    "as-octets": lambda fields, returned: _whole(fields, returned, kind="application/octet-stream"),
    "as-nothing": lambda fields, returned: _whole(fields, returned).replace(
        "Content-Type: message/delivery-status\n", ""
    ),
    "mixed": lambda fields, returned: _whole(fields, returned, top="multipart/mixed"),
    "no-type": lambda fields, returned: _whole(fields, returned, top="multipart/report"),
    "base64": lambda fields, returned: _whole(
        _base64(fields), returned, encoding="Content-Transfer-Encoding: base64\n"
    ),
    "quoted-printable": lambda fields, returned: _whole(
        quopri.encodestring(fields.encode()).decode(),
        returned,
        encoding="Content-Transfer-Encoding: quoted-printable\n",
    ),
    "lower-case": lambda fields, returned: _whole(
        "\n".join(
            name.lower() + colon + value
            for name, colon, value in (line.partition(":") for line in fields.split("\n"))
        ),
        returned,
    ),
    "no-gap": lambda fields, returned: _whole(fields.replace("\n\nFinal", "\nFinal"), returned),
    "spaces": lambda fields, returned: _whole(
        fields.replace("rfc822;", "RFC822 ;  ").replace("Action: ", "Action:   "), returned
    ),
    "bracketed": lambda fields, returned: _whole(
        "\n".join(
            line.replace("rfc822; ", "rfc822; <") + ">" if line.startswith("Final-") else line
            for line in fields.split("\n")
        ),
        returned,
    ),
    "global": lambda fields, returned: _whole(fields, returned, kind="message/global-delivery-status"),
    "without-original": lambda fields, returned: _whole(
        "\n".join(line for line in fields.split("\n") if not line.startswith("Original-")), returned
    ),
    "without-note": lambda fields, returned: _whole(fields, returned, note=""),
    "wrapped": lambda fields, returned: (
        "From: relay@firma.example\nReturn-Path: <>\nSubject: Fwd\nMIME-Version: 1.0\nContent-Type: "
        'multipart/mixed; boundary="o"\n'
        f"\n--o\n{_whole(fields, returned).split('MIME-Version: 1.0', 1)[1].lstrip()}\n--o--\n"
    ),
    "in-the-letter": lambda fields, returned: (
        f"Return-Path: <>\nFrom: MAILER-DAEMON@mx.firma.example\nTo: {SENDER}\nSubject: Delivery failure\n\n"
        f"{_NOTE}\n{fields}\n\n{returned}"
    ),
    "attached-signature": lambda fields, returned: _whole(fields, returned).replace(
        "\n--b1--\n", "\n--b1--\n\n--\nScanned by a gateway\n"
    ),
}


def standard_reports() -> Iterator[Report]:
    for form, make in FORMS.items():
        for turn, (code, status, words) in enumerate((*CAUSES[:3], ("451", "4.4.1", "Connection timed out"))):
            action = "delayed" if turn == 3 else "failed"
            for addresses in ADDRESSES:
                returned = RETURNED.format(to=", ".join(addresses))
                raw = make(_fields(addresses, code, status, words, action), returned)
                yield Report(f"{form}-{status}-{len(addresses)}", raw.encode(), addresses, action, status[0])


__all__ = ["MESSAGE_ID", "standard_reports"]
