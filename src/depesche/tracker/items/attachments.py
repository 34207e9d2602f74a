"""Files as they come in, from a form or a mail: what is taken, and under which name. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from depesche.mailformat.characters import clean_name

MAX_COUNT: Final = 20  # files at once
MAX_SIZE: Final = 20 * 1024 * 1024  # octets of one file
MAX_TOTAL: Final = 25 * 1024 * 1024  # octets at once

_TYPE: Final = re.compile(r"[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,60}")
_UNSAFE: Final = re.compile(r'[/\\:*?"<>|\x00-\x1f]+')


@dataclass(frozen=True)
class NewAttachment:
    """A file that somebody adds. `content_id` without angle brackets, for pictures inside a mail's HTML."""

    filename: str
    content_type: str
    data: bytes = field(repr=False)
    content_id: str = ""


def safe_filename(filename: str) -> str:
    """A name that is one line, has no folder in it, and fits; "file" when nothing is left."""
    name = clean_name(filename.replace("\\", "/").rpartition("/")[2])
    name = _UNSAFE.sub("_", name).strip(" .")
    stem, dot, ending = name.rpartition(".")
    if len(name) > 200:
        name = f"{stem[:180]}{dot}{ending[:19]}" if dot and len(ending) < 20 else name[:200]
    return name or "file"


def safe_content_type(content_type: str) -> str:
    """The media type, without parameters; application/octet-stream for what is none."""
    essence = content_type.partition(";")[0].strip().lower()
    return essence if _TYPE.fullmatch(essence) else "application/octet-stream"


def check(files: Sequence[NewAttachment]) -> None:
    """Raises ValidationError when they are too many or too large, in one sentence."""
    if len(files) > MAX_COUNT:
        raise ValidationError(
            {
                "attachments": ngettext(
                    "At most %(number)d file at once.", "At most %(number)d files at once.", MAX_COUNT
                )
                % {"number": MAX_COUNT}
            }
        )
    for file in files:
        if len(file.data) > MAX_SIZE:
            raise ValidationError(
                {
                    "attachments": _("%(name)s is larger than %(megabytes)d MB.")
                    % {"name": safe_filename(file.filename), "megabytes": MAX_SIZE // 1024 // 1024}
                }
            )
    if sum(len(file.data) for file in files) > MAX_TOTAL:
        raise ValidationError(
            {
                "attachments": _("The files are larger than %(megabytes)d MB together.")
                % {"megabytes": MAX_TOTAL // 1024 // 1024}
            }
        )
