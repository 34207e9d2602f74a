"""Programs with a way of their own, each as it writes in German or English."""

from __future__ import annotations

from collections.abc import Iterator

from tests.mailformat.siblings.programs import Sibling

_ANSWER = "Danke, der Termin am Montag passt.\nKönnten Sie mir bitte noch die Unterlagen schicken?"
_OLDER = "Guten Tag,\n\npasst Ihnen der Termin am Montag?\nWir brauchen noch eine Zusage.\n\nJana Vogt"
_MARKED = "\n".join(f"> {line}".rstrip() for line in _OLDER.split("\n"))

#: Written above the older mail, which follows unmarked.
ABOVE = {
    "groupwise": ">>> Jana Vogt <jana@kunde.example> 03.03.2026 10:11 >>>",
    "groupwise-internal": ">>> Jana Vogt 03.03.26 10.11 Uhr >>>",
    "groupwise-message": ">>> On 3/3/2026 at 10:11 AM, in message <5E5E.1@kunde.example>,\n"
    "Jana Vogt <jana@kunde.example> wrote:",
    "blackberry": "  Original Message  \nFrom: Jana Vogt\nSent: Tuesday, March 3, 2026 10:11 AM\n"
    "To: Max Beispiel\nSubject: Termin",
    "blackberry-date": "-----Original Message-----\nFrom: Jana Vogt <jana@kunde.example>\n"
    "Date: Tue, 3 Mar 2026 10:11:12 \nTo: <max@firma.example>\nSubject: Termin",
    "em-client": '------ Originalnachricht ------\nVon "Jana Vogt" <jana@kunde.example>\n'
    'An "Max" <max@firma.example>\nDatum 03.03.2026 10:11:12\nBetreff Termin',
    "zoho": "---- On Tue, 03 Mar 2026 10:11:12 +0100 Jana Vogt <jana@kunde.example> wrote ----",
    "zoho-de": "---- Am Di., 03 Mrz 2026 10:11:12 +0100 Jana Vogt <jana@kunde.example> schrieb ----",
    "notes": "-----Jana Vogt/Kunde schrieb: -----\n\nAn: Max Beispiel/Firma@Firma\nVon: Jana Vogt/Kunde\n"
    "Datum: 03.03.2026 10:11\nBetreff: Termin",
    "notes-en": "Jana Vogt---03/03/2026 10:11:12 AM---Guten Tag, passt Ihnen\n\n"
    "From: Jana Vogt/Kunde\nTo: Max Beispiel/Firma@Firma\nDate: 03/03/2026 10:11 AM\nSubject: Termin",
    "notes-tabs": "Von:\tJana Vogt <jana@kunde.example>\nAn:\tmax@firma.example,\n"
    "Kopie:\tlena@firma.example\n"
    "Datum:\t03.03.2026 10:11\nBetreff:\tTermin\n________________________________",
    "outlook-wrapped": "-----Ursprüngliche Nachricht-----\n"
    "Von: Jana Vogt [mailto:jana@kunde.example] \n"
    "Gesendet: Dienstag, 3. März 2026 10:11\nAn: Max Beispiel; Lena Muster; Verteiler Einkauf;\n"
    "  Otto Normal\nCc: Erika Mustermann\nBetreff: AW: Termin am Montag und die Zusage\n  dazu",
    "outlook-extra": "Von: Jana Vogt <jana@kunde.example>\nGesendet: Dienstag, 3. März 2026 10:11\n"
    "An: Max Beispiel <max@firma.example>\nCc: Lena Muster <lena@firma.example>\nBetreff: Termin\n"
    "Priorität: Hoch",
    "outlook-behalf": "From: noreply@kunde.example [mailto:noreply@kunde.example] "
    "On Behalf Of Jana Vogt\n"
    "Sent: 03 March 2026 10:11\nTo: Max Beispiel\nSubject: Termin\nImportance: High",
    "outlook-mac": "From: Jana Vogt <jana@kunde.example>\nDate: Tuesday, 3. March 2026 at 10:11\n"
    "To: Max Beispiel <max@firma.example>\nSubject: Termin",
    "windows-mail": "Gesendet von Mail für Windows\n\n"
    "Von: Jana Vogt\nGesendet: Dienstag, 3. März 2026 10:11\n"
    "An: Max Beispiel\nBetreff: Termin",
    "samsung": "-------- Ursprüngliche Nachricht --------\nVon: Jana Vogt <jana@kunde.example> \n"
    "Datum: 03.03.26  10:11  (GMT+01:00) \nAn: Max Beispiel <max@firma.example> \nBetreff: Termin ",
    "t-online": "-----Original-Nachricht-----\nBetreff: Termin\nDatum: 2026-03-03T10:11:12+0100\n"
    'Von: "Jana Vogt" <jana@kunde.example>\nAn: "Max" <max@firma.example>',
    "web-de": 'Gesendet: Dienstag, 03. März 2026 um 10:11 Uhr\nVon: "Jana Vogt" <jana@kunde.example>\n'
    "An: max@firma.example\nBetreff: Termin",
    "zimbra": '----- Ursprüngliche Mail -----\nVon: "Jana Vogt" <jana@kunde.example>\n'
    'An: "Max" <max@firma.example>\nGesendet: Dienstag, 3. März 2026 10:11:12\nBetreff: Termin',
    "proton": "------- Original Message -------\nOn Tuesday, March 3rd, 2026 at 10:11, Jana Vogt\n"
    "<jana@kunde.example> wrote:",
    "proton-dashes": "‐‐‐‐‐‐‐ Original Message ‐‐‐‐‐‐‐\nOn Tuesday, March 3, 2026 10:11 AM, Jana Vogt "
    "<jana@kunde.example> wrote:",
    "libero": "----Messaggio originale----\nDa: jana@kunde.example\nData: 3-mar-2026 10.11\n"
    "A: <max@firma.example>\nOgg: Termin",
    "sfr": '========================================\n\nMessage du : 03/03/2026 10:11\nDe : "Jana Vogt"\n'
    "A : max@firma.example\nCopie à : \nSujet : Termin",
    "daum": "---------[ 받은 메일 내용 ]----------\n제목 : Termin\n날짜 : 2026년 3월 3일 화요일, 10시 11분\n"
    "보낸이 : Jana Vogt <jana@kunde.example>\n받는이 : max@firma.example",
    "naver": '-----Original Message-----\nFrom: "Jana Vogt"<jana@kunde.example> \nTo: <max@firma.example>; \n'
    "Cc: \nSent: 2026-03-03 (화) 10:11:12 (GMT+09:00)\nSubject: Termin",
    "wechat": "------------------ Original ------------------\nFrom: Jana Vogt <jana@kunde.example>\n"
    "Date: Tue,Mar 3,2026 10:11 AM\nTo: max <max@firma.example>\nSubject: Re: Termin",
    "seznam": "---------- Původní e-mail ----------\nOd: Jana Vogt <jana@kunde.example>\n"
    "Komu: max@firma.example\nDatum: 3. 3. 2026 10:11:12\nPředmět: Termin",
    "zendesk": "##- Bitte geben Sie Ihre Antwort oberhalb dieser Zeile ein. -##",
    "zendesk-en": "##- Please type your reply above this line -##",
    "jira": "—-—-—-—\nReply to this email to add a comment above this line",
    "reply-above": "--- Reply above this line to add a comment ---",
    "reply-above-plain": "Please reply above this line",
    "hey": "On March 3, 2026, Jana Vogt <jana@kunde.example> wrote:",
    "freshdesk": "On Tue, 3 Mar at 10:11 AM , Jana Vogt <jana@kunde.example> wrote:",
    "sogo": 'Am Dienstag, 03. März 2026 10:11 CET, schrieb "Jana Vogt" <jana@kunde.example>:',
    "one-line": "From: Jana Vogt <jana@kunde.example> Sent: Tuesday, March 3, 2026 10:11 AM To: Max "
    "<max@firma.example> Subject: Termin",
    "rule-and-attribution": "________________________________\nAm 03.03.2026 um 10:11 schrieb Jana Vogt "
    "<jana@kunde.example>:",
    "yahoo-indented": "    Am Dienstag, 3. März 2026 um 10:11:12 MEZ hat Jana Vogt <jana@kunde.example> "
    "Folgendes geschrieben:  ",
    "calendar": "-----Ursprünglicher Termin-----\nVon: Jana Vogt\nGesendet: Dienstag, 3. März 2026 10:11\n"
    "An: Jana Vogt; Max Beispiel\nBetreff: Termin\nZeit: Montag, 9. März 2026 10:00-11:00\nOrt: Raum 5",
}

