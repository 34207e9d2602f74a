"""One reading of one raw mail, without any effect: what it is, what is new in it, what it reports."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

from depesche.mailformat.classify import Kind, classify
from depesche.mailformat.delivery_report import (
    FeedbackReport,
    RecipientReport,
    delivery_reports,
    feedback_report,
)
from depesche.mailformat.parse import Limits, MailAttachment, ParsedMail, parse
from depesche.mailformat.reply_text import answer_files, reply_text


@dataclass(frozen=True, slots=True)
class Reading:
    """What a mail says. `text` and `cut` together hold the whole body."""

    kind: Kind
    reason: str
    text: str
    cut: str
    reports: tuple[RecipientReport, ...]
    complaint: FeedbackReport | None
    defects: tuple[str, ...]
    mail: ParsedMail
    #: The files that belong to `text`: without the pictures of signature and quoted mail.
    attachments: tuple[MailAttachment, ...] = ()

    def as_json(self) -> dict[str, object]:
        """The fields of `depesche inbox parse`, ready for json.dumps."""
        return {
            "kind": self.kind.value,
            "reason": self.reason,
            "text": self.text,
            "cut": self.cut,
            "reports": [
                {
                    "recipient": report.recipient,
                    "action": report.action.value,
                    "status": report.status,
                    "diagnostic": report.diagnostic,
                }
                for report in self.reports
            ],
            "defects": list(self.defects),
        }


def read(
    raw: bytes,
    *,
    limits: Limits = Limits(),  # noqa: B008 - a frozen value
    known_texts: Sequence[str] = (),
    own_message_ids: Container[str] = (),
) -> Reading:
    """Read any octets. Never raises; linear in their number."""
    mail = parse(raw, limits=limits)
    reports = delivery_reports(mail)
    complaint = feedback_report(mail)
    classified = classify(mail, own_message_ids=own_message_ids, is_report=bool(reports))
    answer = reply_text(mail, known_texts=known_texts)
    return Reading(
        kind=classified.kind,
        reason=classified.reason,
        text=answer.text,
        cut=answer.cut,
        reports=reports,
        complaint=complaint,
        defects=mail.defects,
        mail=mail,
        attachments=answer_files(mail, answer),
    )
