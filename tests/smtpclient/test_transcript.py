"""A transcript holds no secret, wherever it would appear, and does not grow without end."""

from __future__ import annotations

from depesche.smtpclient import Reply, Transcript


def test_what_it_shows() -> None:
    transcript = Transcript()
    transcript.client("EHLO client.example.org")
    transcript.server(Reply(250, ("mx.example.org", "SIZE 1000", "")))
    transcript.note("TLS established")
    assert list(transcript) == [
        "C: EHLO client.example.org",
        "S: 250-mx.example.org",
        "S: 250-SIZE 1000",
        "S: 250",
        "*: TLS established",
    ]


def test_a_server_that_repeats_the_password() -> None:
    transcript = Transcript()
    transcript.hide("hunter2", "hunter2hunter2", "")
    transcript.server(Reply(535, "wrong password hunter2hunter2, not hunter2"))
    assert transcript.lines == ["S: 535 wrong password (secret), not (secret)"]
    assert "hunter2" not in repr(transcript)


def test_it_ends() -> None:
    transcript = Transcript(limit=3)
    for number in range(10):
        transcript.client(str(number))
    assert len(transcript.lines) == 3
    assert str(transcript).endswith("*: 7 more lines")
