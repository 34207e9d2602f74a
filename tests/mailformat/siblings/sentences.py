"""Sentences of people that resemble what programs write. Each must stay wherever it stands."""

from __future__ import annotations

SENTENCES = (
    # devices and programs
    "Mit der App geht es leider nicht.",
    "Mit der Mail von gestern ist alles klar.",
    "Das Gerät wird heute verschickt.",
    "Das Gerät wurde gestern verschickt",
    "Das Foto wurde vom Handy gesendet",
    "Die Rechnung haben wir gestern per Mail verschickt.",
    "Das können Sie mit Outlook herunterladen",
    "Bitte die App neu herunterladen",
    "Die neue Version kann man im App Store herunterladen.",
    "Von meinem Handy aus geht es nicht.",
    "Von meinem Telefon aus kann ich das Formular öffnen, vom Rechner nicht.",
    "Von meiner Seite ist alles erledigt.",
    "Von meinem Kollegen kommt noch eine Antwort.",
    "Von meiner App wird kein Link geöffnet.",
    "Gesendet von Frau Vogt am Montag",
    "Gesendet habe ich es gestern.",
    "Unterwegs, melde mich später vom Handy",
    "Per Mobile ist die Seite kaputt.",
    "Outlook für Mac stürzt dabei ab.",
    "Sent from the warehouse yesterday.",
    "Sent from my side, nothing arrived.",
    "Sent the phone back on Monday.",
    "Sent by mail today, please confirm",
    "Sent via DHL, tracking number 12345",
    "Sent with the samples.",
    "Get Outlook to work on my phone, please",
    "Get Outlook fixed first.",
    "My iPhone is broken.",
    "The app on my phone crashes",
    "The phone was sent",
    "Written on my whiteboard: ask Jana",
    "Envoyé de Paris hier matin.",
    "Envoyé via la poste, colis numéro 12",
    "Enviado a partir de hoy con el teléfono nuevo",
    "Enviado por correo ayer.",
    "Enviado ontem pelo correio",
    "Inviato da Milano ieri.",
    "Inviato con il telefono nuovo?",
    "Verzonden met de post",
    "Sendt med posten i går",
    "Skickat från lagret igår",
    "Wysłano z magazynu wczoraj",
    "Pobierz plik z telefonu",
    "Отправлено с курьером вчера",
    "我的手机坏了",
    "我的手机号是 12345678",
    "我的邮件没有发送",
    "手机已经发送",
    "Telefon geldi, fatura gönderildi",
    # virus
    "Avast antivirus hat die Datei blockiert, was tun?",
    "Unsere Mails werden von Avast blockiert.",
    "The attachment was checked by AVG and is clean?",
    # footers
    "Bitte melden Sie mich vom Newsletter ab.",
    "Ich möchte mich von der Mailingliste abmelden.",
    "Please unsubscribe me from this list.",
    "How do I unsubscribe?",
    "Can you add me to the mailing list?",
    "Unsubscribe does not work in the footer of the mails.",
    "Der Link zum Abbestellen geht nicht.",
    "We use a mailing list for this.",
    "You are receiving this because I promised it.",
    "To view this discussion, log in first.",
    # disclaimers
    "This message is confidential, please do not forward it to the other team before Monday.",
    "Diese Nachricht ist vertraulich, bitte nicht weitergeben, bevor der Vertrag unterschrieben ist.",
    "Der Empfänger der Nachricht war nicht der richtige Adressat, bitte ändern Sie die Adresse im Verteiler.",
    "The intended recipient of the message is our accounting department, not me.",
    # attributions
    "Am 3. März um 10:11 schrieb ich Ihnen, dass es nicht geht:",
    "Am Montag schrieb mir Herr Beispiel folgendes:",
    "Am 03.03.2026 um 10:11 ist der Server ausgefallen:",
    "On Monday at 10:11 the server went down:",
    "On Tue, Mar 3, 2026 at 10:11 AM the job failed with:",
    "Yesterday Jana wrote that it works.",
    "As Jana wrote, we need to wait.",
    "Jana wrote to me on 3 March that she agrees.",
    "He said: it is done.",
    "The manual says:",
    "I tried what you wrote:",
    "Le 3 mars à 10:11 le serveur est tombé :",
    "El 3 de marzo a las 10:11 se cayó el servidor:",
    "Bitte an jana.vogt@kunde.example schreiben:",
    "Please write to jana.vogt@kunde.example by 3 March 2026, 10:11:",
    "Neue Adresse: max@firma.example",
    "Kontakt: Max Beispiel <max@firma.example>",
    "Termin: Dienstag, 3. März 2026, 10:11",
    # headers
    "Von: hier bis da ist alles rot.",
    "An: alle",
    "Betreff: siehe oben",
    "To: be decided",
    "From: my point of view it is fine.",
    "Date: 3 March 2026",
    "Subject: to change",
    "Datum: 03.03.2026",
    # separators
    "Die ursprüngliche Nachricht habe ich nicht mehr.",
    "Original message: please send it again.",
    "Forwarded message received, thanks.",
    "- Original message missing",
    "* Original Message ID is wrong",
    "Please write the name above this line on the form.",
    "Bitte die Zeile oberhalb löschen.",
    "Write the name above the line, please.",
    # closings
    "Danke für die schnelle Antwort, das hat geholfen",
    "Thanks for the fix, it works now",
    "Viele Grüße an das ganze Team!",
    "Best would be Monday.",
    "Love it!",
    "Merci de vérifier la facture.",
    "Gracias por la ayuda, ya funciona.",
    # cards
    "Meine neue Nummer ist +49 30 1234567.",
    "Call me at +1 555 123 4567, office 12",
    "Tel. 030 1234567, bitte nach 14 Uhr",
    "Die Adresse ist Hauptstraße 12, 10115 Berlin.",
    "https://www.firma.example/bestellung",
    "www.firma.example",
    "max@firma.example",
    # rules and marks
    "a -- b",
    "-- wichtig --",
    "--- bitte lesen ---",
    "* erster Punkt",
    "- ja",
    "– nein",
    "|x| < 5",
    "> 50 % der Fälle sind betroffen",
    "=> bitte prüfen",
    "--help zeigt nichts an",
    "__init__.py fehlt",
    "#42",
    "1.",
    "?",
    "Ja.",
    "ok",
)

