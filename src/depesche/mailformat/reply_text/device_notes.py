""" "Sent from my iPhone": the notes that phones, programs and virus scanners add, in some thirty languages.

A note is a frame ("sent from …", "von … gesendet") around the name of a device or program. A sentence of a
person may begin in the same way ("Sent from the warehouse yesterday"), so what stands in the frame must be
nothing but such a name: known devices and programs, words written with a capital, and small words between
them. To teach a language: its frame, its small words, its words for a device.
"""

from __future__ import annotations

import re

from depesche.mailformat.reply_text.words import word_set

_LONGEST = 300
_MOST_WORDS = 14

#: (beginning, end); an empty end means that the name stands last, an empty beginning that it stands first.
_FRAMES: tuple[tuple[str, str], ...] = (
    *(
        ("von", "gesendet"),
        ("vom", "gesendet"),
        ("mit", "gesendet"),
        ("über", "gesendet"),
        ("aus", "gesendet"),
    ),
    *(
        ("per", "gesendet"),
        ("via", "gesendet"),
        ("gesendet von", ""),
        ("gesendet vom", ""),
        ("gesendet mit", ""),
    ),
    *(("gesendet über", ""), ("gesendet aus", ""), ("gesendet via", ""), ("gesendet per", "")),
    *(("versendet mit", ""), ("versendet von", ""), ("verschickt mit", ""), ("verschickt von", "")),
    *(("versandt mit", ""), ("versandt von", ""), ("mit", "verschickt"), ("von", "verschickt")),
    *(("mit", "versendet"), ("von", "versendet"), ("von", "geschickt"), ("mit", "geschickt")),
    *(("geschrieben auf", ""), ("geschrieben mit", ""), ("von", "geschrieben"), ("auf", "getippt")),
    *(("diese nachricht wurde von", "gesendet"), ("diese nachricht wurde mit", "gesendet")),
    *(("diese nachricht wurde von", "verschickt"), ("diese nachricht wurde mit", "verschickt")),
    *(("diese e-mail wurde von", "gesendet"), ("diese e-mail wurde mit", "gesendet")),
    *(("diese mail wurde von", "gesendet"), ("diese mail wurde mit", "gesendet")),
    *(("diese mail wurde mobil", "gesendet"), ("diese e-mail wurde mobil", "gesendet")),
    *(("diese nachricht wurde mobil", "gesendet"), ("diese mail wurde von", "verschickt")),
    *(("diese e-mail wurde mit", "verschickt"), ("diese e-mail wurde von", "verschickt")),
    *(("holen sie sich", ""), ("laden sie", "herunter"), ("laden sie", ""), ("beziehen sie", "")),
    *(("outlook für", "herunterladen"), ("outlook für", "beziehen"), ("outlook für", "")),
    *(
        ("sent from", ""),
        ("sent via", ""),
        ("sent with", ""),
        ("sent using", ""),
        ("sent by", ""),
        ("sent through", ""),
    ),
    *(("sent on", ""), ("get", ""), ("download", ""), ("composed on", ""), ("composed with", "")),
    *(("written on", ""), ("typed on", ""), ("typed with", ""), ("this email was sent from", "")),
    *(
        ("this message was sent from", ""),
        ("this email was sent with", ""),
        ("this message was sent with", ""),
    ),
    *(
        ("message sent from", ""),
        ("message sent via", ""),
        ("message sent with", ""),
        ("yahoo mail: search", ""),
    ),
    *(("envoyé de", ""), ("envoyé depuis", ""), ("envoyé à partir de", ""), ("envoyé à partir d'", "")),
    *(("envoyé avec", ""), ("envoyé via", ""), ("envoyée depuis", ""), ("envoyé par", ""), ("envoyé d'", "")),
    *(("télécharger", ""), ("téléchargez", ""), ("obtenez", ""), ("obtenir", ""), ("provenance :", "")),
    *(
        ("enviado desde", ""),
        ("enviado de", ""),
        ("enviado con", ""),
        ("enviado via", ""),
        ("enviado vía", ""),
    ),
    *(("enviado do", ""), ("enviado da", ""), ("enviado a partir do", ""), ("enviado a partir da", "")),
    *(
        ("enviado a partir de", ""),
        ("enviado com", ""),
        ("enviado por", ""),
        ("enviado pelo", ""),
        ("enviado pela", ""),
    ),
    *(
        ("enviado mediante", ""),
        ("obtener", ""),
        ("obtén", ""),
        ("descargar", ""),
        ("obter o", ""),
        ("obter", ""),
    ),
    *(("obtenha o", ""), ("baixe o", ""), ("enviat des", ""), ("enviat amb", ""), ("enviado dende", "")),
    *(
        ("inviato da", ""),
        ("inviato dal", ""),
        ("inviato dall'", ""),
        ("inviato con", ""),
        ("inviato tramite", ""),
    ),
    *(("inviato mediante", ""), ("inviata da", ""), ("ottieni", ""), ("scarica", "")),
    *(("verzonden vanaf", ""), ("verzonden met", ""), ("verzonden via", ""), ("verzonden vanuit", "")),
    *(("verstuurd vanaf", ""), ("verstuurd met", ""), ("verstuurd via", ""), ("verstuurd vanuit", "")),
    *(("outlook voor", "downloaden"), ("outlook voor", ""), ("download", ""), ("downloaden", "")),
    *(("sendt fra", ""), ("sendt via", ""), ("sendt med", ""), ("hent", ""), ("få", ""), ("last ned", "")),
    *(
        ("skickat från", ""),
        ("skickad från", ""),
        ("skickades från", ""),
        ("skickat med", ""),
        ("skickat via", ""),
    ),
    *(("hämta", ""), ("lähetetty", ""), ("hanki", ""), ("sent úr", ""), ("sent frá", "")),
    *(
        ("wysłane z", ""),
        ("wysłano z", ""),
        ("wysłane ze", ""),
        ("wysłano ze", ""),
        ("wysłane za pomocą", ""),
    ),
    *(("wysłano za pomocą", ""), ("wysłane przez", ""), ("wysłano przez", ""), ("pobierz", "")),
    *(
        ("odesláno z", ""),
        ("odesláno ze", ""),
        ("odesláno pomocí", ""),
        ("odoslané z", ""),
        ("odoslané zo", ""),
    ),
    *(("odoslané pomocou", ""), ("získat", ""), ("získať", ""), ("stáhnout", ""), ("stiahnuť", "")),
    *(
        ("elküldve", ""),
        ("küldve", ""),
        ("", "küldve"),
        ("", "elküldve"),
        ("", "beszerzése"),
        ("", "letöltése"),
    ),
    *(
        ("trimis de pe", ""),
        ("trimis din", ""),
        ("trimis de la", ""),
        ("trimis prin", ""),
        ("descărcați", ""),
    ),
    *(
        ("obțineți", ""),
        ("отправлено с", ""),
        ("отправлено со", ""),
        ("отправлено из", ""),
        ("отправлено через", ""),
    ),
    *(("отправлено от", ""), ("отправлено при помощи", ""), ("отправлено с помощью", ""), ("скачать", "")),
    *(
        ("загрузить", ""),
        ("надіслано з", ""),
        ("надіслано із", ""),
        ("надіслано через", ""),
        ("відправлено з", ""),
    ),
    *(
        ("отримати", ""),
        ("завантажити", ""),
        ("изпратено от", ""),
        ("изпратено с", ""),
        ("изпратено чрез", ""),
    ),
    *(("poslano z", ""), ("poslano s", ""), ("poslano sa", ""), ("poslano iz", ""), ("poslano putem", "")),
    *(("poslato sa", ""), ("послато са", ""), ("prenesite", ""), ("preuzmite", ""), ("στάλθηκε από", "")),
    *(("απεσταλμένο από", ""), ("λήψη του", ""), ("saadetud minu", ""), ("saadetud", ""), ("", "saadetud")),
    *(("nosūtīts no", ""), ("išsiųsta iš", ""), ("", "gönderildi"), ("", "ile gönderildi"), ("", "edinin")),
    *(
        ("", "indirin"),
        ("gửi từ", ""),
        ("được gửi từ", ""),
        ("tải", ""),
        ("dikirim dari", ""),
        ("dihantar dari", ""),
    ),
    *(
        ("أُرسلت من", ""),
        ("أرسلت من", ""),
        ("تم الإرسال من", ""),
        ("مرسل من", ""),
        ("נשלח מה", ""),
        ("נשלח מ", ""),
    ),
    *(("ส่งจาก", ""), ("bidalia", ""), ("mobile enviado", "")),
)
_BEGINNINGS: dict[str, list[tuple[str, str]]] = {}
_ENDINGS: list[tuple[str, str]] = []
for _begin, _end in _FRAMES:
    if _begin:
        _BEGINNINGS.setdefault(_begin.split()[0], []).append((_begin, _end))
    else:
        _ENDINGS.append((_begin, _end))
