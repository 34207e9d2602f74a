"""What a workspace may choose, with the words of the interface."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Proof(TextChoices):
    """What establishes the author of an answer. From the strictest on."""

    STRICT = "strict", _("Signed reply address, the person’s own address and the check of your mail server")
    TOKEN = "token", _("Signed reply address and the person’s own address")
    CHECK = "check", _("The person’s own address, with signed reply address or the check of your mail server")
    ADDRESS = "address", _("The person’s own address alone")


class NewItems(TextChoices):
    """What a new item by mail needs from somebody who is known."""

    CHECK = "check", _("The person’s own address and the check of your mail server")
    ADDRESS = "address", _("The person’s own address alone; the item is marked “not verified”")
    HOLD = "hold", _("A decision: each one is held")


class Strangers(TextChoices):
    """What becomes of mails from addresses that nobody here has."""

    REFUSE = "refuse", _("Refuse, with one polite answer a day")
    HOLD = "hold", _("Hold for a decision")
    GUEST = "guest", _("Accept as a guest, who sees only their own mails")
