"""Lines that people and companies set below a letter: closings, address cards, list footers, disclaimers.

Each of these tests is asked where a signature may begin; none of them cuts by itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from depesche.mailformat.reply_text.device_notes import without_links
from depesche.mailformat.reply_text.words import word_set

_FOOTER = re.compile(
    r"mailing ?list|mailingliste|listinfo|unsubscribe|abbestellen|abmelden von|désabonner|désinscrire|"
    r"you received this message because|sie erhalten diese nachricht, weil|"
    r"sie haben diese nachricht erhalten|"
    r"you are receiving this|to view this discussion|reply to this email directly|view it on git|"
    r"diese e-mail direkt beantworten|darse de baja|uitschrijven|cancellare l'iscrizione|отписаться",
    re.IGNORECASE,
)

#: What disclaimers speak of; a sentence of a person speaks of one or two of these, a disclaimer of more.
_DISCLAIMER_TOPICS = tuple(
    re.compile(topic, re.IGNORECASE)
    for topic in (
        r"confidential|vertraulich|confidentiel|confidencial|riservat|vertrouwelijk|fortrolig|konfidentiel|"
        r"konfidentsiaal|poufn|důvěrn|dôvern|bizalmas|конфиденциальн|gizli|luottamuksel",
        r"privileged|geheim|berufsgeheimnis|secret professionnel|legally protected|rechtlich geschützt|"
        r"privilegiad|segreto",
        r"intended (?:only|solely|for|exclusively)|intended recipient|named (?:above|recipient)|addressee|"
        r"(?:ausschließlich|nur) für (?:den|die|das|ihren)|bestimmungsgemäß|adressaten?|vorgesehene|"
        r"destin[ée]e? (?:exclusivement|uniquement)|destinataire|destinatari|geadresseerde|bestemd voor|"
        r"modtager|mottager|mottagare|vastaanottaj|adresat|příjemc|címzett|адресат|получател",
        r"in error|by mistake|irrtümlich|versehentlich|nicht der (?:richtige|beabsichtigte|vorgesehene)|"
        r"par erreur|"
        r"por error|por engano|per errore|abusivamente|per vergissing|ten onrechte|ved en fejl|ved en feil|"
        r"av misstag|erehdyksessä|omyłk|omylem|tévedés|по ошибке|ошибочно",
        r"\bdelet|destroy|vernicht|\blösch|supprim|détrui|elimin|borr[ae]|apag|distrugg|cancell|verwijder|"
        r"vernietig|\bslet|radera|usun|zniszcz|smaž|vymaž|töröl|удал|уничтож",
        r"notify|inform|benachrichtig|avis|avvis|contact the sender|verständig|underret|meddel|powiadom|"
        r"értesít|сообщ|уведом",
        r"unauthori[sz]ed|unbefugt|unerlaubt|nicht gestattet|prohibit|untersagt|interdit|prohibid|"
        r"proibid|viet[aá]|"
        r"verboden|forbudt|förbjud|zabronion|zakázán|tilos|запрещ",
        r"copying|dissemination|disclosure|distribution|weitergabe|vervielfältig|kopieren|diffusion|"
        r"divulgation|"
        r"difusión|reproduc|divulga|distribuzione|verspreiding|openbaar|rozpowszechni|распростран|копирован",
        r"liabilit|haftung|responsab|aansprakelijk|virus|malware|ansvar|odpowiedzialn",
        r"opinions? |views expressed|does not necessarily|meinung",
        r"before printing|consider the environment|an die umwelt|vor dem ausdruck|"
        r"pensez à l'environnement|avant d'imprimer|antes de imprimir|prima di stampare",
    )
)
_DISCLAIMER_TITLE = re.compile(
    r"[\W_]{0,5}(?:disclaimer|confidentiality(?: notice| note)?|legal notice|vertraulichkeitshinweis|"
    r"rechtlicher hinweis|haftungsausschluss|avis de confidentialité|avertissement|aviso legal|"
    r"aviso de confidencialidad\w*|avviso di riservatezza|clausola di riservatezza)\b[\W_]",
    re.IGNORECASE,
)
_MAIL_WORD = re.compile(
    r"e-?mail|message|nachricht|mitteilung|courriel|mensaje|mensagem|correo|messaggio|bericht|meddel|"
    r"melding|besked|viesti|wiadomo|zpráv|správ|üzenet|levél|сообщени|письм|transmission|communication",
    re.IGNORECASE,
)
_PRINTING = _DISCLAIMER_TOPICS[-1]

#: Words of leave-taking. Behind them a name may stand, or "from Cologne", but no sentence.
_CLOSING = re.compile(
    r"[\W_]{0,3}(?:"
    r"mit (?:den )?(?:freundlich|herzlich|best|schön|lieb|kollegial|sonnig|vielen|nett|vorzüglich)\w*"
    r"(?: (?:grüß|grüss|gruß|gruss|gruess|empfehlung|hochachtung|dank|wünsch)\w*)?|mit hochachtung|mit gruß|"
    r"(?:mfg|lg|vg|bg|hg|glg|vlg|bgr)\b|"
    r"(?:ganz )?(?:viele|beste|liebe|herzliche|schöne|freundliche|sonnige|nette|kollegiale|frdl\.?|"
    r"freundl\.?|"
    r"allerbeste|winterliche|sommerliche) (?:grüße|grüsse|gruesse|grüssle|grüßle|gruß|gruss|grüess)\w*|"
    r"(?:gruß|gruss|grüße|grüsse|gruesse|besten gruß|lieben gruß|schönen gruß|freundlichen gruß|besten dank|"
    r"vielen dank|herzlichen dank|danke|hochachtungsvoll|servus|ciao|tschüss|bis dann|bis bald)\b"
    r"(?: (?:und|&) (?:viele |beste |liebe |schöne )?(?:grüße|gruß|gruss))?|"
    r"(?:with )?(?:best|kind|warm|kindest|warmest|many|sincere|friendly) (?:regards|wishes|greetings|"
    r"thanks)\b|"
    r"(?:regards|thanks|thank you|many thanks|thx|cheers|sincerely|yours (?:sincerely|truly|faithfully)|"
    r"yours|"
    r"best|br|rgds|kr|respectfully|cordially|take care|all the best|love|sincerely yours|with regards)\b"
    r"(?: (?:and|&) (?:best |kind )?regards)?|"
    r"(?:bien )?(?:cordialement|à vous|amicalement|sincèrement|salutations|merci)\b|"
    r"meilleures salutations|sincères salutations|salutations distinguées|"
    r"bien à (?:vous|toi)|(?:un )?(?:saludo|saludos|cordial saludo|atentamente|gracias|abrazo)\b|"
    r"saludos cordiales|(?:cordiali|distinti|cari|tanti) saluti\b|(?:saluti|grazie|cordialmente)\b|"
    r"(?:atenciosamente|cumprimentos|obrigad[oa]|abraços?|att)\b|(?:melhores|com os melhores) cumprimentos|"
    r"(?:met )?(?:vriendelijke|hartelijke) groet(?:en)?\b|(?:mvg|groeten|groetjes|groet|bedankt)\b|"
    r"(?:med )?(?:venlig|vänlig|vennlig|bästa|de bedste|bedste|beste) (?:hilsen|hälsning|hilsner|"
    r"hälsningar)\w*|"
    r"(?:mvh|hilsen|hälsningar|vh|tack|tak|takk|hälsar)\b|(?:ystävällisin )?terveisin\b|t\.|kiitos\b|"
    r"(?:z poważaniem|pozdrawiam|pozdrowienia|dziękuję)\b|(?:s pozdravem|s pozdravom|děkuji|"
    r"zdraví|ďakujem)\b|"
    r"(?:üdvözlettel|köszönöm|üdv|cu stimă|mulțumesc|lp|lijep pozdrav|lep pozdrav|srdačan pozdrav|"
    r"pozdrav|hvala)\b|"
    r"(?:с уважением|спасибо|всего доброго|с наилучшими пожеланиями|з повагою|дякую|поздрави|с уважение)\b|"
    r"(?:saygılarımla|iyi çalışmalar|teşekkürler|selamlar)\b|(?:με εκτίμηση|ευχαριστώ)\b|"
    r"(?:よろしくお願い.{0,10}|以上|敬具|此致|祝好|谢谢|謝謝|감사합니다|trân trọng|salam|terima kasih)"
    r")",
    re.IGNORECASE,
)
_BETWEEN = word_set(
    "aus von nach vom from in and und et y e i og och en & im the à de der di van allerseits zusammen "
    "team beaucoup nochmals again advance voraus"
)
_LONE_WORD = re.compile(r"(?:best|love|t\.|att|br|kr|lp|tak|tack|yours|i|salam)\b", re.IGNORECASE)

_TIME_OR_DATE = re.compile(
    r"\d{4}-\d{2}-\d{2}|\d{1,2}\.\d{1,2}\.\d{2,4}|\d{1,2}/\d{1,2}/\d{2,4}|\d{1,2}:\d{2}(?::\d{2})?"
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
_LEGAL = re.compile(
    r"amtsgericht|registergericht|\bhr[ab]\b|geschäftsführ|vorstand|aufsichtsrat|handelsregister|ust-?id|"
    r"sitz der|registered (?:office|in)|\bvat\b|company (?:no|number|reg)|\bsiret\b|capital|\biban\b|\bbic\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.!?…:。！？]{1,3}[)\"'”»]?$")
_ABBREVIATION = re.compile(
    r"\b(?:inc|ltd|co|corp|dr|dipl|ing|st|str|jr|sr|e\.v|s\.a|b\.v|s\.r\.l|bzw|tel)\.$", re.IGNORECASE
)


def is_closing(line: str) -> bool:
    """A line that takes leave and nothing else: "Mit freundlichen Grüßen", "Best regards,", "MfG Max"."""
    text = line.strip()
    if not 0 < len(text) <= 70:
        return False
    match = _CLOSING.match(text)
    if match is None or text.endswith("?"):
        return False
    small = 0
    words = text[match.end() :].replace(",", " ").split()
    for word in words:
        bare = word.strip(".,;:!*_-()\"'/\\")
        if not bare or bare.lower() in _BETWEEN:
            continue
        if bare[0].isdigit():
            return False
        small += bare[0].islower()
    return len(words) <= 5 and small <= (0 if _LONE_WORD.match(text) else 1)


def is_footer(line: str) -> bool:
    """What mailing lists and trackers add."""
    return _FOOTER.search(line[:400]) is not None


def is_disclaimer(line: str) -> bool:
    """The paragraph of a law department, on one line."""
    text = line[:1_500]
    if _DISCLAIMER_TITLE.match(text):
        return True
    if not _MAIL_WORD.search(text):
        return False
    if len(text) <= 200 and _PRINTING.search(text) is not None and not text.endswith("?"):
        return True
    return len(text) > 60 and sum(topic.search(text) is not None for topic in _DISCLAIMER_TOPICS) >= 3


def is_disclaimer_paragraph(lines: Sequence[str]) -> bool:
    """The same for a paragraph that a program wrapped."""
    return is_disclaimer(" ".join(lines)[:1_500])


def contact_signs(line: str) -> int:
    """How much a line looks like an address card: 0, 1 or 2."""
    text = _TIME_OR_DATE.sub(" ", line[:300])
    return min(2, bool(_PHONE.search(text)) + bool(_CONTACT.search(text)) + bool(_COMPANY.search(text)))


def is_prose(line: str) -> bool:
    """A sentence, or a part of one, that somebody wrote into this letter; not a line of a card."""
    text = without_links(line).strip()
    if not text or _LEGAL.search(text) or is_disclaimer(text):
        return False
    if text.endswith("?"):
        return True
    words = text.split()
    lower = sum(word[0].islower() for word in words)
    if lower >= 5:
        return True
    ends = _SENTENCE_END.search(text) is not None and not _ABBREVIATION.search(text)
    if ends and not any(character.islower() or character.isupper() for character in text[:40]):
        return len(text) >= 6  # a script without capitals
    return ends and lower >= 1 and len(words) >= 2
