"""Asks the libraries beside us, in an environment of their own."""

from __future__ import annotations

import base64
import json
import subprocess
import venv
from pathlib import Path
from typing import Any

from depesche.mailformat.parse import parse

HERE = Path(__file__).resolve().parent
LIBRARIES = ("email-reply-parser", "mail-parser-reply", "talon", "flufl.bounce")
#: case id -> library -> what it answered
Answers = dict[str, dict[str, dict[str, Any]]]


def _environment() -> tuple[Path, str]:
    """The interpreter with the libraries that can be installed here, and their versions."""
    folder = HERE / ".peers" / "reading"
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        for library in LIBRARIES:  # one by one: one that cannot be built leaves the others
            subprocess.run([python, "-m", "pip", "install", "--quiet", library], check=False)
    ask = (
        "from importlib.metadata import version\n"
        f"for name in {LIBRARIES!r}:\n"
        "    try: print(name, version(name), end='; ')\n"
        "    except Exception: print(name, 'could not be installed', end='; ')\n"
    )
    found = subprocess.run([python, "-c", ask], check=True, stdout=subprocess.PIPE, text=True).stdout
    return python, found.strip("; ")


def ask_peers(folder: Path, cases: list[dict[str, Any]]) -> tuple[Answers, str]:
    """What they answer to the same mails: the text as we decoded it, or the raw mail."""
    python, versions = _environment()
    lines = []
    for case in cases:
        raw = (folder / case["file"]).read_bytes()
        mail = parse(raw)
        lines.append(
            json.dumps(
                {
                    "name": case["id"],
                    "kind": case["kind"],
                    "text": mail.text or "",
                    "html": mail.html or "",
                    "raw": base64.b64encode(raw).decode(),
                }
            )
        )
    ran = subprocess.run(
        [python, HERE / "peers" / "reading_run.py"],
        input="\n".join(lines) + "\n",
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    answers: Answers = {}
    for line in ran.stdout.splitlines():
        answer = json.loads(line)
        answers.setdefault(answer["name"], {})[answer["library"]] = answer
    return answers, versions
