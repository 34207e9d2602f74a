"""What our own mails say to programs: not to answer, and that they are ours. Pure."""

from __future__ import annotations

from typing import Final

from depesche.mailformat.addresses import Address

# Exchange heeds this rather than RFC 3834. Not NDR among them: reports of failures are wanted.
_SUPPRESS: Final = "DR, RN, NRN, OOF, AutoReply"


def of(system: Address | None) -> tuple[tuple[str, str], ...]:
    """Header fields of every mail that the tracker writes by itself, beside Auto-Submitted."""
    fields = (("X-Auto-Response-Suppress", _SUPPRESS),)
    return fields if system is None else (*fields, ("X-Loop", system.addr_spec))
