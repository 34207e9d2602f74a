"""What happens to a mail between its writer and us, without any change of its meaning."""

from __future__ import annotations

import base64
import quopri
import textwrap
from collections.abc import Callable, Iterator

from tests.mailformat.siblings.language import Language
from tests.mailformat.siblings.programs import Sibling, attribution, quoted

DISCLAIMERS = (
    "This e-mail and any attachments are confidential and intended solely for the addressee. If\n"
    "you have received it in error, please notify the sender and delete it. Any unauthorised\n"
    "copying or disclosure is prohibited.",
    "CONFIDENTIALITY NOTICE: The contents of this message are confidential and may be privileged.",
    "Diese E-Mail enthält vertrauliche Informationen. Wenn Sie nicht der richtige Adressat sind\n"
    "oder diese E-Mail irrtümlich erhalten haben, informieren Sie bitte sofort den Absender und\n"
    "vernichten Sie diese Mail. Das unerlaubte Kopieren sowie die unbefugte Weitergabe dieser\n"
    "Mail ist nicht gestattet.",
    "Der Inhalt dieser Nachricht ist vertraulich und nur für den angegebenen Empfänger bestimmt.\n"
    "Sollten Sie nicht der vorgesehene Adressat sein, so benachrichtigen Sie bitte den Absender\n"
    "und löschen Sie diese Nachricht.",
    "Ce message et ses pièces jointes sont confidentiels et destinés exclusivement à leur\n"
    "destinataire. Si vous l'avez reçu par erreur, merci d'avertir l'expéditeur et de le\n"
    "supprimer.",
    "Este mensaje es confidencial y se dirige exclusivamente a su destinatario. Si lo ha recibido\n"
    "por error, le rogamos que lo elimine y avise al remitente.",
    "Questo messaggio è riservato ed è destinato unicamente al destinatario. Se l'avete ricevuto\n"
    "per errore, vi preghiamo di avvisare il mittente e di cancellarlo.",
    "Dit bericht is vertrouwelijk en uitsluitend bestemd voor de geadresseerde. Als u dit bericht\n"
    "per vergissing heeft ontvangen, verwijder het dan en waarschuw de afzender.",
    "Esta mensagem é confidencial e destina-se apenas ao destinatário. Se a recebeu por engano,\n"
    "por favor apague-a e avise o remetente.",
    "Denne e-mail er fortrolig og kun bestemt for modtageren. Hvis du har modtaget den ved en\n"
    "fejl, bedes du slette den og underrette afsenderen.",
    "Ta wiadomość jest poufna i przeznaczona wyłącznie dla adresata. Jeśli otrzymali ją Państwo\n"
    "omyłkowo, prosimy o powiadomienie nadawcy i usunięcie wiadomości.",
    "Denken Sie an die Umwelt, bevor Sie diese E-Mail ausdrucken.",
    "Please consider the environment before printing this email.",
)

FOOTERS = (
    "_______________________________________________\ntracker mailing list\ntracker@lists.example\n"
    "https://lists.example/listinfo/tracker",
    "--\nYou received this message because you are subscribed to the group.\n"
    "To unsubscribe, visit https://groups.example/tracker/unsubscribe.",
    "-- \nReply to this email directly or view it on GitHub:\nhttps://git.example/tracker/issues/42",
    "—\nYou are receiving this because you were mentioned.\nhttps://git.example/tracker/issues/42",
)


def with_disclaimers(language: Language) -> Iterator[Sibling]:
    line = attribution(language.attributions[0])
    kept = f"{language.answer}\n\n{language.closing}\nMax Beispiel"
    for number, text in enumerate((*DISCLAIMERS, *FOOTERS)):
        for place, body in {
            "top": f"{kept}\n\n{text}\n\n{line}\n\n{quoted(language.older)}\n",
            "alone": f"{kept}\n\n{text}\n",
            "bottom": f"{kept}\n\n{line}\n\n{quoted(language.older)}\n\n{text}\n",
            "below": f"{line}\n{quoted(language.older)}\n\n{kept}\n\n{text}\n",
        }.items():
            yield Sibling(f"{language.code}-disclaimer-{number}-{place}", body, kept)


def wrapped(language: Language) -> Iterator[Sibling]:
    """The line above the quote is broken at every column."""
    for number, template in enumerate(language.attributions):
        line = attribution(template)
        seen = {line}
        for column in range(24, min(len(line), 90), 3):
            broken = "\n".join(textwrap.wrap(line, column, break_long_words=False, break_on_hyphens=False))
            if broken in seen or broken.count("\n") > 3:
                continue
            seen.add(broken)
            name = f"{language.code}-wrapped-{number}-{column}"
            yield Sibling(
                f"{name}-top", f"{language.answer}\n\n{broken}\n\n{quoted(language.older)}\n", language.answer
            )
            yield Sibling(
                f"{name}-bottom",
                f"{broken}\n\n{quoted(language.older)}\n\n{language.answer}\n",
                language.answer,
            )


