"""Lines between two mails, and subjects of mails that pass another one on, in thirty languages: tables."""

from __future__ import annotations

#: The words between two rows of dashes: everything below is an older mail.
SEPARATORS = frozenset(
    {
        *(
            "ursprüngliche nachricht",
            "ursprungliche nachricht",
            "urspruengliche nachricht",
            "originalnachricht",
        ),
        *(
            "original-nachricht",
            "original nachricht",
            "ursprüngliche mail",
            "ursprüngliche e-mail",
            "original-mail",
        ),
        *("ursprüngliche mitteilung", "ursprünglicher termin", "originale nachricht", "urspr. nachricht"),
        *(
            "original message",
            "original email",
            "original e-mail",
            "original mail",
            "reply message",
            "reply header",
        ),
        *("original appointment", "message original", "original text", "previous message", "quoted message"),
        *("message d'origine", "message d’origine", "message initial", "courriel original", "mail original"),
        *(
            "mensaje original",
            "mensaje inicial",
            "messaggio originale",
            "mensagem original",
            "missatge original",
        ),
        *("oorspronkelijk bericht", "origineel bericht", "oorspronkelijke bericht", "originele bericht"),
        *(
            "oprindelig meddelelse",
            "oprindelig besked",
            "original meddelelse",
            "oprindelig mail",
            "originalmeddelelse",
        ),
        *("opprinnelig melding", "opprinnelig beskjed", "originalmelding", "opprinnelig e-post"),
        *("ursprungligt meddelande", "originalmeddelande", "ursprungligt mail", "originalmeddelandet"),
        *(
            "alkuperäinen viesti",
            "wiadomość oryginalna",
            "oryginalna wiadomość",
            "původní zpráva",
            "původní e-mail",
            "pôvodný e-mail",
            "pôvodná správa",
        ),
        *("eredeti üzenet", "eredeti levél", "mesaj original", "mesajul original", "исходное сообщение"),
        *("оригинальное сообщение", "исходное письмо", "первоначальное сообщение", "вихідне повідомлення"),
        *(
            "оригинал съобщение",
            "оригинално съобщение",
            "izvorna poruka",
            "originalna poruka",
            "изворна порука",
        ),
        *(
            "izvirno sporočilo",
            "prvotno sporočilo",
            "orijinal mesaj",
            "özgün ileti",
            "orijinal ileti",
            "özgün mesaj",
            "özgün e-posta",
        ),
        *(
            "αρχικό μήνυμα",
            "原始邮件",
            "原邮件",
            "原始郵件",
            "原始信件",
            "原始訊息",
            "元のメッセージ",
            "元のメール",
        ),
        *(
            "원본 메시지",
            "원본 메일",
            "원본메시지",
            "받은 메일 내용",
            "tin nhắn gốc",
            "thư gốc",
            "הודעה מקורית",
            "الرسالة الأصلية",
        ),
        *(
            "algne kiri",
            "algne sõnum",
            "sākotnējais ziņojums",
            "originalus laiškas",
            "pesan asli",
            "upphafleg skilaboð",
        ),
        *("jatorrizko mezua", "ข้อความต้นฉบับ", "ข้อความเดิม", "mesazhi origjinal", "urspr. mitteilung"),
    }
)

#: The same for mails that are passed on.
FORWARD_SEPARATORS = frozenset(
    {
        *(
            "weitergeleitete nachricht",
            "weitergeleitete mail",
            "weitergeleitet von",
            "anfang der weitergeleiteten nachricht",
        ),
        *(
            "forwarded message",
            "forwarded mail",
            "begin forwarded message",
            "forwarded by",
            "start forwarded message",
        ),
        *(
            "message transféré",
            "message transfere",
            "début du message réexpédié",
            "début du message transféré",
        ),
        *(
            "mensaje reenviado",
            "inicio del mensaje reenviado",
            "mensagem encaminhada",
            "início da mensagem encaminhada",
        ),
        *(
            "início da mensagem reencaminhada",
            "messaggio inoltrato",
            "inizio messaggio inoltrato",
            "forwarded message",
        ),
        *(
            "doorgestuurd bericht",
            "begin doorgestuurd bericht",
            "videresendt meddelelse",
            "videresendt besked",
        ),
        *(
            "start på videresendt besked",
            "videresendt melding",
            "vidarebefordrat meddelande",
            "börja vidarebefordrat brev",
        ),
        *("vidarebefordrat mejl", "välitetty viesti", "edelleenlähetetty viesti", "przekazana wiadomość"),
        *("wiadomość przekazana dalej", "přeposlaná zpráva", "preposlaná správa", "továbbított üzenet"),
        *(
            "mesaj redirecționat",
            "пересылаемое сообщение",
            "пересланное сообщение",
            "начало переадресованного сообщения",
        ),
        *("переслане повідомлення", "препратено съобщение", "proslijeđena poruka", "posredovano sporočilo"),
        *(
            "yönlendirilmiş ileti",
            "iletilmiş mesaj",
            "iletilen mesaj başlangıcı",
            "προωθημένο μήνυμα",
            "转发的邮件",
        ),
        *(
            "转发邮件信息",
            "轉寄郵件",
            "轉寄的郵件",
            "転送されたメッセージ",
            "전달된 메시지",
            "thư chuyển tiếp",
            "הודעה שהועברה",
        ),
        *(
            "الرسالة المعاد توجيهها",
            "edastatud kiri",
            "pārsūtītā vēstule",
            "persiųstas laiškas",
            "pesan terusan",
        ),
    }
)

#: Subjects of mails that pass another one on: their quote is their content.
FORWARD_PREFIXES = (
    *(
        "wg:",
        "wtr:",
        "fwd:",
        "fw:",
        "tr:",
        "rv:",
        "enc:",
        "i:",
        "doorst:",
        "vs:",
        "vb:",
        "pd:",
        "trs:",
        "továbbítás:",
    ),
    *(
        "fwd ",
        "转发:",
        "转发：",
        "轉寄:",
        "轉寄：",
        "转寄:",
        "fs:",
        "vl:",
        "weitergeleitet:",
        "weiterleitung:",
    ),
)