#: Written above the older mail, which follows behind marks of its own.
MARKED = {
    "the-bat": (
        "Tuesday, March 3, 2026, 10:11:12 AM, you wrote:",
        "\n".join(f"JV> {line}".rstrip() for line in _OLDER.split("\n")),
    ),
    "gnus": ('>>>>> "Jana" == Jana Vogt <jana@kunde.example> writes:', _MARKED),
    "gnus-supercite": (
        "Jana Vogt <jana@kunde.example> writes:",
        "\n".join(f"Jana> {line}".rstrip() for line in _OLDER.split("\n")),
    ),
    "old-yahoo": ("--- Jana Vogt <jana@kunde.example> wrote:", _MARKED),
    "old-yahoo-de": ("--- Jana Vogt <jana@kunde.example> schrieb:", _MARKED),
    "orange": (
        '> Message du 03/03/26 10:11\n> De : "Jana Vogt" <jana@kunde.example>\n> A : max@firma.example\n'
        "> Copie à : \n> Objet : Termin\n>",
        _MARKED,
    ),
    "open-xchange": (
        "> Jana Vogt <jana@kunde.example> hat am 03.03.2026 10:11 CET geschrieben:\n> \n> ",
        _MARKED,
    ),
    "forte": ("On Tue, 03 Mar 2026 10:11:12 +0100, Jana Vogt <jana@kunde.example>\nwrote:", _MARKED),
    "slrn": ("On 2026-03-03, Jana Vogt <jana@kunde.example> wrote:", _MARKED),
    "nntp": ("Jana Vogt schrieb am 03.03.2026 um 10:11:", _MARKED),
    "knode": ("Jana Vogt wrote:", _MARKED),
    "header-and-marks": (
        "From: Jana Vogt [jana@kunde.example]\nSent: Tuesday, 3 March 2026 10:11 a.m.\nTo: "
        "Max\nSubject: Termin",
        _MARKED,
    ),
    "bars": ("Am 03.03.2026 um 10:11 schrieb Jana Vogt:", _MARKED.replace(">", "|")),
    "indented-marks": ("Am 03.03.2026 um 10:11 schrieb Jana Vogt:", _MARKED.replace("> ", "  > ")),
    "forwarded-attribution": (
        "---------- Original message ----------\nFrom: Jana Vogt <jana@kunde.example>\nDate: 3 March "
        "2026 at 10:11\n"
        "Subject: Termin\nTo: Max <max@firma.example>",
        _MARKED,
    ),
}


def peculiar() -> Iterator[Sibling]:
    for name, above in ABOVE.items():
        yield Sibling(f"{name}", f"{_ANSWER}\n\n{above}\n\n{_OLDER}\n", _ANSWER)
        yield Sibling(f"{name}-tight", f"{_ANSWER}\n{above}\n{_OLDER}\n", _ANSWER)
        signed = f"{_ANSWER}\n\nMit freundlichen Grüßen\nMax Beispiel"
        yield Sibling(f"{name}-signed", f"{signed}\n\n\n\n{above}\n\n{_OLDER}\n", signed)
    for name, (above, older) in MARKED.items():
        yield Sibling(f"{name}-top", f"{_ANSWER}\n\n{above}\n\n{older}\n", _ANSWER)
        yield Sibling(f"{name}-bottom", f"{above}\n\n{older}\n\n{_ANSWER}\n", _ANSWER)