#: Whole letters of people with lines that resemble signatures, header blocks, quotes and transcripts.
LETTERS = (
    "Danke!\n\nBitte rufen Sie mich an: Tel. 030 1234567\noder mobil unter +49 171 1234567,\n"
    "oder schreiben Sie an max@firma.example.\nDie Firma Beispiel GmbH braucht das bis Montag.",
    "Danke.\n\nHier die neuen Nummern:\n+49 30 1234567 Zentrale\n+49 30 1234568 Lager\n+49 30 1234569 Fax\n"
    "Bitte im System ändern.",
    "Thanks,\n\nplease update these contacts:\nJana: jana@firma.example, +49 30 1234567\n"
    "Max: max@firma.example, +49 30 1234568\nLena: lena@firma.example, +49 30 1234569",
    "Vielen Dank.\n\nNeue Lieferadresse:\nFirma GmbH\nHauptstraße 12\n10115 Berlin\nTel. +49 30 1234567",
    "Die Angaben für das Formular:\n\nName: Max Beispiel\nFirma: Beispiel GmbH\nTelefon: +49 30 1234567\n"
    "E-Mail: max@firma.example",
    "Steps to reproduce:\n\n1. Open the page\n2. Click on save\n3. See the error\n\nExpected: it is saved\n"
    "Actual: error 500",
    "So sieht die Mail aus:\n\nVon: unser Shop\nBetreff: falsch\n\nbitte ändern.",
    "The flight:\n\nFrom: Berlin\nTo: Paris\nDate: 3 March 2026\n\nPlease book it.",
    "Der Zug:\n\nVon: Berlin\nAn: 12:15\nDatum: 03.03.2026\n\nBitte buchen.",
    "Zwei Möglichkeiten:\n--\nEntweder wir warten bis Montag.\n--\nOder wir beginnen heute.\n\nWas "
    "meinen Sie?",
    "Erster Teil.\n\n---\n\nZweiter Teil, der auch wichtig ist.\n\n---\n\nDritter Teil mit dem Schluss.",
    "Erster Teil.\n\n____________________\n\nZweiter Teil, der auch wichtig ist und bleiben muss.",
    "Erster Teil.\n\n* * *\n\nZweiter Teil.",
    "Das Log:\n\n2026-03-03 10:11:12 INFO started\n2026-03-03 10:11:13 ERROR failed: no such file\n"
    "2026-03-03 10:11:14 INFO stopped",
    "$ git diff\n--- a/file.py\n+++ b/file.py\n@@ -1,2 +1,2 @@\n-old\n+new\n\nDas ist die Änderung.",
    "Das Gespräch:\n\nMax: geht es?\nJana: nein\nMax: warum?\nJana: kein Strom",
    "Hier die Tabelle:\n\n| Name | Wert |\n|------|------|\n| a    | 1    |\n| b    | 2    |\n\nStimmt das?",
    "if a > b:\n    print(a)\n\ndef wrote():\n    return 1",
    "SELECT * FROM mails WHERE sent_at > '2026-03-03 10:11'\n\nliefert nichts.",
    "Ich bin vom 3. bis 10. März nicht im Büro, Frau Vogt vertritt mich.\n\nMax Beispiel",
    "Sehr geehrte Frau Vogt,\n\nam 03.03.2026 um 10:11 schrieb Ihr Kollege, dass alles fertig ist.\n"
    "Das stimmt nicht.\n\nMit freundlichen Grüßen\nMax Beispiel",
    "Hallo,\n\nwie besprochen:\n\n- Punkt eins\n- Punkt zwei\n\nGruß\nMax\n\nPS: Der Schlüssel liegt "
    "beim Pförtner.",
    "Hallo,\n\nalles gut.\n\nGruß\nMax\n\nNachtrag: Tel. 030 1234567 ist falsch, richtig ist 030 1234568.\n"
    "Bitte auch die Faxnummer +49 30 1234569 ändern, sie gehört der Firma Beispiel GmbH.",
    "Bitte diesen Text als Signatur einstellen:\n\n--\nFirma GmbH\nTel. +49 30 1234567\n"
    "max@firma.example\n--\n\nDanke!",
    "Der Kunde schreibt:\n> Es geht nicht.\n> Bitte helfen Sie.\n\nKönnen wir helfen?",
    "Der Vertrag sagt:\n> Der Mieter zahlt.",
    "Zitat aus dem Vertrag:\n\n> Der Mieter zahlt.\n\nAlso muss er zahlen.",
    "Am Montag:\n- Termin um 10:11\nAm Dienstag:\n- Termin um 12:15",
    "Montag, 2. März 2026, 10:00: Beginn\nMontag, 2. März 2026, 12:00: Ende\n\nPasst das so?",
    "Teilnehmer:\nJana Vogt <jana@firma.example>\nMax Beispiel <max@firma.example>\n\nBitte einladen.",
    "Bitte einladen:\n\nJana Vogt <jana@firma.example>, am 03.03.2026 um 10:11:\nMax Beispiel "
    "<max@firma.example>",
)

