"""Set up everything and start a command: what `make` calls. Needs nothing but the standard library.

    bootstrap.py setup          the virtual environment `.venv`: locked dependencies and the product
    bootstrap.py run COMMAND …  the same, then the command from the environment, in place of this process
    bootstrap.py dev COMMAND …  the same with what tests, checks and benchmarks need on top

What was installed is remembered by the hash of the lock, so that a second call costs a few milliseconds.
Where this Python comes without `venv` (bare Debian), `virtualenv` is put into a folder of its own by pip and
makes the environment instead.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / ".depesche-setup.json"
FALLBACK = ROOT / ".venv-bootstrap"
OLDEST = (3, 11)
NAMES = ("python3", "python3.13", "python3.12", "python3.11", "python3.14", "python")
PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input")


def stop(sentence: str) -> NoReturn:
    """End with one sentence for a person to act on."""
    print(f"Depesche: {sentence}", file=sys.stderr)
    raise SystemExit(1)


def say(sentence: str) -> None:
    """Tell what happens now."""
    print(f"Depesche: {sentence}", flush=True)


def probe(executable: str) -> tuple[str, tuple[int, int]] | None:
    """The real path and the version of an interpreter; None when it does not run."""
    question = "import sys; print(sys.executable); print(*sys.version_info[:2])"
    try:
        answer = subprocess.run(
            [executable, "-c", question],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
            timeout=60,
        )
        path, version = answer.stdout.decode().splitlines()
        major, minor = version.split()
        return path, (int(major), int(minor))
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def find_python(exactly: tuple[int, int] | None = None) -> str | None:
    """A Python that is new enough (or of exactly that version): this one, else by name from PATH."""
    names = [os.environ.get("PYTHON", ""), sys.executable]
    names += [f"python{exactly[0]}.{exactly[1]}"] if exactly else NAMES
    for name in names:
        found = probe(name) if name else None
        if found is not None and (found[1] == exactly if exactly else found[1] >= OLDEST):
            return found[0]
    return None


def run(words: list[str], problem: str, env: dict[str, str] | None = None) -> None:
    """Run a step of the set-up; its output is shown only when it fails."""
    done = subprocess.run(
        words, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env, cwd=ROOT
    )
    if done.returncode:
        sys.stderr.write(done.stdout.decode(errors="replace"))
        stop(problem)


def make_environment() -> None:
    """Create `.venv`, afresh if one is there that does not run any more."""
    python = find_python()
    if python is None:
        stop(
            f"needs Python {OLDEST[0]}.{OLDEST[1]} or newer, and none of {', '.join(NAMES)} on PATH is. "
            "Install one, or name it: make PYTHON=/path/to/python3.12 …"
        )
    shutil.rmtree(str(VENV), ignore_errors=True)
    say(f"making {VENV.name} with {python}")
    made = subprocess.run(
        [python, "-m", "venv", str(VENV)], check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if made.returncode == 0:
        return
    shutil.rmtree(str(VENV), ignore_errors=True)
    say("this Python comes without venv: virtualenv does it instead")
    lock = ROOT / "requirements" / "bootstrap.txt"
    pip = [python, *PIP, "install", "--quiet", "--require-hashes", "--target", str(FALLBACK), "-r", str(lock)]
    shutil.rmtree(str(FALLBACK), ignore_errors=True)
    run(
        pip,
        "neither the module venv nor pip works here. On Debian: apt install python3-venv, or python3-pip.",
    )
    environment = dict(os.environ, PYTHONPATH=str(FALLBACK))
    run([python, "-m", "virtualenv", "--no-periodic-update", str(VENV)], "virtualenv failed.", environment)
    shutil.rmtree(str(FALLBACK), ignore_errors=True)


def digest(*paths: Path) -> str:
    """One hash over the contents of files."""
    total = hashlib.sha256()
    for path in paths:
        total.update(path.read_bytes() + b"\0")
    return total.hexdigest()


def remembered() -> dict[str, str]:
    """What is known to be installed: hashes by name."""
    try:
        known: object = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def install(developing: bool) -> None:
    """Bring `.venv` to the locked state. Callers hold the lock."""
    python = VENV / "bin" / "python"
    found = probe(str(python)) if python.exists() else None
    if found is None or found[1] < OLDEST:
        make_environment()
        found = probe(str(python))
        if found is None:
            stop(f"{VENV} was made, but its Python does not run.")
    line = "py311" if found[1] < (3, 12) else "py312"
    locks = {
        "runtime": ROOT / "requirements" / f"{line}.txt",
        "dev": ROOT / "requirements" / f"{line}-dev.txt",
    }
    known = remembered()
    wanted = "dev" if developing else "runtime"
    state = {name: digest(path) for name, path in locks.items()}
    # The larger set holds the smaller one, in the same versions: with it in place, nothing is missing.
    current = known.get("dev") == state["dev"] or (
        not developing and known.get("runtime") == state["runtime"]
    )
    if not current:
        say(f"installing the locked dependencies ({locks[wanted].relative_to(ROOT)})")
        STAMP.unlink(missing_ok=True)
        known = {}
        run(
            [str(python), *PIP, "install", "--quiet", "--require-hashes", "-r", str(locks[wanted])],
            "the dependencies could not be installed; pip's words stand above.",
        )
        known[wanted] = state[wanted]
    product = digest(ROOT / "pyproject.toml")
    if known.get("product") != product or not (VENV / "bin" / "depesche").exists():
        run(
            [
                str(python),
                *PIP,
                "install",
                "--quiet",
                "--no-deps",
                "--no-index",
                "--no-build-isolation",
                "-e",
                str(ROOT),
            ],
            "Depesche itself could not be installed; pip's words stand above.",
        )
        known["product"] = product
    catalogues = digest(*sorted((ROOT / "src").rglob("*.po")))
    if known.get("catalogues") != catalogues or not all(
        po.with_suffix(".mo").exists() for po in (ROOT / "src").rglob("*.po")
    ):
        run(
            [str(python), str(ROOT / "tools" / "messages.py"), "compile"],
            "a message catalogue could not be compiled.",
        )
        known["catalogues"] = catalogues
    if known != remembered():
        STAMP.write_text(json.dumps(known, indent=1), encoding="utf-8")


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """One set-up at a time: two `make` in one tree do not install into each other."""
    with open(str(ROOT / ".setup.lock"), "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def main(words: list[str]) -> int:
    """Set up; then become the command that was asked for, if any (then this does not return)."""
    if not words or words[0] not in {"setup", "run", "dev"} or (words[0] != "setup" and not words[1:]):
        print(__doc__, file=sys.stderr)
        return 2
    with alone():
        install(developing=words[0] == "dev")
    if words[0] == "setup":
        say("set up. Try: make demo")
        return 0
    binaries = str(VENV / "bin")
    environment = dict(
        os.environ, PATH=binaries + os.pathsep + os.environ.get("PATH", ""), VIRTUAL_ENV=str(VENV)
    )
    environment.pop("PYTHONHOME", None)
    command = shutil.which(words[1], path=environment["PATH"])
    if command is None:
        stop(f"there is no command {words[1]}.")
    sys.stdout.flush()
    return os.execve(command, [command, *words[2:]], environment)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
