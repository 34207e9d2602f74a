"""Mail of people and shops that speaks of failed delivery; none of it is a report about a mail of ours."""

from __future__ import annotations

#: (From, further headers, Subject, body)
NO_REPORTS: tuple[tuple[str, str, str, str], ...] = (
    (
        "DHL <delivery@parcel.example>",
        "",
        "Your parcel could not be delivered",
        "Dear customer,\n\nyour parcel 12345 could not be delivered to the following address:\n\nJana Vogt\n"
        "Hauptstraße 12\n10115 Berlin\n\nContact: jana.vogt@kunde.example\n",
    ),
    (
        "Paketdienst <zustellung@paket.example>",
        "",
        "Ihre Sendung konnte nicht zugestellt werden",
        "Guten Tag,\n\nIhre Sendung konnte heute nicht zugestellt werden. Bitte antworten Sie an\n"
        "kundendienst@paket.example oder holen Sie sie ab.\n",
    ),
    (
        "Jana Vogt <jana@kunde.example>",
        "In-Reply-To: <web-42.n9@firma.example>\n",
        "Re: [WEB-42] Mail delivery failed",
        "Hallo,\n\nbei uns kommt 'Mail delivery failed: returning message to sender' für max@firma.example.\n"
        "Die Meldung sagt: 550 5.1.1 User unknown.\n\nJana\n",
    ),
    (
        "Jana Vogt <jana@kunde.example>",
        "",
        "Undelivered Mail Returned to Sender",
        "Guten Tag,\n\ndiese Meldung bekomme ich immer, wenn ich an info@firma.example schreibe. Woran "
        "liegt es?\n",
    ),
    (
        "Jana Vogt <jana@kunde.example>",
        "",
        "Mails werden nicht zugestellt",
        "Unsere Mails an max@firma.example konnten nicht zugestellt werden.\nWas sollen wir tun?\n",
    ),
    (
        "postmaster <postmaster@kunde.example>",
        "In-Reply-To: <web-42.n9@firma.example>\n",
        "Re: [WEB-42] Termin",
        "Hello,\n\nI am the postmaster here. The mailbox of jana@kunde.example is full, I will clear it "
        "today.\n",
    ),
    (
        "Nagios <nagios@firma.example>",
        "",
        "PROBLEM: mail queue is CRITICAL",
        "Host: mx.firma.example\nState: CRITICAL\nInfo: 120 messages could not be delivered, last to "
        "jana@kunde.example\n",
    ),
    (
        "Newsletter <news@deliverability.example>",
        "List-Unsubscribe: <https://deliverability.example/u>\n",
        "Why was my mail not delivered?",
        "10 reasons why a message could not be delivered:\n1. user unknown\n2. mailbox full\nWrite to "
        "us: hello@deliverability.example\n",
    ),
    (
        "Support <support@host.example>",
        "",
        "Ticket 42: delivery failed for your domain",
        "Hello,\n\nwe looked into it: delivery to jana@kunde.example failed because of SPF.\nRegards\n"
        "Support\n",
    ),
    (
        "Bank <service@bank.example>",
        "",
        "Payment returned to sender",
        "Your payment of 12.00 EUR was returned. The recipient account is unknown.\nQuestions: "
        "service@bank.example\n",
    ),
    (
        "Max <max@firma.example>",
        "",
        "failure notice",
        "The alarm in building 3 sent a failure notice at 10:11.\nPlease call max@firma.example.\n",
    ),
    (
        "Calendar <calendar@firma.example>",
        "",
        "Delivery report for March",
        "The report of all deliveries to kunde.example is attached. Total: 120, failed: 3.\n",
    ),
    (
        "Jana Vogt <jana@kunde.example>",
        "",
        "Fwd: Delivery Status Notification (Failure)",
        "Können Sie das prüfen?\n\n---------- Forwarded message ---------\nFrom: Mail Delivery Subsystem "
        "<mailer-daemon@googlemail.com>\nDate: Tue, 3 Mar 2026 at 10:11\nSubject: Delivery Status "
        "Notification "
        "(Failure)\nTo: <jana@kunde.example>\n\nAddress not found\nYour message wasn't delivered to "
        "max@firma.example\n",
    ),
    (
        "Jana Vogt <jana@kunde.example>",
        "",
        "Rückläufer",
        "Anbei der Text:\n\n<max@firma.example>: host mx.firma.example[192.0.2.7] said: 550 5.1.1 User "
        "unknown\n"
        "    (in reply to RCPT TO command)\n\nWas ist da los?\n",
    ),
)