_QUOTE = "\n\nAm 03.03.26 um 10:11 schrieb Jana Vogt:\n> passt es?\n> Jana\n"
_OLDER = (
    "\n\n-----Original Message-----\nFrom: Jana Vogt <jana@kunde.example>\n"
    "Sent: Tuesday, March 3, 2026 10:11 AM\nTo: Max\nSubject: x\n\npasst es?\n"
)
_FIRST = "Das Erste ist klar und erledigt."
_LAST = "Das Letzte bleibt noch offen."

#: Where such a sentence may stand: "{}" is its place.
FRAMES: dict[str, tuple[str, ...]] = {
    "alone": ("{}", "\n"),
    "last": (_FIRST, "\n\n", "{}", "\n"),
    "last-line": (_FIRST, "\n", "{}", "\n"),
    "above-quote": (_FIRST, "\n\n", "{}", _QUOTE),
    "alone-above-quote": ("{}", _QUOTE),
    "middle": (_FIRST, "\n\n", "{}", "\n\n", _LAST, _QUOTE),
    "first": ("{}", "\n\n", _LAST, "\n"),
    "first-line": ("{}", "\n", _LAST, _OLDER),
    "below-quote": (_QUOTE, "\n", "{}", "\n"),
    "last-below-quote": (_QUOTE, "\n", _FIRST, "\n\n", "{}", "\n"),
    "above-older": (_FIRST, "\n\n", "{}", _OLDER),
    "signed": (_FIRST, "\n", "{}", "\n\nMit freundlichen Grüßen\nMax Beispiel", _OLDER),
    "introduces": (_FIRST, "\n\n", "{}", "\n> steht im Protokoll\n> und noch eine Zeile\n\n", _LAST, "\n"),
    "around": (_FIRST, _QUOTE, "\n", "{}", "\n"),
    "around-and-last": (_FIRST, _QUOTE, "\n", "{}", "\n\n", _LAST, "\n"),
}
