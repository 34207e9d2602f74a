"""The advice about a domain as other programs see it: `domain check` and the REST interface say the same."""

from __future__ import annotations

from dataclasses import asdict

from depesche.mailroom.connections.domain.advice import Advice
from depesche.mailroom.connections.domain.texts import FINDINGS


def advice_shown(made: Advice) -> dict[str, object]:
    return {
        "domain": made.domain,
        "opinion": asdict(made.opinion),
        "findings": [
            {
                **asdict(one),
                "title": str(FINDINGS[one.code][0]),
                "why": str(FINDINGS[one.code][1]),
            }
            for one in made.findings
        ],
        "records": [{**asdict(one), "zone": one.zone} for one in made.records],
    }
