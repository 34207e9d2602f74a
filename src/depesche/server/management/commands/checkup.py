"""`depesche check`: configuration and health, each fault with its remedy. Exit 1 when something is wrong."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from django.utils import timezone

from depesche.mailroom.connections.command import DepescheCommand
from depesche.server.checkup import Level, findings


class Command(DepescheCommand):
    help = "Check configuration and health. Exit code 1 when something is wrong."
    speaks_locale = True

    def handle(self, *args: Any, **options: Any) -> None:
        found = findings(timezone.now())
        for finding in found:
            if self.json:
                self.stdout.write(json.dumps(asdict(finding), ensure_ascii=False))
            else:
                self.stdout.write(f"{finding.level.upper():8} {finding.what}")
                if finding.remedy:
                    self.stdout.write(f"{'':8} {finding.remedy}")
        if any(finding.level is Level.ERROR for finding in found):
            sys.exit(1)
