"""Lines that programs and companies add below a letter: device notes, virus notes, list footers, closings,
contacts.
"""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LINKS = re.compile(r"<?\b(?:https?://|www\.)[^\s<>()]{1,2000}>?|\[[^\[\]]{1,200}\]\(\S{1,2000}\)")
_DEVICE = (
    "iphone|ipad|ipod|imac|macbook|android|samsung|galaxy|huawei|xiaomi|nokia|lumia|htc|lg|sony|"
    "xperia|pixel|oneplus|"
    "blackberry|windows phone|windows|handy|smartphone|mobiltelefon|mobilgerät|mobile|phone|tablet|"
    "outlook|gmail|yahoo|"
    "gmx|web\\.de|t-online|1&1|aol|mail|protonmail|proton|fastmail|thunderbird|spark|airmail|sparrow|"
    "mailbird|nine|"
    "bluemail|k-9|fairemail|inbox|boxer|zimbra|my\\.com|mail\\.ru|яндекс|почты|webmail|app|device|"
    "gerät|posteo|verizon|"
    "at&t|t-mobile|vodafone|telefon|telefone|teléfono|téléphone|móvil|celular|portable|cellulare|"
    "puhelin|telefonu|"
    "телефон|устройств|айфон|手机|手機|携帯|아이폰|hotmail|icloud|tutanota|mailbox|front|superhuman|hey|"
    "em client|postbox"
)
_DEVICE_WORD = re.compile(_DEVICE, re.IGNORECASE)
_SENT_FROM = (
    *(
        "von meinem",
        "von meiner",
        "gesendet von",
        "gesendet mit",
        "gesendet über",
        "gesendet aus",
        "versendet mit",
    ),
    *("verschickt mit", "versandt mit", "diese nachricht wurde von meinem", "diese e-mail wurde von meinem"),
    *(
        "mit der",
        "per mobile",
        "mobil gesendet",
        "unterwegs gesendet",
        "von unterwegs gesendet",
        "holen sie sich",
    ),
    *(
        "laden sie outlook",
        "outlook für",
        "sent from",
        "sent via",
        "sent with",
        "sent using",
        "sent on the go",
    ),
    *(
        "sent by",
        "get outlook",
        "yahoo mail: search",
        "downloade outlook",
        "download outlook",
        "composed on",
        "written on my",
        "typed on my",
    ),
    *("envoyé de", "envoyé depuis", "envoyé à partir de", "envoyé avec", "envoyé via", "télécharger outlook"),
    *("obtenez outlook", "obtenir outlook", "provenance :"),
    *(
        "enviado desde",
        "enviado de",
        "enviado do",
        "enviado da",
        "enviado a partir",
        "enviado con",
        "enviado via",
    ),
    *("obtener outlook", "obter o outlook", "obtenha o outlook", "mobile enviado", "enviat des"),
    *("inviato da", "inviato dal", "inviato con", "inviato tramite", "ottieni outlook", "scarica outlook"),
    *(
        "verzonden vanaf",
        "verzonden met",
        "verstuurd vanaf",
        "verstuurd met",
        "verzonden via",
        "outlook voor",
    ),
    *("sendt fra", "sendt via", "sendt med", "hent outlook", "få outlook", "skickat från", "skickad från"),
    *("hämta outlook", "lähetetty", "hanki outlook", "wysłane z", "wysłano z", "wysłane ze", "pobierz"),
    *(
        "odesláno z",
        "odesláno ze",
        "odoslané z",
        "odoslané zo",
        "získat outlook",
        "získať outlook",
        "elküldve",
    ),
    *(
        "küldve",
        "trimis de pe",
        "trimis din",
        "отправлено с",
        "отправлено из",
        "отправлено через",
        "скачать outlook",
    ),
    *("отправлено от", "надіслано з", "изпратено от", "poslano z", "poslano s", "poslano sa", "στάλθηκε από"),
    *(
        "απεσταλμένο από",
        "从我的",
        "发自我的",
        "發自我的",
        "从我",
        "寄自我的",
        "發送自",
        "发送自",
        "我的",
        "gửi từ",
        "dikirim dari",
    ),
    *(
        "saadetud minu",
        "nosūtīts no",
        "išsiųsta iš",
        "أُرسلت من",
        "أرسلت من",
        "تم الإرسال من",
        "נשלח מה",
        "נשלח מ",
    ),
)
_SENT_FROM_ANYTHING = ("sent from", "von meine", "gesendet von", "envoyé de", "enviado", "inviato da")
_SENT_END = (
    *(
        "gesendet",
        "gönderildi",
        "から送信",
        "에서 보냄",
        "에서 나의",
        "tulnud",
        "発送",
        "より送信",
        "发送",
        "發送",
        "küldve",
    ),
    *("beziehen", "herunterladen", "downloaden", "geschickt", "verschickt", "gesendet."),
)
_VIRUS = re.compile(
    r"virenfrei|virus-free|virus free|geprüft von avg|checked by avg|avast antivirus|von avast|"
    r"sin virus|sans virus|"
    r"garanti sans virus|libre de virus|privo di virus|virusvrij|wolny od wirusów|"
    r"diese e-mail wurde von avast",
    re.IGNORECASE,
)
_FOOTER = re.compile(
    r"mailing ?list|mailingliste|listinfo|unsubscribe|abbestellen|abmelden von|désabonner|désinscrire|"
    r"you received this message because|sie erhalten diese nachricht, weil|"
    r"sie haben diese nachricht erhalten|"
    r"you are receiving this|to view this discussion|reply to this email directly|view it on git|"
    r"diese e-mail direkt beantworten|darse de baja|uitschrijven|cancellare l'iscrizione|отписаться",
    re.IGNORECASE,
)
_DISCLAIMER = re.compile(
    r"(?:confidential|vertraulich|privileged|intended (?:only|solely|for)|intended recipient|"
    r"ausschließlich für|"
    r"richtige adressat|irrtümlich erhalten|nicht der (?:richtige|beabsichtigte|vorgesehene)|"
    r"bestimmungsgemäße|confidentiel|destinataire|confidencial|destinatario|riservat|vertrouwelijk|fortrolig|"
    r"konfidentiel|poufn|конфиденциальн)",
    re.IGNORECASE,
)
_MAIL_WORD = re.compile(
    r"e-?mail|message|nachricht|mitteilung|courriel|mensaje|messaggio|bericht|meddel|wiadomo|сообщени|"
    r"transmission",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"[\W_]{0,3}(?:"
    r"mit (?:den )?(?:freundlich|herzlich|best|schön|lieb|kollegial|sonnig|vielen|nett|"
    r"hochachtung)\w*\W{0,2}\w*"
    r"(?: (?:aus|von|nach) .{1,30})?|(?:mfg|mfG|lg|vg|bg|hg|bg|glg|vlg|bgr)\b.{0,20}|"
    r"(?:viele|beste|liebe|herzliche|schöne|freundliche|sonnige|nette|kollegiale|frdl\.?|freundl\.?|"
    r"allerbeste|"
    r"ganz liebe) (?:grüße|grüsse|gruesse|grüssle|grüßle|gruß|grüess)\w*.{0,40}|"
    r"(?:gruß|gruss|grüße|grüsse|gruesse|besten gruß|lieben gruß|schönen gruß|freundlichen gruß|besten dank|"
    r"vielen dank|herzlichen dank|danke|danke und gruß|hochachtungsvoll|servus|ciao|tschüss|bis dann|"
    r"bis bald)\b.{0,40}|"
    r"(?:with )?(?:best|kind|warm|kindest|warmest|many|sincere|friendly) (?:regards|wishes|greetings|"
    r"thanks)\b.{0,30}|"
    r"(?:regards|thanks|thank you|many thanks|thx|cheers|sincerely|yours|yours (?:sincerely|truly|"
    r"faithfully)|best|"
    r"br|rgds|kr|respectfully|cordially|take care|all the best|love|sincerely yours|with regards)\b.{0,25}|"
    r"(?:bien )?(?:cordialement|à vous|amicalement|sincèrement|salutations.{0,30}|"
    r"meilleures salutations|merci)\b.{0,20}|"
    r"bien à (?:vous|toi)|(?:un )?(?:saludo|saludos|cordial saludo|atentamente|gracias|abrazo)\b.{0,25}|"
    r"(?:cordiali|distinti|cari|tanti) saluti\b.{0,20}|(?:saluti|grazie|cordialmente)\b.{0,20}|"
    r"(?:atenciosamente|cumprimentos|obrigad[oa]|abraços?|att)\b.{0,20}|(?:melhores|"
    r"com os melhores) cumprimentos|"
    r"(?:met )?(?:vriendelijke|hartelijke) groet(?:en)?\b.{0,15}|(?:mvg|groeten|groetjes|groet|"
    r"bedankt)\b.{0,20}|"
    r"(?:med )?(?:venlig|vänlig|vennlig|bästa|de bedste|bedste|beste) (?:hilsen|hälsning|hilsner|"
    r"hälsningar)\w*.{0,20}|"
    r"(?:mvh|hilsen|hälsningar|vh|tack|tak|takk|hälsar)\b.{0,20}|(?:ystävällisin )?terveisin\b.{0,15}|t\.|"
    r"(?:z poważaniem|pozdrawiam|pozdrowienia|dziękuję)\b.{0,20}|(?:s pozdravem|s pozdravom|děkuji|"
    r"zdraví)\b.{0,20}|"
    r"(?:üdvözlettel|köszönöm|cu stimă|mulțumesc|lp|lep pozdrav|srdačan pozdrav|pozdrav)\b.{0,20}|"
    r"(?:с уважением|спасибо|всего доброго|з повагою|дякую|поздрави)\b.{0,20}|"
    r"(?:saygılarımla|iyi çalışmalar|teşekkürler|selamlar)\b.{0,20}|(?:με εκτίμηση|ευχαριστώ)\b.{0,20}|"
    r"(?:よろしくお願い.{0,10}|以上|敬具|此致|祝好|谢谢|謝謝|감사합니다|trân trọng)"
    r")[\W_]{0,4}",
    re.IGNORECASE,
)
_PHONE = re.compile(r"\+\d[\d ()/.\-]{6,20}|\b(?:0|\(0)\d[\d ()/.\-]{6,18}|\b\d{3}[-. ]\d{3,4}[-. ]\d{3,4}\b")
_CONTACT = re.compile(
    r"\b(?:tel|telefon|phone|fon|fax|mobil|mobile|handy|cell|tél|ph|direct|durchwahl|hotline|zentrale|"
    r"office)\b\.?"
    r"\s{0,3}[:.+(\d]|"
    r"\b(?:www\.|https?://)|\b[\w.+-]{1,64}@[\w-]{1,63}\.\w{2,}|\bhrb\b|\bhra\b|\bust-?id|amtsgericht|"
    r"registergericht|"
    r"geschäftsführ|vorstand|aufsichtsrat|handelsregister|sitz der gesellschaft|registered office|"
    r"vat\b|\bsiret\b|"
    r"\b(?:d|a|ch|de|at)-\d{4,5}\b|\b\d{5} [A-ZÄÖÜ]\w+|(?:straße|strasse|str\.|weg|platz|allee|gasse|"
    r"street|avenue|road)"
    r" \d{1,4}\b|\b\d{1,5} \w{2,20} (?:street|st|road|rd|avenue|ave|blvd|lane)\b",
    re.IGNORECASE,
)
_COMPANY = re.compile(
    r"\b(?:gmbh|mbh|ag|kg|ohg|ug|e\.v\.|gbr|se|inc|ltd|llc|plc|corp|s\.a\.|sarl|b\.v\.|s\.r\.l|oy|ab|"
    r"aps)\b\.?",
    re.I,
)


