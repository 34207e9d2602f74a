"""The later steps of a test: senders, recipient, content, arrival.

One mail is submitted, or two. The test mail comes From the system address. The other comes From the address
of the person who tests, since many servers judge that header only once they have the content; it goes to the
mailbox of the system address, which no person reads, or else to that person's own address. It is left out
where the answer to the envelope tells enough.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from depesche.mailroom.connections.choices import PlusAddressing, Sender
from depesche.mailroom.connections.diagnosis import arrival
from depesche.mailroom.connections.diagnosis.content import mail_from_user as mail_of_user
from depesche.mailroom.connections.diagnosis.content import test_mail
from depesche.mailroom.connections.diagnosis.course import Course, Stopped, meaning_of, name_of, short
from depesche.mailroom.connections.diagnosis.plan import tagged_sender
from depesche.mailroom.connections.diagnosis.replies import ABOUT_SENDER, refusal_of
from depesche.mailroom.connections.diagnosis.steps import Cause, Outcome, Step, StepName, skipped
from depesche.smtpclient.errors import Stage, SubmissionError
from depesche.smtpclient.reply import Reply
from depesche.smtpclient.transaction import Envelope, RecipientResult
from depesche.smtpclient.transaction import Outcome as Fate


async def mail_from_system(course: Course) -> Step:
    address = course.plan.settings.system_address
    reply = await _ask_sender(course, address)
    if reply.positive:
        takes = await _takes_tags(course)
        fact = _accepted(address)
        if takes is not None:
            fact += ". " + (
                _("Also with a tag, so that reports find their mail.")
                if takes
                else _("Not with a tag: reports are told apart by Message-ID alone.")
            )
        return Step(StepName.MAIL_FROM_SYSTEM, Outcome.OK, fact=fact, takes_tags=takes)
    cause = course.refused(Stage.MAIL, reply, address)
    fact = _refused(address, reply)
    raise Stopped(Step(StepName.MAIL_FROM_SYSTEM, Outcome.FAILED, fact=fact, cause=cause))


async def _takes_tags(course: Course) -> bool | None:
    """Whether the server takes the system address with a tag as a sender; None where no report with a tag
    would arrive, or the line was lost by asking."""
    incoming, system = course.plan.incoming, course.plan.settings.system_address
    tagged = tagged_sender(system) if incoming is not None and incoming.configured else ""
    if not tagged or incoming is None or incoming.plus_addressing == PlusAddressing.OFF or course.cut():
        return None
    return (await _ask_sender(course, tagged)).positive


async def mail_from_user(course: Course) -> Step:
    """What the server has against a mail From a person: in the envelope, and in the header."""
    name, address = StepName.MAIL_FROM_USER, course.plan.user_address
    if course.cut():
        return skipped(name)
    if not address:
        return skipped(name, _("No address of a person is known."))
    if address.lower() == course.plan.settings.system_address.lower():
        return skipped(name, _("It is the system address."))
    reply = await _ask_sender(course, address)
    if course.cut():
        return skipped(name)
    if _told_by(reply) and course.plan.settings.sender != Sender.USER:
        return _judged(course, address, reply, None, "")
    recipient = await _reader_of_second_mail(course)
    if not recipient:  # the recipient's own step says why
        return _judged(course, address, reply, None, "")
    return _judged(course, address, reply, await _offer(course, recipient), recipient)


def no_mail_passes() -> str:
    """The fact where the server says the same to a mail From the system address."""
    return _("Not to be told: the server takes no mail at all, whoever it is From.")


async def _ask_sender(course: Course, address: str) -> Reply:
    """What the server has against this sender: some say it at MAIL, Postfix only at RCPT."""
    session = course.session
    reply = await session.try_sender(address)
    if reply.positive:
        try:
            later = await session.try_recipient(course.plan.to)
        except SubmissionError as error:
            course.lost = error  # what happens to the recipient belongs to the recipient's step
            return reply
        if not later.positive and refusal_of(Stage.RCPT, later) in ABOUT_SENDER:
            reply = later
    await session.rset()
    return reply


def _told_by(envelope: Reply) -> bool:
    """Whether this answer says by itself that the server wants nobody but us as sender."""
    return not envelope.positive and refusal_of(Stage.MAIL, envelope) in ABOUT_SENDER


async def _reader_of_second_mail(course: Course) -> str:
    """Who gets the mail From the person: nobody else than the tracker itself, or that person; where sender
    is "User", so that mails From persons do go out, at least whoever gets the test mail."""
    plan = course.plan
    candidates = [plan.settings.system_address] if plan.arrival is not None else []
    candidates.append(plan.user_address)
    if plan.settings.sender == Sender.USER:
        candidates.append(plan.to)
    session = course.session
    await session.try_sender(plan.settings.system_address)
    found = ""
    for address in dict.fromkeys(candidates):
        if (await session.try_recipient(address)).positive:
            found = address
            break
    await session.rset()
    return found


async def _offer(course: Course, recipient: str) -> RecipientResult | SubmissionError:
    """A whole mail From the person, as it would go out at run time: its return path is the system address."""
    session, plan = course.session, course.plan
    mail = mail_of_user(plan, recipient=recipient, now=timezone.now())
    session.ready()
    try:
        result = await session.submit(Envelope(plan.settings.system_address, (recipient,)), mail)
    except SubmissionError as error:
        result_or_error: RecipientResult | SubmissionError = error
    else:
        result_or_error = result.recipients[0]
    session.pause()
    if session.error is not None:
        await course.reopen()
    else:
        await session.rset()  # Postfix leaves a transaction open whose DATA it refused
    return result_or_error


def _judged(
    course: Course,
    address: str,
    envelope: Reply,
    offered: RecipientResult | SubmissionError | None,
    recipient: str,
) -> Step:
    name, users = StepName.MAIL_FROM_USER, course.plan.settings.sender == Sender.USER
    accepted = isinstance(offered, RecipientResult) and offered.outcome is Fate.ACCEPTED
    if envelope.positive and (accepted or offered is None):
        fact = _accepted(address)
        if accepted:
            fact = _("%(address)s is accepted, in the From of a whole mail too (to %(recipient)s)")
            fact %= {"address": address, "recipient": recipient}
        return Step(name, Outcome.OK, fact=fact)
    if accepted:
        # Our return path is the system address whoever wrote: mails From the person do get through.
        cause = course.refused(Stage.MAIL, envelope, address)
        remedy = _("This does no harm: a whole mail From that address was accepted, as Depesche submits it.")
        fact, cause = _refused(address, envelope), replace(cause, remedy=remedy, change=None)
        return Step(name, Outcome.HINT, fact=fact, cause=cause, refused=True)
    if offered is None:
        cause, fact = course.refused(Stage.MAIL, envelope, address), _refused(address, envelope)
    elif isinstance(offered, SubmissionError):
        cause, fact = course.cause_of(offered), short(offered.reply) or offered.detail[:300]
        course.undecided = True
    else:
        cause, fact = course.cause_of_result(offered, address), _refused(address, offered.reply)
        about_sender = offered.reply is not None and meaning_of(offered.stage, offered.reply) in ABOUT_SENDER
        course.undecided = not about_sender
    return _failed(fact, cause, users=users)


def _failed(fact: str, cause: Cause, *, users: bool) -> Step:
    name = StepName.MAIL_FROM_USER
    if users:
        remedy = _("Set the sender address to System. Answers still reach the item.")
        cause = replace(cause, remedy=remedy, change={"sender": Sender.SYSTEM.value})
        return Step(name, Outcome.FAILED, fact=fact, cause=cause, refused=True)
    remedy = _("With “Sender address: System”, as chosen now, this does no harm.")
    return Step(name, Outcome.HINT, fact=fact, cause=replace(cause, remedy=remedy, change=None), refused=True)


async def recipient(course: Course) -> Step:
    session, plan, address = course.session, course.plan, course.plan.to
    if course.lost is not None:
        raise course.lost
    if not address.rpartition("@")[0].isascii() and not session.capabilities.smtputf8:
        cause = course.explain("needs-smtputf8", address=address)
        raise Stopped(Step(StepName.RECIPIENT, Outcome.FAILED, fact=address, cause=cause))
    await session.try_sender(plan.settings.system_address)
    reply = await session.try_recipient(address)
    if reply.positive and course.watches_arrival:
        system = await session.try_recipient(plan.settings.system_address)
        course.system_refused = None if system.positive else system
        if plan.tagged_address:
            course.tags_taken = (await session.try_recipient(plan.tagged_address)).positive
    await session.rset()
    if reply.positive:
        return Step(StepName.RECIPIENT, Outcome.OK, fact=_accepted(address))
    cause = course.refused(Stage.RCPT, reply, address)
    fact = _refused(address, reply)
    raise Stopped(Step(StepName.RECIPIENT, Outcome.FAILED, fact=fact, cause=cause))


async def content(course: Course) -> Step:
    system = course.plan.settings.system_address
    recipients = [course.plan.to]
    if course.watches_arrival and course.system_refused is None:
        recipients.append(system)
        if course.tags_taken:
            recipients.append(course.plan.tagged_address)
    mail = test_mail(course.plan, now=timezone.now())
    course.session.ready()
    result = await course.session.submit(Envelope(system, tuple(recipients)), mail)
    first = result.recipients[0]
    if first.outcome is Fate.ACCEPTED:
        return Step(StepName.CONTENT, Outcome.OK, fact=short(first.reply))
    cause = course.cause_of_result(first, system)
    raise Stopped(Step(StepName.CONTENT, Outcome.FAILED, fact=short(first.reply), cause=cause))


async def arrival_step(course: Course) -> Step:
    plan, name, mailbox = course.plan, StepName.ARRIVAL, course.plan.arrival
    if mailbox is None:
        return skipped(name, plan.no_arrival)
    address = plan.settings.system_address
    if course.system_refused is not None:
        fact = _refused(address, course.system_refused)
        cause = course.explain("mailbox-not-addressed", address=address)
        return Step(name, Outcome.FAILED, fact=fact, cause=cause)
    found = arrival.Arrival()

    def look(config: Any) -> None:
        nonlocal found
        found = arrival.wait_for(
            config,
            plan.message_id,
            tagged=plan.tagged_address if course.tags_taken else "",
            seconds=plan.seconds,
            stop=course.stop,
        )

    problem = await course.in_mailbox(mailbox, look)
    if problem:
        cause = course.explain("mailbox-unreachable", detail=problem)
        return Step(name, Outcome.FAILED, fact=name_of(mailbox), cause=cause)
    if found.arrived:
        fact = _("Found in %(mailbox)s") % {"mailbox": name_of(mailbox)}
        if found.tagged:
            fact += ". " + _("Addresses with a tag arrive too")
        return Step(name, Outcome.OK, fact=fact, proves_tags=found.tagged)
    cause = course.explain("not-arrived", address=address)
    return Step(name, Outcome.FAILED, fact=name_of(mailbox), cause=cause)


def _accepted(address: str) -> str:
    return _("%(address)s is accepted") % {"address": address}


def _refused(address: str, reply: Reply | None) -> str:
    return _("%(address)s is refused: %(reply)s") % {"address": address, "reply": short(reply)}