for _frames in _BEGINNINGS.values():
    _frames.sort(key=lambda frame: (-len(frame[0]), -len(frame[1])))
_FIRST_LETTERS = tuple(sorted({begin[:2] for begin in _BEGINNINGS}))
_LAST_WORDS = tuple(end for _, end in _ENDINGS)

#: Languages that write without spaces: the whole line.
_WHOLE = re.compile(
    r"(?:[发發寄]自|[来來]自|[从從發发]).{0,3}我的.{1,30}|"
    r"[从從].{1,20}[发發]送|[发發]送自.{1,30}|我的(?:[a-z0-9 ]{2,30}|手[机機]|"
    r"平板)[发發傳传]送|"
    r"(?:获取|取得|下载|下載).{0,3}outlook.{0,20}|.{1,30}(?:から|より)送信(?:しました|されました)?|"
    r".{0,20}outlook.{0,20}を入手|"
    r".{1,40}에서 (?:나의 .{1,20} ?)?(?:보냄|보냈습니다|전송함)|.{0,20}outlook.{0,20}(?:받기|다운로드)",
    re.IGNORECASE,
)
_DEVICE = re.compile(
    r"(?:i-?phon\w*|ipad\w*|ipod\w*|imac|macbook|android\w*|samsung\w*|galaxy|huawei|xiaomi|redmi|oppo|"
    r"vivo|honor|"
    r"realme|motorola|nokia|lumia|htc|lg|sony|xperia|pixel|oneplus|fairphone|blackberry\w*|windows|"
    r"handy|\w*phone\w*|"
    r"smartphone\w*|smartfon\w*|\w*telefon\w*|\w*mobil\w*|\w*gerät|\w*mobiel\w*|tablet\w*|mobile|cell|"
    r"cellphone|phone|device|"
    r"outlook\w*|gmail|googlemail|yahoo|gmx|web\.de|t-online|1&1|ionos|freenet|aol|proton|protonmail|"
    r"fastmail|thunderbird|"
    r"spark|airmail|sparrow|mailbird|nine|bluemail|k-9|k9|fairemail|inbox|boxer|zimbra|zimbry|my\.com|"
    r"mail\.ru|яндекс\w*|"
    r"почт\w*|webmail\w*|app|posteo|mailbox\.org|verizon|at&t|t-mobile|vodafone|o2|orange|telef\w*|"
    r"téléphone\w*|móvil|"
    r"celular|portable|cellulare|puhelim\w*|телефон\w*|телефона|устройств\w*|айфон\w*|смартфон\w*|"
    r"hotmail|icloud|tutanota|"
    r"tuta|mailbox|front|superhuman|hey|missive|mailspring|postbox|emclient|client|mail|mutt|e-mail-app|"
    r"mailapp|appareil|"
    r"application\w*|aplicativo|aplicación|dispositivo\w*|apparaat|toestel|enhet\w*|enhed|laite\w*|"
    r"urządzeni\w*|aplikac\w*|"
    r"zařízení|zariadeni\w*|készülék\w*|eszköz\w*|dispozitiv\w*|uređaj\w*|naprav\w*|συσκευή|κινητό|"
    r"cihaz\w*|seade\w*|"
    r"điện|thiết|tapatalk|webapp|desktop|laptop|computer|ios|macos|whatsapp|teams|zoho|netscape|"
    r"nextcloud|roundcube)",
    re.IGNORECASE,
)
_SMALL = word_set(
    "my mein meine meinem meinen meiner meinem/meiner mon ma mes notre mi mis meu minha mio mia mijn "
    "min mitt mit minun mój moje mojego mojej mého mé mojho môjho moj mojega моего мого моя моят мой "
    "minu mana mano saya của tôi μου benim az a an the der die das dem den des ein einem einer le la "
    "les l' l un une el los o os il lo i de d' da do du del della di von vom van z ze zo s sa iz из с "
    "со от за на для für for pour para per voor til till to pro pre dla pe din on auf sur en su op på "
    "na em no ad at am with avec con com met med using via by from and und et y e og och för pentru "
    "το mog app apps mail e-mail email mobile mobiles mobilen mobilem smart handheld wireless secure "
    "free new all-new powered network service unterwegs mobil go système system sistema aplikacja "
    "systemu aplikaci aplikácie aplikacji mobilnej aplikacije мобильной мобильного моей поздно "
    "appareil l'application application aplicación aplicativo 版 için minä laitteesta laitteeltani "
    "sähköpostista enhet enhed gerät device phone smartphone tablet telefon teléfono verschlüsselten "
    "sicheren kostenlosen gratis"
)
_POSSESSIVE = re.compile(
    r"(?:my|a|an|mein\w{0,2}|mon|ma|mi|meu|minha|mio|mia|mijn|min|mitt)\b", re.IGNORECASE
)
_WHEN = re.compile(
    r"\b(?:yesterday|today|tomorrow|monday|tuesday|wednesday|thursday|friday|saturday|sunday|gestern|"
    r"heute|morgen|"
    r"hier|ayer|ieri|ontem|gisteren|already|bereits|schon)\b",
    re.IGNORECASE,
)
_APOLOGY = re.compile(
    r"excuse|typo|brev|forgive|autocorrect|tippfehler|entschuldig|verzeih|kürze|rechtschreib|spelling|"
    r"errors|fautes",
    re.IGNORECASE,
)
_WEAK = ("sent from", "envoyé de mon", "enviado desde mi", "enviado do meu", "inviato dal mio", "von mein")
_LINKS = re.compile(r"<?\b(?:https?://|www\.)[^\s<>()]{1,2000}>?|\[[^\[\]]{1,200}\]\(\S{1,2000}\)")
_LABELLED_LINK = re.compile(r"\[([^\[\]]{1,200})\]\(\S{1,2000}\)")
_EMPTY_BRACKETS = re.compile(r"[(<\[]\s{0,5}[)>\]]")
_EDGES = "*_>-–— .!|[]()~“”\"'/\\#"
_VIRUS = re.compile(
    r"(?:diese e-?mail wurde von avast|dieses e-?mail wurde auf viren|virenfrei\b|virus-?free\b|libre "
    r"de virus|sin virus\b|"
    r"garanti sans virus|sans virus\b|privo di virus|virusvrij|virusfri\b|livre de vírus|"
    r"wolny od wirusów|wolna od wirusów|без вирусов|this email has been checked for viruses|"
    r"no virus found in this|checked by avg|geprüft von avg|von avg geprüft|scanned by|"
    r"this e-?mail is free from viruses)",
    re.IGNORECASE,
)


