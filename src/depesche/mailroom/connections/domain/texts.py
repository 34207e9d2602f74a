"""What is said about each finding and each verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

FINDINGS: dict[str, tuple[StrPromise | str, StrPromise | str]] = {
    "domain-missing": (
        _("The name service does not know this domain"),
        _(
            "Many receivers refuse mails from such a domain, and nobody can answer. If the domain exists, "
            "the name servers of this machine are cut off from the internet."
        ),
    ),
    "spf-fine": (
        _("SPF says who may write for this domain"),
        _("Your mail server has to be among them; its operator knows what has to stand in the record."),
    ),
    "spf-missing": (
        _("There is no SPF record"),
        _("Receivers cannot see which servers may write for this domain. Many take such mails for spam."),
    ),
    "spf-several": (
        _("There are several SPF records"),
        _("Only one may be there: several are an error (RFC 7208) and count as none. Join them."),
    ),
    "spf-too-many": (
        _("The SPF record asks too much"),
        _("It costs a receiver more than ten look-ups; then it is an error and counts as none."),
    ),
    "spf-everybody": (
        _("The SPF record permits everybody"),
        _("“+all” proves nothing, and receivers know it. End it with “~all” or “-all”."),
    ),
    "spf-neutral": (
        _("The SPF record says nothing of all others"),
        _("End it with “~all” or “-all”, so that it proves something."),
    ),
    "spf-nobody": (
        _("By its SPF record this domain writes to nobody"),
        _("Receivers refuse what comes from it. Name your mail server in the record."),
    ),
    "spf-unknown": (_("SPF could not be looked up"), _("No name server answered.")),
    "dmarc-none": (
        _("DMARC watches, and asks for nothing"),
        _("Mails that nothing proves are treated like others. That is right to begin with."),
    ),
    "dmarc-quarantine": (
        _("DMARC sends what nothing proves to the spam folders"),
        _("So the proof has to be right: SPF for the mail server, or a DKIM signature of this domain."),
    ),
    "dmarc-reject": (
        _("DMARC has what nothing proves refused"),
        _("So the proof has to be right: SPF for the mail server, or a DKIM signature of this domain."),
    ),
    "dmarc-missing": (
        _("There is no DMARC record"),
        _("Large providers ask for one of whoever writes to many (p=none will do)."),
    ),
    "dmarc-several": (
        _("There are several DMARC records"),
        _("Only one may be there; several count as none."),
    ),
    "dmarc-broken": (
        _("The DMARC record cannot be read"),
        _("It needs p=none, p=quarantine or p=reject."),
    ),
    "dmarc-unknown": (_("DMARC could not be looked up"), _("No name server answered.")),
    "dkim-off": (
        _("Depesche signs nothing"),
        _("Your mail server may do so; if it does not, make keys below."),
    ),
    "dkim-waiting": (
        _("A DKIM key waits for its record"),
        _("Add the record below. The key signs by itself once it is seen, at the latest five minutes later."),
    ),
    "dkim-fine": (_("Depesche signs, and the record is there"), _("Each mail carries the proof with it.")),
    "dkim-gone": (
        _("Depesche signs with a key that nobody can look up"),
        _("Put the record back, or retire the key: a signature that fails is worse than none."),
    ),
    "dkim-unknown": (_("The DKIM record could not be looked up"), _("No name server answered.")),
    "mx-fine": (_("Mails to this domain arrive somewhere"), _("Answers and reports go to these servers.")),
    "mx-address": (
        _("There is no MX record, but an address"),
        _("Receivers then deliver to that address. An MX record says so expressly."),
    ),
    "mx-missing": (
        _("Nobody takes mails for this domain"),
        _("Answers and reports cannot come back, and some receivers refuse mails from such a domain."),
    ),
    "mx-none-wanted": (
        _("This domain says that it takes no mail"),
        _("A null MX (RFC 7505): answers and reports cannot come back, and some receivers refuse its mails."),
    ),
    "mx-unknown": (_("MX could not be looked up"), _("No name server answered.")),
}

VERDICTS: dict[str, tuple[StrPromise | str, StrPromise | str]] = {
    "trusted": (
        _("taken, proved"),
        _("The domain in From stands for the mail, by SPF or by DKIM."),
    ),
    "unproved": (
        _("taken, without proof"),
        _("Nothing proves the sender, and the domain does not ask for it. Receivers go by other signs."),
    ),
    "spam": (
        _("into the spam folder"),
        _("The domain asks receivers to do so with mails that nothing proves (DMARC p=quarantine)."),
    ),
    "refused": (
        _("refused by receivers"),
        _("The domain asks receivers to do so with mails that nothing proves (DMARC p=reject)."),
    ),
    "unknown": (_("not known"), _("No name server answered.")),
}
