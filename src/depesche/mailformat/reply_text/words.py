"""What mail programs write around a quote, in some thirty languages: tables only, no decisions.

German and English first, the others in the order of their codes. To teach a language: its verb of writing
as it stands at the end of an attribution line, the labels of a forwarded header, and the separator between
the texts.
"""

from __future__ import annotations

#: Verbs of writing, as they end an attribution ("On …, Jane wrote:") or stand in it ("Jane schrieb am …:").
WROTE = (
    *(
        "schrieb",
        "schrieben",
        "hat geschrieben",
        "geschrieben",
        "schriebst du",
        "schrieben sie",
        "schreibt",
        "schrieb folgendes",
    ),
    *("wrote", "writes", "has written", "wrote the following", "said", "as excerpted"),
    *("كتب", "كتبت", "كتب/كتبت"),  # ar
    *("написа", "написа/а"),  # bg
    *("va escriure", "ha escrit", "escrigué", "missatge de"),  # ca
    *("napsal", "napsala", "napsal(a)", "napsal/a"),  # cs
    *("skrev", "skrev følgende", "skreiv"),  # da, no, sv
    *("έγραψε", "έγραψαν"),  # el
    *("escribió", "escribio", "ha escrito", "escribe"),  # es
    *("kirjutas",),  # et
    *("idatzi du", "igorleak hau idatzi du"),  # eu
    *("kirjoitti", "kirjoitti näin"),  # fi
    *("a écrit", "a ecrit", "à écrit", "écrit", "a écris"),  # fr
    *("escribiu",),  # gl
    *("כתב", "כתבה", "כתב/ה"),  # he
    *(
        "je napisao",
        "je napisala",
        "je napisao/la",
        "napisao je",
        "napisao",
        "napisala",
        "napisao/la",
    ),  # hr, sr
    *("је написао", "је написала", "је написао/ла", "написао је", "napisao/la je"),
    *("írta", "ezt írta", "írta (időpont", "a következőt írta"),  # hu
    *("menulis", "menulis pesan"),  # id
    *("skrifaði",),  # is
    *("ha scritto", "scrisse", "scrive", "ha scritto quanto segue"),  # it
    *("のメール", "書きました", "書いた", "さんは書きました", "のメッセージ", "さんのメール"),  # ja
    *("작성", "님이 작성", "썼습니다", "작성하였습니다", "님이 쓴 글", "쓴 글", "쓰셨습니다"),  # ko
    *("rašė", "parašė"),  # lt
    *("rakstīja",),  # lv
    *("schreef", "schreven", "geschreven", "het volgende geschreven", "schreef het volgende"),  # nl
    *(
        "napisał",
        "napisał(a)",
        "napisała",
        "napisał/a",
        "pisze",
        "napisal",
        "napisal(a)",
        "naskrobał",
        "napisana przez",
    ),  # pl
    *("escreveu", "escreveram"),  # pt
    *("a scris",),  # ro
    *("написал", "написал(а)", "написала", "пишет", "писал", "писала", "писал(а)", "написал/а"),  # ru
    *("napísal", "napísala", "napísal(a)", "napísal/a"),  # sk
    *("je napisal", "je napisala", "je napisal/a", "napisal/a"),  # sl
    *("shkroi",),  # sq
    *("เขียนว่า", "เขียน"),  # th
    *("yazdı", "şunu yazdı", "şunları yazdı", "yazmış", "tarihinde şunu yazdı"),  # tr
    *("написав", "написала", "написав(-ла)", "пише", "писав"),  # uk
    *("đã viết", "viết"),  # vi
    *("写道", "写到", "寫道", "写信给", "撰寫", "的來信", "来信"),  # zh
)

#: Horde, SquirrelMail and others: "Quoting Jane Doe <jane@…>:"
QUOTING = (
    *("quoting", "zitat von", "zitiere", "citando a", "citando", "citaat van", "citerar", "citerer", "selon"),
    *("citát od", "cytowanie", "idézet", "quoted", "lainaus", "citazione da", "цитирую"),
)


def word_set(text: str) -> frozenset[str]:
    """The words of a text, for tables."""
    return frozenset(text.split())


#: First words of an attribution in front of a date.
ON = word_set(
    "在 في בתאריך ב on am le el il em op den d. w dnia dne dňa в на у στις pe pada vào "
    "em, am, on, ons tor fre lör sön mån tis man tir lør søn ma di wo do vr za zo lun mar mer "
    "jeu ven sam dim lun. mar. mer. jeu. ven. sam. dim. il giorno in data a la fecha zot op, "
    "ngày vào lúc вс пн вт ср чт пт сб нд quando at mo di mi do fr sa so mo. di. mi. do. fr. "
    "sa. so. mon tue wed thu fri sat sun monday tuesday wednesday thursday friday saturday "
    "sunday montag dienstag mittwoch donnerstag freitag samstag sonntag "
)