def without_links(text: str) -> str:
    """The text without addresses of pages; what a Markdown link is called stays."""
    if "http" not in text and "www." not in text:
        return text
    named = _LABELLED_LINK.sub(r"\1", text) if "](" in text else text
    return " ".join(_EMPTY_BRACKETS.sub(" ", _LINKS.sub(" ", named)).split())


def is_device_note(line: str, *, certain: bool = False) -> bool:
    """Whether a whole line is such a note; with `certain` only if it names a known device or program."""
    if not line or len(line) > _LONGEST:
        return False
    lower = line.lower().strip(_EDGES)
    if not (
        lower.startswith(_FIRST_LETTERS)
        or lower.endswith(_LAST_WORDS)
        or not line.isascii()
        or "http" in lower
        or "vir" in lower
        or "av" in lower
    ):
        return False
    text = without_links(line).strip(_EDGES)
    if not text or len(text) > 150:
        return False
    if _VIRUS.match(text) and not text.endswith("?"):
        return True
    if not text.isascii() and len(text) <= 60 and _WHOLE.fullmatch(text):
        return True
    ended = line.rstrip().endswith((".", "!", "?"))
    return _framed(text, ended=ended, certain=certain)


def _framed(text: str, *, ended: bool, certain: bool) -> bool:
    lower = text.lower()
    words = lower.split()
    if len(words) > _MOST_WORDS:
        return False
    for begin, end in _BEGINNINGS.get(words[0], ()):
        if lower.startswith(begin) and lower.endswith(end):
            inner = text[len(begin) : len(text) - len(end)]
            if (
                begin[-1] not in "' "
                and inner[:1] not in ("", " ", ":", "-")
                and inner[:1].isalpha()
                and begin != "נשלח מ"
            ):
                continue
            if _names_device(inner.strip(" :")):
                return True
    for _, end in _ENDINGS:
        if lower.endswith(end) and len(words) <= 6 and _names_device(text[: -len(end)]):
            return True
    if lower in ("unterwegs gesendet", "von unterwegs gesendet", "mobil gesendet", "sent on the go"):
        return True
    if certain or ended or "," in text or len(words) > 7 or _WHEN.search(text):
        return False
    for begin in _WEAK:
        if lower.startswith(begin):
            rest = text[len(begin) :].lstrip()
            if begin == "von mein":
                return lower.endswith(("gesendet", "verschickt", "geschickt"))
            return begin != "sent from" or _POSSESSIVE.match(rest) is not None
    return False


def _names_device(inner: str) -> bool:
    """Whether the words are the name of a device or program, perhaps with an apology for its keyboard."""
    head = inner
    for mark in (",", ";", ".", " - ", " – ", " so ", " please "):
        at = inner.find(mark)
        if at > 0 and _APOLOGY.search(inner[at:]):
            head = inner[: min(at, len(head))]
    known = False
    for word in head.replace(",", " ").replace("/", " ").replace("’", "'").split():
        bare = word.strip("()[]<>*\"'.:;!-–|®™„“”«»")
        if not bare:
            continue
        device = _DEVICE.match(bare) is not None
        if not device and not (bare.lower() in _SMALL or not bare[0].islower()):
            return False
        known = known or device
    return known
