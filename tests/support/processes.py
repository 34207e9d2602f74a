"""Real processes of the product: start, watch, stop, kill."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.support.waiting import PATIENCE, wait_until

ROOT = Path(__file__).resolve().parents[2]
DEPESCHE = Path(sys.executable).parent / "depesche"


class Program:
    """A running command with its output in a file, in a process group of its own. A context manager."""

    def __init__(
        self,
        command: Sequence[str | Path],
        output: Path,
        *,
        environment: Mapping[str, str] | None = None,
        umask: int = -1,
    ) -> None:
        self.command = [str(word) for word in command]
        self.output_path = output
        with output.open("ab") as file:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=None if environment is None else dict(environment),
                start_new_session=True,
                umask=umask,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def output(self) -> str:
        """Everything that was written so far, both streams."""
        return self.output_path.read_text(encoding="utf-8", errors="replace")

    def wait_for_output(self, pattern: str, *, timeout: float = PATIENCE) -> re.Match[str]:
        """The first match of a regular expression in the output; fails once the process ended without."""

        def look() -> re.Match[str] | None:
            over = not self.running
            found = re.search(pattern, self.output())
            if found is None and over:
                raise AssertionError(
                    f"{self.command} ended with {self.process.returncode} and without {pattern!r}:\n"
                    f"{self.output()}"
                )
            return found

        try:
            found = wait_until(look, f"{pattern!r} from {self.command}", timeout=timeout)
        except AssertionError as failure:
            raise AssertionError(f"{failure}\n{self.output()}") from None
        assert found is not None
        return found

    def wait(self, *, timeout: float = PATIENCE) -> int:
        """The exit status; below zero the signal that ended it, as in subprocess."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"{self.command} did not end within {timeout:g} s:\n{self.output()}"
            ) from None

    def interrupt(self) -> None:
        """What Ctrl-C does."""
        self._signal(signal.SIGINT)

    def terminate(self, *, timeout: float = PATIENCE) -> int:
        """Ask it to end (SIGTERM to the main process) and wait for it."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        return self.wait(timeout=timeout)

    def kill(self) -> None:
        """kill -9 for it and its children, and wait until it is gone."""
        self._signal(signal.SIGKILL)
        self.process.wait(PATIENCE)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def __enter__(self) -> Program:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()


def state_of_group(group: int) -> str:
    """What each process of a process group is doing, from /proc, for the words of a failure."""
    described = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            status = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(status[2]) != group:
                continue
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            described.append(f"{folder.name} (child of {status[1]}) {status[0]}: {command}")
            for name in ("wchan", "syscall", "stack"):
                with contextlib.suppress(OSError):
                    described.append(f"  {name}: " + (folder / name).read_text().strip().replace("\n", " "))
            files = {file.name: os.readlink(file) for file in (folder / "fd").iterdir()}
            described.append(
                "  files: " + ", ".join(f"{number} {target}" for number, target in files.items())
            )
    return "\n".join(described) or f"no process is left in group {group}"


class Instance:
    """An installation of Depesche of its own: a home, a database, and the commands on it.

    `database_url` empty means SQLite in the home. Nothing is created before `run("init")` or `run("demo")`.
    """

    def __init__(self, home: Path, *, database_url: str = "", base_url: str = "") -> None:
        self.home = home
        self.database_url = database_url
        self.environment = {
            key: value for key, value in os.environ.items() if not key.startswith(("DEPESCHE_", "DJANGO_"))
        }
        self.environment["DEPESCHE_HOME"] = str(home)
        self.environment["PYTHONUNBUFFERED"] = "1"
        self.environment["LC_ALL"] = "C.UTF-8"  # the language of whoever runs the tests is none of theirs
        if database_url:
            self.environment["DEPESCHE_DATABASE_URL"] = database_url
        if base_url:
            self.environment["DEPESCHE_BASE_URL"] = base_url
        self._programs: list[Program] = []

    def run(
        self, *arguments: str | Path, stdin: str | bytes = "", status: int | None = 0, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run `depesche …` to its end; fails with its words unless it exits with `status` (None: any)."""
        octets = stdin.encode() if isinstance(stdin, str) else stdin
        command = [str(DEPESCHE), *map(str, arguments)]
        raw = subprocess.run(
            command, input=octets, capture_output=True, env=self.environment, timeout=timeout, check=False
        )
        done = subprocess.CompletedProcess(
            command,
            raw.returncode,
            raw.stdout.decode("utf-8", "replace"),
            raw.stderr.decode("utf-8", "replace"),
        )
        if status is not None and done.returncode != status:
            raise AssertionError(
                f"{command} ended with {done.returncode}, not {status}\n{done.stdout}\n{done.stderr}"
            )
        return done

    def json(self, *arguments: str | Path, stdin: str | bytes = "") -> Any:
        """What a command prints with --json, read; a list where it prints an object a line."""
        text = self.run(*arguments, "--json", stdin=stdin).stdout.strip()
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            return [json.loads(line) for line in text.splitlines() if line]

    def json_lines(self, *arguments: str | Path, stdin: str | bytes = "") -> list[Any]:
        """What a command prints with --json as one object a line."""
        text = self.run(*arguments, "--json", stdin=stdin).stdout
        return [json.loads(line) for line in text.splitlines() if line]

    def start(self, *arguments: str | Path) -> Program:
        """Start `depesche …` in the background; `stop_all` (or the fixture) ends it."""
        self.home.mkdir(parents=True, exist_ok=True)
        name = f"output-{len(self._programs)}.log"
        program = Program([DEPESCHE, *arguments], self.home / name, environment=self.environment)
        self._programs.append(program)
        return program

    def stop_all(self) -> None:
        """Kill what `start` started and is still running."""
        for program in self._programs:
            program.kill()
