from __future__ import annotations

from pathlib import Path

import pytest

from tools import house_rules


@pytest.mark.parametrize(
    ("name", "line", "good"),
    [
        ("src/a.py", "x = 1  # type: ignore", False),
        ("src/a.py", "x = 1  # type: ignore[misc]", False),
        ("src/a.py", "x = 1  # type: ignore[misc]  # the stubs lack it", True),
        ("src/a.py", "import a  # noqa", False),
        ("src/a.py", "import a  # noqa: F401", False),
        ("src/a.py", "import a  # noqa: F401, E402  registers itself", True),
        ("src/a.py", "# noqa: S608: only constants", True),
        ("src/a.py", "# TODO later", False),
        ("docs/a.md", "cd /root/x", False),
        ("docs/a.md", "see src/work/x and a/root/b", True),
        ("README.md", "https://files." + "python" + "hosted.org/x", False),
        ("requirements/a.txt", "--index" + "-url https://example.org", False),
        ("src/a.html", '<script src="https://cdn.example.org/x.js">', False),
        ("src/a.html", '<a href="{{ link }}">', True),
        ("tests/a.py", "time." + "sleep(1)", False),
        ("tests/key.pem.txt", "-----BEGIN RSA " + "PRIVATE KEY-----", False),
    ],
)
def test_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, line: str, good: bool) -> None:
    monkeypatch.setattr(house_rules, "ROOT", tmp_path)
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(line + "\n")
    assert list(house_rules.findings(path)) == [] if good else len(list(house_rules.findings(path))) == 1


def test_an_endless_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house_rules, "ROOT", tmp_path)
    path = tmp_path / "src" / "a.py"
    path.parent.mkdir()
    path.write_text("x = 1\n" * (house_rules.LONGEST + 1))
    assert len(list(house_rules.findings(path))) == 1
