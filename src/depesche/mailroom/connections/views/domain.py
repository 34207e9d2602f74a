"""The page of the domain: what the name service says, what receivers make of it, and the DKIM keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from depesche.mailformat.addresses import AddressError
from depesche.mailroom.connections import queries
from depesche.mailroom.connections.domain import looking
from depesche.mailroom.connections.domain.advice import Level, Opinion, Record
from depesche.mailroom.connections.domain.texts import FINDINGS, VERDICTS
from depesche.mailroom.connections.signing import actions as signing
from depesche.mailroom.connections.signing.models import DkimKey, KeyState
from depesche.mailroom.connections.views.common import is_htmx
from depesche.mailroom.pages.rights import administrators_only

_FRESH = timedelta(minutes=15)
_KEPT_IN_DNS = timedelta(days=7)  # how long mails may be under way
_TONES = {Level.OK: "ok", Level.HINT: "wait", Level.FAULT: "fail", Level.UNKNOWN: "idle"}
_ICONS = {Level.OK: "ok", Level.HINT: "warn", Level.FAULT: "fail", Level.UNKNOWN: "skip"}
_VERDICT_TONES = {"trusted": "ok", "unproved": "wait", "spam": "fail", "refused": "fail", "unknown": "idle"}
_VERDICT_ICONS = {"trusted": "ok", "unproved": "warn", "spam": "fail", "refused": "fail", "unknown": "skip"}


@dataclass(frozen=True)
class KeyRow:
    """A key as the page shows it."""

    key: DkimKey
    state: str
    label: str
    removable_after: datetime | None


@require_safe
@administrators_only
def domain(request: HttpRequest) -> HttpResponse:
    """What is known; where that is old or nothing, the page asks by itself once it is there."""
    return render(request, "depesche/connections/domain.html", _context())


@require_POST
@administrators_only
def look(request: HttpRequest) -> HttpResponse:
    """Ask the name service now: about the system address's domain and the persons' domains."""
    name = looking.system_domain()
    if name:
        people = [one for one, _count in looking.domains_of_people()]
        looking.look([name, *people], now=timezone.now())
    if is_htmx(request):
        return render(request, "depesche/connections/domain_body.html", _context())
    return redirect("connections:domain")


@require_POST
@administrators_only
def make_keys(request: HttpRequest) -> HttpResponse:
    """A new pair of keys, RSA and Ed25519, for a domain."""
    wanted = request.POST.get("domain", "") or looking.system_domain()
    try:
        made = signing.make_keys(wanted, now=timezone.now(), by=request.user)
    except AddressError:
        messages.error(request, _("Enter a domain as example.org."))
        return redirect("connections:domain")
    text = _("Two keys for %(domain)s were made. Add their records; they sign as soon as these are seen.")
    messages.success(request, text % {"domain": made[0].domain})
    return redirect("connections:domain")


@require_POST
@administrators_only
def change_key(request: HttpRequest, key_id: int) -> HttpResponse:
    """Sign from now on, sign no more, or forget a key."""
    key = DkimKey.objects.filter(pk=key_id).first()
    if key is None:
        raise Http404
    now, name = timezone.now(), {"selector": key.selector}
    if "activate" in request.POST and signing.activate(key_id, now=now, by=request.user):
        messages.success(request, _("Mails are signed with %(selector)s from now on.") % name)
    elif "retire" in request.POST and signing.retire(key_id, now=now, by=request.user):
        messages.success(request, _("%(selector)s signs no more; its private part was erased.") % name)
    elif "remove" in request.POST and signing.remove(key_id, by=request.user):
        messages.success(request, _("%(selector)s was removed.") % name)
    return redirect("connections:domain")


def _context() -> dict[str, Any]:
    found, now = looking.view(), timezone.now()
    advice = found.advice
    return {
        "domain": found.domain,
        "looked_at": found.looked_at,
        "fresh": found.looked_at is not None and now - found.looked_at < _FRESH,
        "findings": [
            {
                "title": FINDINGS[one.code][0],
                "why": FINDINGS[one.code][1],
                "detail": one.detail,
                "tone": _TONES[one.level],
                "icon": _ICONS[one.level],
            }
            for one in (advice.findings if advice else ())
        ],
        "records": [_record(one) for one in (advice.records if advice else ())],
        "system": _opinion(advice.opinion) if advice else None,
        "people": [(_opinion(one), count) for one, count in found.people],
        "sender": queries.outgoing().sender,
        "keys": _keys(now),
    }


def _record(one: Record) -> dict[str, Any]:
    return {
        "purpose": one.purpose.upper(),
        "name": one.name,
        "kind": one.kind,
        "value": one.value,
        "replaces": one.replaces,
        "zone": one.zone,
    }


def _opinion(one: Opinion) -> dict[str, Any]:
    word, why = VERDICTS[one.verdict]
    return {
        "domain": one.domain,
        "verdict": one.verdict.value,
        "word": word,
        "why": why,
        "policy": one.policy,
        "spf": one.spf,
        "dkim": one.dkim,
        "tone": _VERDICT_TONES[one.verdict],
        "icon": _VERDICT_ICONS[one.verdict],
    }


def _keys(now: datetime) -> list[KeyRow]:
    rows = []
    for key in DkimKey.objects.order_by("-pk"):
        gone = key.checked_at is not None and (key.seen_at is None or key.seen_at < key.checked_at)
        state = {KeyState.WAITING: "wait", KeyState.ACTIVE: "ok"}.get(KeyState(key.state), "idle")
        label = str(KeyState(key.state).label)
        if key.state == KeyState.ACTIVE and gone:
            state, label = "fail", _("signs, record missing")
        until = key.retired_at + _KEPT_IN_DNS if key.retired_at else None
        rows.append(KeyRow(key, state, label, until if until and until > now else None))
    return rows
