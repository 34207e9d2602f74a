"""What mail servers and services write into reports, in their own words."""

from __future__ import annotations

from tests.mailformat.siblings.server import Server

PROGRAMS = (
    Server(
        "qmail",
        "failure notice",
        "MAILER-DAEMON@mx.kunde.example",
        "Hi. This is the qmail-send program at mx.kunde.example.\n"
        "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
        "This is a permanent error; I've given up. Sorry it didn't work out.\n\n{entry}\n"
        "--- Below this line is a copy of the message.\n\n{returned}",
        "<{to}>:\n192.0.2.25 does not like recipient.\nRemote host said: {code} {status} {words}\n"
        "Giving up on 192.0.2.25.\n",
    ),
    Server(
        "exim",
        "Mail delivery failed: returning message to sender",
        "Mail Delivery System <Mailer-Daemon@mx.kunde.example>",
        "This message was created automatically by mail delivery software.\n\n"
        "A message that you sent could not be delivered to one or more of its\n"
        "recipients. This is a permanent error. The following address(es) failed:\n\n{entry}\n"
        "------ This is a copy of the message, including all the headers. ------\n\n{returned}",
        "  {to}\n    host mx.kunde.example [192.0.2.25]\n"
        "    SMTP error from remote mail server after RCPT TO:<{to}>:\n    {code} {status} {words}\n",
    ),
    Server(
        "exim-delayed",
        "Warning: message 1hxyz-0001-AA delayed 24 hours",
        "Mail Delivery System <Mailer-Daemon@mx.kunde.example>",
        "This message was created automatically by mail delivery software.\n"
        "A message that you sent has not yet been delivered to one or more of its\n"
        "recipients after more than 24 hours on the queue on mx.kunde.example.\n\n"
        "The address to which the message has not yet been delivered is:\n\n{entry}\n"
        "No action is required on your part. Delivery attempts will continue for\nsome time.\n",
        "  {to}\n    Delay reason: mailbox is full\n",
        delayed=True,
    ),
    Server(
        "sendmail",
        "Returned mail: see transcript for details",
        "Mail Delivery Subsystem <MAILER-DAEMON@mx.kunde.example>",
        "The original message was received at Tue, 3 Mar 2026 10:11:12 +0100\nfrom app.firma.example "
        "[192.0.2.7]\n\n"
        "   ----- The following addresses had permanent fatal errors -----\n{entry}\n"
        "   ----- Transcript of session follows -----\n{more}\n\n   ----- Original message follows "
        "-----\n\n{returned}",
        "<{to}>\n    (reason: {code} {status} <{to}>... {words})\n",
    ),
    Server(
        "sendmail-8.6",
        "Returned mail: User unknown",
        "Mail Delivery Subsystem <MAILER-DAEMON@mx.kunde.example>",
        "The original message was received at Tue, 3 Mar 2026 10:11:12 +0100\nfrom app.firma.example "
        "[192.0.2.7]\n\n"
        "   ----- The following addresses had delivery problems -----\n{entry}\n"
        "   ----- Transcript of session follows -----\n... while talking to mx.kunde.example.:\n>>> "
        "RCPT To:<{to}>\n"
        "<<< {code} {words}\n\n   ----- Original message follows -----\n{returned}",
        "<{to}>  (unrecoverable error)\n",
        several=False,
    ),
    Server(
        "sendmail-5",
        "Returned mail: User unknown",
        "MAILER-DAEMON@mx.kunde.example (Mail Delivery Subsystem)",
        "   ----- Transcript of session follows -----\n{entry}\n   ----- Unsent message follows "
        "-----\n{returned}",
        ">>> RCPT To:<{to}>\n<<< {code} <{to}>... {words}\n{code} <{to}>... {words}\n",
        several=False,
    ),
    Server(
        "postfix",
        "Undelivered Mail Returned to Sender",
        "MAILER-DAEMON@mx.kunde.example (Mail Delivery System)",
        "This is the mail system at host mx.kunde.example.\n\nI'm sorry to have to inform you that your "
        "message could not\n"
        "be delivered to one or more recipients. It's attached below.\n\n"
        "For further assistance, please send mail to postmaster.\n\nIf you do so, please include this "
        "problem report. You can\n"
        "delete your own text from the attached returned message.\n\n                   The mail "
        "system\n\n{entry}\n",
        "<{to}>: host mx.kunde.example[192.0.2.25] said: {code} {status}\n    <{to}>: Recipient address "
        "rejected: {words}\n"
        "    (in reply to RCPT TO command)\n",
    ),
    Server(
        "exchange-5.5",
        "Undeliverable: [WEB-42] Termin",
        "System Administrator <postmaster@kunde.example>",
        "Your message\n\n  To:      {to}\n  Subject: [WEB-42] Termin\n  Sent:    Tue, 3 Mar 2026 "
        "10:11:12 +0100\n\n"
        "did not reach the following recipient(s):\n\n{entry}",
        "{to} on Tue, 3 Mar 2026 10:11:15 +0100\n    The recipient name is not recognized\n"
        "\tThe MTS-ID of the original message is: c=de;a= ;p=kunde;l=EX1-260303\n"
        "    MSEXCH:IMS:Kunde:MX:EX1 0 (000C05A6) Unknown Recipient\n",
        several=False,
    ),
    Server(
        "exchange-2003",
        "Delivery Status Notification (Failure)",
        "postmaster@kunde.example",
        "Your message did not reach some or all of the intended recipients.\n\n      Subject:\t[WEB-42] "
        "Termin\n"
        "      Sent:\t3/3/2026 10:11 AM\n\nThe following recipient(s) could not be reached:\n\n{entry}",
        "      {to} on 3/3/2026 10:11 AM\n            There was a SMTP communication problem with the "
        "recipient's email server. "
        "Please contact your system administrator.\n            <mx.kunde.example #{status} smtp;{code} "
        "{status} {words}>\n",
    ),
    Server(
        "exchange-de",
        "Unzustellbar: [WEB-42] Termin",
        "Systemadministrator <postmaster@kunde.example>",
        "Ihre Nachricht hat einige oder alle Empfänger nicht erreicht.\n\n      Betreff:\t[WEB-42] Termin\n"
        "      Gesendet am:\t03.03.2026 10:11\n\nFolgende(r) Empfänger kann/können nicht erreicht "
        "werden:\n\n{entry}",
        "      {to} am 03.03.2026 10:11\n            Die E-Mail-Adresse konnte nicht gefunden werden.\n"
        "            <mx.kunde.example #{status} smtp;{code} {status} {words}>\n",
    ),
    Server(
        "exchange-2010-fr",
        "Non remis : [WEB-42] Termin",
        "Microsoft Exchange <postmaster@kunde.example>",
        "Échec de la remise aux destinataires ou groupes suivants :\n\n{entry}\n"
        "Informations de diagnostic pour les administrateurs :\n\nServeur de génération : "
        "ex1.kunde.example\n\n"
        "{to}\n#{code} {status} {words} ##\n\nEn-têtes du message d'origine :\n\n{returned}",
        "{to}<mailto:{to}>\nL'adresse de messagerie que vous avez entrée est introuvable.\n",
        several=False,
    ),
    Server(
        "office-365",
        "Undeliverable: [WEB-42] Termin",
        "Microsoft Outlook <postmaster@kunde.example>",
        "Delivery has failed to these recipients or groups:\n\n{entry}\n"
        "Diagnostic information for administrators:\n\nGenerating server: "
        "AM0PR01.prod.outlook.example\n\n{to}\n"
        "Remote Server returned '{code} {status} {words}'\n\nOriginal message headers:\n\n{returned}",
        "{to}<mailto:{to}>\nYour message wasn't delivered. Despite repeated attempts to contact the "
        "recipient's email "
        "system it didn't respond.\n",
        several=False,
    ),
    Server(
        "domino",
        "DELIVERY FAILURE: User not listed in Domino Directory",
        "Postmaster@kunde.example",
        "Your message\n\n  Subject: [WEB-42] Termin\n\nwas not delivered to:\n\n{entry}\nbecause:\n\n"
        "  {code} {status} User not listed in public Name & Address Book\n",
        "  {to}\n",
        several=False,
    ),
    Server(
        "domino-de",
        "ZUSTELLUNGSFEHLER: Benutzer nicht im Domino-Verzeichnis",
        "Postmaster@kunde.example",
        "Ihre Nachricht\n\n  Betreff: [WEB-42] Termin\n\nwurde nicht zugestellt an:\n\n{entry}\nwegen:\n\n"
        "  {code} {status} Benutzer nicht im Domino-Verzeichnis aufgeführt\n",
        "  {to}\n",
        several=False,
    ),
    Server(
        "groupwise",
        "Message status - undeliverable",
        "Mailer-Daemon@kunde.example",
        "The message that you sent was undeliverable to the following:\n{entry}\n\nPossibly truncated "
        "original message follows:\n\n"
        "{returned}",
        "\t{to} ({code} {words})\n",
    ),
    Server(
        "mdaemon",
        "Returned mail: [WEB-42] Termin",
        "MDaemon at kunde.example <MDaemon@kunde.example>",
        "--------------------------------------------------------\nThe attached message had PERMANENT "
        "fatal delivery errors!\n"
        "--------------------------------------------------------\n\nAfter one or more unsuccessful "
        "delivery attempts the attached message has\n"
        "been removed from the mail queue on this server.\n\nYOUR MESSAGE WAS NOT DELIVERED TO ONE OR "
        "MORE RECIPIENTS!\n\n{entry}\n"
        "--- Session Transcript ---\n Tue 2026-03-03 10:11:12: <-- {code} {words}\n--- End Transcript "
        "---\n: Message contains [1] file attachments\n",
        "Failed address: {to}\n",
    ),
    Server(
        "imail",
        "Undeliverable Mail",
        "Postmaster <postmaster@kunde.example>",
        "{entry}\nOriginal message follows.\n\n{returned}",
        "{words}: {to}\n",
        says_class=False,
    ),
    Server(
        "courier",
        "NOTICE: mail delivery status.",
        '"Courier mail server at mx.kunde.example" <@>',
        "This is a delivery status notification from mx.kunde.example,\nrunning the Courier mail "
        "server, version 1.0.\n\n"
        "The original message was received on Tue, 03 Mar 2026 10:11:12 +0100\nfrom app.firma.example "
        "(app.firma.example [192.0.2.7])\n\n"
        "---------------------------------------------------------------------------\n\n"
        "                           UNDELIVERABLE MAIL\n\nYour message to the following recipients "
        "cannot be delivered:\n\n{entry}\n"
        "---------------------------------------------------------------------------\n\nIf your message "
        "was also sent to additional recipients,\n"
        "their delivery status is not included in this report.  You may or may not\nreceive other "
        "delivery status notifications.\n",
        "<{to}>:\n    mx.kunde.example [192.0.2.25]:\n>>> RCPT TO:<{to}>\n<<< {code} {words}\n",
    ),
    Server(
        "gmail",
        "Delivery Status Notification (Failure)",
        "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        "Delivery to the following recipient failed permanently:\n\n{entry}\nTechnical details of "
        "permanent failure: \n"
        "Google tried to deliver your message, but it was rejected by the server for the recipient "
        "domain kunde.example by mx.kunde.example. [192.0.2.25].\n\n"
        "The error that the other server returned was:\n{code} {status} {words}\n\n----- Original "
        "message -----\n\n{returned}",
        "     {to}\n",
        several=False,
    ),
    Server(
        "gmail-new",
        "Delivery Status Notification (Failure)",
        "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        "\n** Address not found **\n\n{entry}\n"
        "Learn more here: https://support.google.com/mail/answer/6596\n\nThe response was:\n\n{code} "
        "{status} {words}\n",
        "Your message wasn't delivered to {to} because the address couldn't be found, or is unable to "
        "receive mail.\n",
        several=False,
    ),
    Server(
        "yahoo",
        "Failure Notice",
        "MAILER-DAEMON@yahoo.com",
        "Sorry, we were unable to deliver your message to the following address.\n\n{entry}\n"
        "--- Below this line is a copy of the message.\n\n{returned}",
        "<{to}>:\nRemote host said: {code} {status} {words} [RCPT_TO]\n",
        several=False,
    ),
    Server(
        "aol",
        "Undeliverable mail",
        "Mail Delivery Subsystem <MAILER-DAEMON@aol.com>",
        "Your mail to the following recipients could not be delivered because they are not accepting "
        "mail from {sender}:\n{entry}\n",
        "\t{to}\n",
        says_class=False,
    ),
    Server(
        "mail-ru",
        "Mail failure.",
        "mailer-daemon@corp.mail.ru",
        "This message was created automatically by mail delivery software.\n\nA message that you sent "
        "could not be delivered to one or more of its\n"
        "recipients. This is a permanent error. The following address(es) failed:\n\n{entry}\n\n"
        "------ This is a copy of the message, including all the headers. ------\n\n{returned}",
        "  {to}\n    SMTP error from remote mail server after RCPT TO:<{to}>:\n    host "
        "mx.kunde.example [192.0.2.25]: {code} {words}\n",
    ),
    Server(
        "yandex",
        "Недоставленное сообщение",
        "mailer-daemon@yandex.ru",
        "This is the mail system at host yandex.ru.\n\nI'm sorry to have to inform you that your "
        "message could not\n"
        "be delivered to one or more recipients. It's attached below.\n\nPlease, do not reply to this "
        "message.\n\n{entry}\n",
        "<{to}>: host mx.kunde.example[192.0.2.25] said: {code} {status} {words} (in reply to RCPT TO "
        "command)\n",
    ),
    Server(
        "docomo",
        "Undelivered Mail Returned to Sender",
        "MAILER-DAEMON@docomo.example",
        "This is the mail system at host docomo.example.\n\nYour message could not be delivered to one "
        "or more recipients.\n\n{entry}\n",
        "<{to}>: host mfsmax.docomo.example[192.0.2.25] said: {code} Unknown user {to} (in reply to "
        "RCPT TO command)\n",
    ),
    Server(
        "au",
        "Mail System Error - Returned Mail",
        "Postmaster@ezweb.example",
        "The user(s) account is disabled.\n\n{entry}\n\n--------\n{returned}",
        "<{to}>: {code} user unknown\n",
    ),
    Server(
        "kddi",
        "Mail System Error - Returned Mail",
        "no-reply@app.auone.example",
        "Your mail sent on: Tue, 3 Mar 2026 10:11:12 +0100\n    Could not be delivered to: {entry}\n    "
        "As their mailbox is full.\n\n{returned}",
        "<{to}>\n",
        several=False,
    ),
    Server(
        "x400",
        "Delivery Report",
        "MTA <postmaster@kunde.example>",
        "This report relates to a message you sent with the following header fields:\n\n  Message-id: "
        "{id}\n  Subject: [WEB-42] Termin\n\n"
        "Your message cannot be delivered to the following recipients:\n\n{entry}\n",
        "  Recipient address: {to}\n  Reason: {words}\n  Diagnostic code: smtp;{code} {status} {words}\n",
    ),
    Server(
        "pmdf",
        "Delivery Notification: Delivery has failed",
        "Internet Mail Delivery <postmaster@mx.kunde.example>",
        "This report relates to a message you sent with the following header fields:\n\n  Return-path: "
        "<{sender}>\n  Message-id: {id}\n"
        "  Date: Tue, 3 Mar 2026 10:11:12 +0100\n\nYour message cannot be delivered to the following "
        "recipients:\n\n{entry}\n",
        "  Recipient address: {to}\n  Reason: Remote SMTP server has rejected address\n  Diagnostic "
        "code: smtp;{code} {status} {words}\n"
        "  Remote system: dns;mx.kunde.example (TCP|192.0.2.7|1234|192.0.2.25|25)\n",
    ),
    Server(
        "interscan",
        "Mail delivery failed",
        '"InterScan NT Alert" <postmaster@kunde.example>',
        "Unable to deliver message to <{to}> (and other recipients in the same domain).\n\n"
        "************* Original message *************\n{returned}",
        "",
        several=False,
        says_class=False,
    ),
    Server(
        "interscan-msg",
        "Mail could not be delivered",
        "MAILER-DAEMON@kunde.example",
        "Sent >>> RCPT TO: <{to}>\nReceived <<< {code} {status} {words}\n\nUnable to deliver message to "
        "<{to}>.\n",
        "",
        several=False,
    ),
    Server(
        "zoho",
        "Undelivered Mail Returned to Sender",
        "mailer-daemon@mail.zoho.example",
        "This message was created automatically by mail delivery software.\n\nA message that you sent "
        "could not be delivered to one or more of its recipients. "
        "This is a permanent error.\n\n{entry}\n",
        "{to} {words}, ERROR_CODE :{code}, ERROR_CODE :{status} {words}\n",
    ),
    Server(
        "smtp32",
        "Undeliverable Mail",
        "Mail Administrator <postmaster@kunde.example>",
        "Unknown user: {to}\n\nOriginal message follows.\n\n{returned}",
        "",
        several=False,
        says_class=False,
    ),
    Server(
        "opensmtpd",
        "Delivery status notification: error",
        "Mailer Daemon <MAILER-DAEMON@mx.kunde.example>",
        "    Hi!\n\n    This is the MAILER-DAEMON, please DO NOT REPLY to this email.\n\n    An error "
        "has occurred while attempting to deliver a message for\n"
        "    the following list of recipients:\n\n{entry}\n    Below is a copy of the original "
        "message:\n\n{returned}",
        "{to}: {code} {status} {words}\n",
    ),
    Server(
        "opensmtpd-delayed",
        "Delivery status notification: warning",
        "Mailer Daemon <MAILER-DAEMON@mx.kunde.example>",
        "    Hi!\n\n    This is the MAILER-DAEMON, please DO NOT REPLY to this email.\n\n    A message "
        "is delayed for more than 4 hours for the following\n"
        "    list of recipients:\n\n{entry}\n    Please note that this is only a temporary failure "
        "report.\n    The message is kept in the queue for up to 4 days.\n",
        "{to}: 451 4.7.1 try again later\n",
        delayed=True,
    ),
    Server(
        "dragonfly",
        "Mail delivery failed",
        "MAILER-DAEMON <>",
        "This is the DragonFly Mail Agent v0.13 at mx.kunde.example.\n\nThere was an error delivering "
        "your mail to <{to}>.\n\n"
        "mx.kunde.example [192.0.2.25] did not like our RCPT TO:\n{code} {status} {words}\n\nOriginal "
        "message follows.\n\n{returned}",
        "",
        several=False,
    ),
    Server(
        "activehunter",
        "FAILURE NOTICE :",
        '"MAILER-DAEMON" <MAILER-DAEMON@mx.kunde.example>',
        "  ----- The following addresses had permanent fatal errors -----\n\n{entry}\n  ----- "
        "Transcript of session follows -----\n\n{code} {status} {words}\n",
        ">>> {to} <{to}>\n",
    ),
    Server(
        "merak",
        "Undelivered Mail Returned to Sender",
        "Merak Mail Server <postmaster@kunde.example>",
        "This message was created automatically by mail delivery software.\n\nA message that you sent "
        "could not be delivered to one or more of its recipients.\n\n{entry}\n",
        "Message to <{to}> failed: {code} {status} {words}\n",
    ),
    Server(
        "hmail",
        "Message undeliverable: [WEB-42] Termin",
        "mailer-daemon@kunde.example",
        "Your message did not reach some or all of the intended recipients.\n\n   Sent: Tue, 3 Mar 2026 "
        "10:11:12 +0100\n   Subject: [WEB-42] Termin\n\n"
        "The following recipient(s) could not be reached:\n\n{entry}\nhMailServer\n",
        "{to}\n   Error Type: SMTP\n   Remote server (192.0.2.25) issued an error.\n   hMailServer "
        "sent: RCPT TO:<{to}>\n"
        "   Remote server replied: {code} {status} {words}\n",
    ),
    Server(
        "surfcontrol",
        "Message could not be delivered",
        "SMTP Gateway <postmaster@kunde.example>",
        "Your message could not be sent.\nThe following recipients could not be reached:\n\n{entry}\n",
        "Recipient: <{to}>\nReason: {code} {status} {words}\n",
    ),
)