def quote_styles(language: Language) -> Iterator[Sibling]:
    """Other marks, deeper quotes, and the line above quoted as well."""
    for number, template in enumerate(language.attributions[:4]):
        line = attribution(template)
        for prefix in ("> ", ">", " > ", ">  ", "| "):
            if prefix == "| " and "{a}" not in template:
                continue
            for depth in range(1, 6):
                if prefix == "| " and depth > 1:
                    continue
                older = quoted(language.older, prefix, depth)
                name = f"{language.code}-style-{number}-{prefix}-{depth}"
                yield Sibling(f"{name}-top", f"{language.answer}\n\n{line}\n{older}\n", language.answer)
                yield Sibling(f"{name}-bottom", f"{line}\n{older}\n\n{language.answer}\n", language.answer)
        inside = quoted(f"{line}\n\n{language.older}")
        yield Sibling(f"{language.code}-inside-{number}", f"{language.answer}\n\n{inside}\n", language.answer)
        nested = quoted(f"{language.older}\n\n{line}\n{quoted(language.older)}")
        yield Sibling(
            f"{language.code}-nested-{number}", f"{language.answer}\n\n{line}\n{nested}\n", language.answer
        )
        chain = f"{language.answer}\n\n{line}\n\n{language.older}\n\n{line}\n\n{language.older}\n"
        if "{a}" in template:
            yield Sibling(f"{language.code}-chain-{number}", chain, language.answer)


SHAPES = (with_disclaimers, wrapped, quote_styles)


def _soft(body: str) -> str:
    """RFC 3676: unquoted lines flow, those of a quote are stuffed as they are."""
    lines: list[str] = []
    for line in body.split("\n"):
        if len(line) > 60 and not line.startswith((">", " ")):
            lines.extend(f"{piece} " for piece in textwrap.wrap(line, 40, break_long_words=False)[:-1])
            lines.append(textwrap.wrap(line, 40, break_long_words=False)[-1])
        else:
            lines.append(line if line == "-- " else line.rstrip(" "))
    return "\n".join(lines)


def _mail(headers: str, body: bytes) -> bytes:
    return (
        b"From: Max Beispiel <max@firma.example>\r\nTo: tracker@firma.example\r\nSubject: Re: Termin\r\n"
        b"MIME-Version: 1.0\r\n" + headers.encode() + b"\r\n\r\n" + body
    )


def _plain(encoding: str, body: bytes, parameters: str = "charset=utf-8") -> bytes:
    return _mail(f"Content-Type: text/plain; {parameters}\r\nContent-Transfer-Encoding: {encoding}", body)


#: How a body travels: each gives a whole mail.
TRANSPORTS: dict[str, Callable[[str], bytes]] = {
    "lf": lambda body: _plain("8bit", body.encode()),
    "crlf": lambda body: _plain("8bit", body.replace("\n", "\r\n").encode()),
    "cr": lambda body: _plain("8bit", body.replace("\n", "\r").encode()),
    "base64": lambda body: _plain("base64", base64.encodebytes(body.replace("\n", "\r\n").encode())),
    "quoted-printable": lambda body: _plain("quoted-printable", quopri.encodestring(body.encode())),
    "flowed": lambda body: _plain("8bit", _soft(body).encode(), "charset=utf-8; format=flowed"),
    "utf-16": lambda body: _plain("base64", base64.encodebytes(body.encode("utf-16")), "charset=utf-16"),
    "undeclared": lambda body: _mail("Content-Type: text/plain", body.encode()),
    "trailing-spaces": lambda body: _plain("8bit", body.replace("\n", "  \n").encode()),
    "nbsp": lambda body: _plain("8bit", body.replace(", ", ",\u00a0").replace("  ", " \u00a0").encode()),
    "byte-order-mark": lambda body: _plain("8bit", b"\xef\xbb\xbf" + body.encode()),
    "mixed": lambda body: _mail(
        'Content-Type: multipart/mixed; boundary="b"',
        b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + body.encode() + b"\r\n--b--\r\n",
    ),
    "signed": lambda body: _mail(
        'Content-Type: multipart/signed; boundary="b"',
        b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        + body.encode()
        + b"\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\n"
        + b"-----BEGIN PGP SIGNATURE-----\r\n--b--\r\n",
    ),
}