_CLAUSE = _words(
    "is was are were has have which that but because when i we you he she they did does "
    "ist war sind hat habe ich wir "
    "kam kommt aber weil nicht est sont était que mais es son pero era"
)
_EDGES = "*_>-–— .!|[]()"


def without_links(text: str) -> str:
    return " ".join(_LINKS.sub(" ", text).split())


def is_device_note(line: str, *, certain: bool = False) -> bool:
    """ "Sent from my iPhone" in any of many languages; with `certain` only if it names a known device or
    program.
    """
    if len(line) > 300:
        return False
    lower = line.lower().strip(_EDGES)
    starts = lower.startswith(_SENT_FROM)
    ends = lower.endswith((*_SENT_END, ">", ")"))
    if not (starts or ends or "vir" in lower or "avast" in lower or "avg" in lower):
        return False
    text = without_links(line).strip(_EDGES)
    if not text or len(text) > 120:
        return False
    if _VIRUS.search(text):
        return True
    lower = text.lower()
    starts = lower.startswith(_SENT_FROM)
    ends = lower.endswith(_SENT_END)
    if not (starts or ends):
        return False
    words = lower.split()
    if _DEVICE_WORD.search(lower):
        # "Sent from my desk, which is easier than the phone" is a sentence, not a note.
        return len(words) <= 14 and not _CLAUSE.intersection(words)
    if certain or not lower.startswith(
        ("sent from", "von meine", "gesendet von", "envoyé de", "enviado", "inviato da")
    ):
        return False
    return "," not in lower and len(words) <= 7 and not _CLAUSE.intersection(words)


def is_closing(line: str) -> bool:
    """A line that takes leave: "Mit freundlichen Grüßen", "Best regards,", "MfG Max"."""
    text = line.strip()
    return 0 < len(text) <= 70 and _CLOSING.fullmatch(text) is not None


def is_footer(line: str) -> bool:
    """What mailing lists and trackers add."""
    return _FOOTER.search(line[:400]) is not None


def is_disclaimer(line: str) -> bool:
    """The paragraph of a law department."""
    text = line[:1_500]
    return len(text) > 60 and _DISCLAIMER.search(text) is not None and _MAIL_WORD.search(text) is not None


def contact_signs(line: str) -> int:
    """How much a line looks like an address card: 0, 1 or 2."""
    text = line[:300]
    return min(2, bool(_PHONE.search(text)) + bool(_CONTACT.search(text)) + bool(_COMPANY.search(text)))
