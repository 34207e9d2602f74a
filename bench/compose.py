"""How fast mails are written, beside the standard library's EmailMessage.

    .venv/bin/python -m bench.compose [--rounds 5] [--json]

Both write the same mail (text and HTML of 3 KB together, ASCII or with umlauts) and both in one process, in
turns, so that a busy machine slows both; the figure is the ratio of the medians. Three jobs: everything anew
for each mail; the shared part once and only the personal fields for each recipient, which is how notices go
out; and the 7-bit form.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP

from bench.rows import Row, save
from depesche.mailformat.addresses import Address
from depesche.mailformat.compose import Draft, compose, from_headers, personal_headers, to_seven_bit

WHEN = datetime(2026, 11, 23, 15, 4, 5, tzinfo=UTC)
AUTHOR = Address("Jane Doe via Tracker", "tracker@example.org")
PEOPLE = [Address(f"Person Number{n}", f"person{n}@example.org") for n in range(1000)]
REPLY_TO = Address("Tracker", "tracker+k3jd82hs7ak2h@example.org")


def texts(umlauts: bool) -> tuple[str, str, str]:
    """Subject, text and HTML."""
    word = "geändert" if umlauts else "changed"
    line = f"Status {word} from open to in progress by Jane Doe, and the reason is told below.\n"
    return f"[DEMO-17] Status {word}: in progress", line * 12, f"<p>{line}</p>\n" * 22


def by_stdlib(subject: str, text: str, html: str, person: Address, number: int) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"] = str(AUTHOR)
    message["To"] = str(person)
    message["Reply-To"] = str(REPLY_TO)
    message["Message-ID"] = f"<{number}.k3jd82hs7ak2h@example.org>"
    message["Date"] = WHEN
    message["Subject"] = subject
    message["References"] = "<root.17@example.org>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    return message.as_bytes()


def shared(subject: str, text: str, html: str) -> bytes:
    draft = Draft(
        subject, text, WHEN, html=html, references=("<root.17@example.org>",), auto_submitted="auto-generated"
    )
    return compose(draft, boundary="k3jd82hs7ak2h").octets


def own(person: Address, number: int) -> bytes:
    return personal_headers(
        to=(person,), reply_to=REPLY_TO, message_id=f"<{number}.k3jd82hs7ak2h@example.org>"
    )


def job_everything(subject: str, text: str, html: str) -> Callable[[int], object]:
    def run(count: int) -> None:
        for number in range(count):
            from_headers(AUTHOR) + own(PEOPLE[number % 1000], number) + shared(subject, text, html)

    return run


def job_personal(subject: str, text: str, html: str) -> Callable[[int], object]:
    def run(count: int) -> None:
        head, content = from_headers(AUTHOR), shared(subject, text, html)
        for number in range(count):
            head + own(PEOPLE[number % 1000], number) + content

    return run


def job_seven_bit(subject: str, text: str, html: str) -> Callable[[int], object]:
    def run(count: int) -> None:
        for number in range(count):
            to_seven_bit(
                from_headers(AUTHOR) + own(PEOPLE[number % 1000], number) + shared(subject, text, html)
            )

    return run


def job_stdlib(subject: str, text: str, html: str) -> Callable[[int], object]:
    def run(count: int) -> None:
        for number in range(count):
            by_stdlib(subject, text, html, PEOPLE[number % 1000], number)

    return run


def rate(job: Callable[[int], object], count: int) -> float:
    start = time.perf_counter()
    job(count)
    return count / (time.perf_counter() - start)


def measure(rounds: int) -> dict[str, float]:
    """Mails a second, median over the rounds."""
    plain, umlauts = texts(False), texts(True)
    jobs: dict[str, tuple[Callable[[int], object], int]] = {
        "stdlib, ASCII": (job_stdlib(*plain), 200),
        "stdlib, umlauts": (job_stdlib(*umlauts), 200),
        "everything, ASCII": (job_everything(*plain), 5_000),
        "everything, umlauts": (job_everything(*umlauts), 5_000),
        "everything in 7 bits, umlauts": (job_seven_bit(*umlauts), 3_000),
        "personal fields only, ASCII": (job_personal(*plain), 30_000),
        "personal fields only, umlauts": (job_personal(*umlauts), 30_000),
    }
    results: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, (job, count) in jobs.items():
            results[name].append(rate(job, count))
    return {name: statistics.median(rates) for name, rates in results.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rates = measure(options.rounds)
    ratios = {
        name: value / rates["stdlib, " + name.rpartition(", ")[2]]
        for name, value in rates.items()
        if not name.startswith("stdlib")
    }
    if options.json:
        print(json.dumps({"mails_per_second": rates, "ratio_to_stdlib": ratios}))
        return
    rows = [
        Row(f"composing, {name} ÷ the standard library", ratio, detail=f"{rates[name]:,.0f} mails/s")
        for name, ratio in ratios.items()
    ]
    print(save("compose", "Composing mails", f"{options.rounds} interleaved rounds, medians.", rows))


if __name__ == "__main__":
    main()