_LABELS: dict[str, tuple[str, ...]] = {
    "from": (
        *("von", "absender", "from", "sender", "de", "da", "van", "fra", "från", "lähettäjä", "od", "feladó"),
        *(
            "de la",
            "от",
            "від",
            "от кого",
            "kimden",
            "gönderen",
            "από",
            "发件人",
            "發件人",
            "寄件者",
            "寄件人",
            "差出人",
        ),
        *(
            "送信者",
            "from名",
            "보낸 사람",
            "보낸사람",
            "보낸이",
            "từ",
            "người gửi",
            "من",
            "מאת",
            "saatja",
            "no",
            "nuo",
            "remitente",
        ),
        *("expéditeur", "mittente", "afzender", "avsender", "afsender", "avsändare", "nadawca", "odesílatel"),
        *(
            "odosielateľ",
            "expeditor",
            "отправитель",
            "dari",
            "frá",
            "pošiljatelj",
            "šalje",
            "šalie",
            "od koho",
        ),
        *("remetente", "message de", "nachricht von", "mail von", "e-mail von", "จาก", "patik"),
    ),
    "date": (
        *(
            "gesendet",
            "datum",
            "gesendet am",
            "gesendet um",
            "verschickt",
            "sent",
            "date",
            "sent at",
            "date sent",
        ),
        *(
            "envoyé",
            "envoyé le",
            "date d'envoi",
            "enviado",
            "enviado el",
            "enviado em",
            "enviada em",
            "enviada",
        ),
        *(
            "enviada el",
            "enviat",
            "enviat el",
            "fecha",
            "data",
            "inviato",
            "data invio",
            "verzonden",
            "verzonden op",
            "sendt",
            "dato",
        ),
        *(
            "skickat",
            "skickad",
            "lähetetty",
            "päivä",
            "päiväys",
            "päivämäärä",
            "wysłano",
            "odesláno",
            "odoslané",
        ),
        *("elküldve", "küldve", "dátum", "trimis", "отправлено", "дата", "надіслано", "изпратено", "poslano"),
        *(
            "poslané",
            "poslato",
            "gönderildi",
            "gönderilme tarihi",
            "tarih",
            "στάλθηκε",
            "ημερομηνία",
            "发送时间",
        ),
        *(
            "发送日期",
            "日期",
            "时间",
            "時間",
            "寄件日期",
            "傳送時間",
            "送信日時",
            "日時",
            "日付",
            "날짜",
            "보낸 날짜",
        ),
        *(
            "보낸날짜",
            "đã gửi",
            "ngày",
            "ngày gửi",
            "saadetud",
            "kuupäev",
            "nosūtīts",
            "išsiųsta",
            "message du",
        ),
        *("tanggal", "dikirim", "تاريخ", "التاريخ", "تم الإرسال", "נשלח"),
        *("תאריך", "sendt dato", "ส่ง", "วันที่"),
    ),
    "to": (
        *(
            "an",
            "empfänger",
            "to",
            "recipient",
            "à",
            "a",
            "para",
            "aan",
            "til",
            "till",
            "vastaanottaja",
            "do",
        ),
        *(
            "komu",
            "címzett",
            "către",
            "catre",
            "кому",
            "до",
            "za",
            "kime",
            "alıcı",
            "προς",
            "收件人",
            "收件者",
        ),
        *(
            "宛先",
            "받는 사람",
            "받는사람",
            "받는이",
            "đến",
            "tới",
            "người nhận",
            "kam",
            "kellele",
            "saaja",
            "kepada",
            "إلى",
        ),
        *("אל", "pre", "destinataire", "destinataires", "destinatario", "destinatário", "prejemnik", "prima"),
        *("per a", "la", "til:", "ถึง", "ke", "primatelj"),
    ),
    "cc": (
        *("cc", "cci", "bcc", "kopie", "kopie an", "copie", "copie à", "kopi", "kopia", "kopio", "dw", "udw"),
        *(
            "másolat",
            "копия",
            "копія",
            "bilgi",
            "κοιν",
            "κοιν.",
            "抄送",
            "副本",
            "참조",
            "kopija",
            "cc an",
            "blindkopie",
        ),
        *("copia", "cópia", "con copia", "c.c", "kopie (cc)", "kpo", "skrytá kopie", "cópia oculta", "kópia"),
    ),
    "subject": (
        *(
            "betreff",
            "thema",
            "subject",
            "re",
            "objet",
            "sujet",
            "asunto",
            "assunto",
            "oggetto",
            "ogg",
            "onderwerp",
            "emne",
        ),
        *(
            "ämne",
            "aihe",
            "temat",
            "předmět",
            "predmet",
            "tárgy",
            "subiect",
            "тема",
            "относно",
            "naslov",
            "zadeva",
        ),
        *(
            "konu",
            "θέμα",
            "主题",
            "主題",
            "主旨",
            "标题",
            "件名",
            "제목",
            "chủ đề",
            "teema",
            "temats",
            "tema",
        ),
        *("perihal", "subjek", "الموضوع", "נושא", "assumpte", "efni", "เรื่อง", "предмет", "gaia"),
    ),
    "other": (
        *(
            "reply-to",
            "reply to",
            "antwort an",
            "antworten an",
            "répondre à",
            "responder a",
            "rispondi a",
            "svar til",
        ),
        *(
            "wichtigkeit",
            "importance",
            "priorität",
            "priority",
            "importancia",
            "importanza",
            "priorità",
            "urgentie",
        ),
        *(
            "anlagen",
            "anhang",
            "anhänge",
            "attachments",
            "attachment",
            "pièces jointes",
            "allegati",
            "bijlagen",
        ),
        *(
            "organization",
            "organisation",
            "company",
            "newsgroups",
            "mailing-list",
            "list-id",
            "message-id",
            "x-mailer",
        ),
        *("ansprechpartner", "vertraulichkeit", "sensitivity", "signiert von", "signed-by", "mailed-by"),
    ),
}

#: Label of a header line, in lower case, to what it names.
HEADER_LABELS: dict[str, str] = {label: role for role, labels in _LABELS.items() for label in labels}
