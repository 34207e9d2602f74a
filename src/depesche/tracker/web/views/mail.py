"""A mail from an item to anybody, its templates, and what was cut from mails that came in."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from depesche.mailroom.connections import queries as connections
from depesche.mailroom.connections import sender_policy, senders
from depesche.mailroom.connections.queries import OutgoingSettings
from depesche.mailroom.outbox.categories import SenderKind
from depesche.mailroom.pages.numbers import whole_number
from depesche.mailroom.pages.rights import administrators_only, signed_in
from depesche.tracker.accounts.models import Person
from depesche.tracker.correspondence import personal_letter, recutting, templates, writing
from depesche.tracker.correspondence.models import MailTemplate
from depesche.tracker.correspondence.personal_letter import Mail
from depesche.tracker.correspondence.writing import Preview
from depesche.tracker.items import queries
from depesche.tracker.items.models import Attachment, Comment, Item
from depesche.tracker.web.forms.mail import MailForm, TemplateForm
from depesche.tracker.web.requests import person_of
from depesche.tracker.web.views.errors import add_refusal


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def mail_from_item(request: HttpRequest, key: str) -> HttpResponseBase:
    """Write a mail; `act=preview` shows what goes out, everything else sends it on its way."""
    person = person_of(request)
    item = queries.readable_item(person, key)
    if item is None:
        raise Http404
    files = list(Attachment.objects.filter(item=item).defer("data").order_by("id"))
    if request.method != "POST":
        return _page(request, item, MailForm(initial=_initial(request, item, person), attachments=files))
    form = MailForm(request.POST, request.FILES, attachments=files)
    if form.is_valid():
        mail = _mail(form)
        try:
            if request.POST.get("act") == "preview":
                return _page(request, item, form, shown=writing.preview(item, person, mail), mail=mail)
            comment = writing.write(item, person, mail, now=timezone.now())
        except ValidationError as refusal:
            add_refusal(form, refusal)
        else:
            count = len(mail.to) + len(mail.cc)
            said = ngettext(
                "The mail is on its way to %(number)d recipient.",
                "The mail is on its way to %(number)d recipients.",
                count,
            )
            messages.success(request, said % {"number": count})
            return redirect(reverse("web:item", args=[item.key]) + f"#comment-{comment.pk}")
    if request.POST.get("act") == "preview" and request.headers.get("HX-Request") == "true":
        return render(request, "web/mail_preview.html", {"faults": form.errors.values()})
    return _page(request, item, form, status=422)


def _mail(form: MailForm) -> Mail:
    data = form.cleaned_data
    return Mail(
        to=data["to"],
        cc=data["cc"],
        subject=data["subject"],
        text=data["text"],
        language=data["language"],
        details=data["details"],
        quote=data["quote"],
        attachments=data.get("attachments", ()),
        files=data["uploads"],
    )


def _initial(request: HttpRequest, item: Item, person: Person) -> dict[str, Any]:
    """What the form begins with: a template, or the one whose mail is answered."""
    initial: dict[str, Any] = {
        "subject": personal_letter.subject_for(item),
        "language": person.language,
        "to": request.GET.get("to", "")[:1000],
    }
    answered = whole_number(request.GET.get("answer", "")) or 0
    comment = Comment.objects.select_related("author").filter(item=item, pk=answered).first()
    writer = comment.author if comment is not None else item.author if answered == 0 else None
    if writer is not None and "answer" in request.GET:
        initial |= {"to": writer.email, "language": writer.language, "quote": True}
        initial["subject"] = f"Re: {initial['subject']}"[:250]
    template = templates.find(whole_number(request.GET.get("template", "")) or 0)
    if template is not None:
        subject, text = personal_letter.filled(template, item, person)
        initial |= {"subject": subject, "text": text, "language": template.language}
    return initial


def _page(
    request: HttpRequest,
    item: Item,
    form: MailForm,
    *,
    shown: Preview | None = None,
    mail: Mail | None = None,
    status: int = 200,
) -> HttpResponseBase:
    outgoing, person = connections.outgoing(), person_of(request)
    context = {
        "item": item,
        "form": form,
        "preview": shown,
        "mail": mail,
        "outgoing": outgoing,
        "sender": _sender(outgoing, item, person),
        "answers_reach_us": connections.answers_reach_us(),
        "templates": templates.everything(),
        "template": request.GET.get("template", ""),
        "had_files": bool(mail and mail.files),
    }
    if request.headers.get("HX-Request") == "true" and shown is not None:
        return render(request, "web/mail_preview.html", context)
    return render(request, "web/mail.html", context, status=status)


def _sender(outgoing: OutgoingSettings, item: Item, person: Person) -> str:
    """From whom the mail will be; "" while no address is set up."""
    facts = senders.facts_for(outgoing)
    try:
        decided = sender_policy.from_for(
            outgoing,
            sender=SenderKind.USER,
            author_name=person.name,
            author_address=person.email,
            own=(facts.identities or {}).get(item.workspace.key),
            refused=facts.refused,
        )
    except sender_policy.NoSystemAddress:
        return ""
    return str(decided.author)


# --- templates ----------------------------------------------------------------------------------------------


@require_safe
@administrators_only
def mail_templates(request: HttpRequest) -> HttpResponseBase:
    return render(request, "web/mail_templates.html", {"templates": templates.everything()})


@require_http_methods(["GET", "HEAD", "POST"])
@administrators_only
def mail_template(request: HttpRequest, template_id: int | None = None) -> HttpResponseBase:
    """A new template, or one that is there."""
    found = templates.find(template_id) if template_id is not None else None
    if template_id is not None and found is None:
        raise Http404
    initial = {"language": person_of(request).language} if found is None else _values(found)
    form = TemplateForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            templates.save(found, **form.cleaned_data)
        except ValidationError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Saved."))
            return redirect("web:mail-templates")
    return render(request, "web/mail_template.html", {"form": form, "template": found})


def _values(template: MailTemplate) -> dict[str, str]:
    return {name: getattr(template, name) for name in ("name", "language", "subject", "text")}


@require_POST
@administrators_only
def delete_mail_template(request: HttpRequest, template_id: int) -> HttpResponseBase:
    templates.delete(template_id)
    messages.success(request, _("The template is deleted."))
    return redirect("web:mail-templates")


# --- what was cut -------------------------------------------------------------------------------------------


@require_POST
@signed_in
def recut(request: HttpRequest, key: str, comment_id: int) -> HttpResponseBase:
    """“Cut wrongly”: show the whole mail; `act=cut`: as it was cut."""
    person = person_of(request)
    item = queries.readable_item(person, key)
    comment = Comment.objects.select_related("item__workspace").filter(item=item, pk=comment_id).first()
    if item is None or comment is None:
        raise Http404
    change = recutting.cut_again if request.POST.get("act") == "cut" else recutting.restore
    try:
        change(comment, by=person, now=timezone.now())
    except ValidationError as refusal:
        for text in refusal.messages:
            messages.error(request, text)
    return redirect(reverse("web:item", args=[item.key]) + f"#comment-{comment.pk}")
