"""How automatic answers begin, in some thirty languages: tables only."""

from __future__ import annotations

import re

#: Subjects that continue a thread: behind one of these, "Automatic reply" is only quoted.
REPLY_PREFIX = re.compile(
    r"(?:re|aw|antw|antwort|sv|vs|odp|ynt|rv|res|r|ref|回复|答复|回覆|回信|返信|답장|ha|atb|na|отв|відп|απ|vá|bls|"
    r"yan)"
    r"\s?(?:\[\d{1,3}\]|\(\d{1,3}\))?\s?[:：]",
    re.IGNORECASE,
)

#: At the beginning of a subject.
AUTOMATIC_SUBJECTS = (
    *("automatische antwort", "abwesenheitsnotiz", "abwesenheitsnachricht"),
    *("abwesenheitsmeldung", "abwesenheit:"),
    *("abwesenheitsassistent", "abwesenheitshinweis", "automatische rückantwort", "automatische abwesenheit"),
    *("automatische e-mail", "automatische eingangsbestätigung", "urlaubsnotiz"),
    *("nicht im büro", "nicht im hause"),
    *("automatic reply", "automatic response", "auto reply", "auto-reply", "autoreply", "auto response"),
    *("auto-response", "autoresponse", "autoresponder", "automated reply"),
    *("automated response", "out of office"),
    *("out-of-office", "out of the office", "vacation reply", "vacation message"),
    *("away from my mail", "on vacation"),
    *("[auto]", "ooo:", "automatic acknowledgement", "automatic acknowledgment"),
    *("réponse automatique", "reponse automatique", "message d'absence"),
    *("absence du bureau", "absent du bureau"),
    *("respuesta automática", "respuesta automatica", "fuera de la oficina", "resposta automática"),
    *("resposta automatica", "ausência do escritório", "fora do escritório", "resposta automàtica"),
    *("risposta automatica", "fuori sede", "fuori ufficio", "automatisch antwoord", "automatisch bericht"),
    *("afwezigheidsbericht", "afwezigheid:", "niet aanwezig:", "autosvar"),
    *("automatisk svar", "automatiskt svar"),
    *("fraværsmelding", "fravær:", "frånvaromeddelande", "ikke til stede"),
    *("automaattinen vastaus", "poissaoloviesti"),
    *(
        "automatyczna odpowiedź",
        "odpowiedź automatyczna",
        "odpowiedz automatyczna",
        "automatyczna odpowiedz",
        "autoodpowiedź",
        "nieobecność",
        "poza biurem",
    ),
    *("automatická odpověď", "automaticka odpoved", "automatická odpoveď", "mimo kancelář", "nepřítomnost"),
    *("automatikus válasz", "házon kívül", "răspuns automat", "raspuns automat", "automatski odgovor"),
    *("аутоматски одговор", "samodejni odgovor", "samodejen odgovor", "odsotnost", "автоматический ответ"),
    *("автоответ", "автоматична відповідь", "автовідповідь", "автоматичен отговор", "вне офиса"),
    *("otomatik yanıt", "otomatik cevap", "ofis dışında", "αυτόματη απάντηση"),
    *("εκτός γραφείου", "automaatvastus"),
    *("automaatne vastus", "automātiskā atbilde", "automatiska atbilde", "automātiska atbilde"),
    *("automatinis atsakymas", "balasan otomatis", "jawapan automatik", "trả lời tự động", "sjálfvirkt svar"),
    *("自动答复", "自动回复", "自動回覆", "自動回復", "自動応答", "自動返信"),
    *("外出通知", "不在通知", "자동 회신", "자동회신"),
    *("부재 중", "부재중", "ตอบกลับอัตโนมัติ", "תשובה אוטומטית", "מענה אוטומטי"),
    *("رد تلقائي", "رد آلي", "erantzun automatikoa"),
)

#: In the first lines of the text.
ABSENCE_PHRASES = (
    *("bin ich nicht im büro", "nicht im büro sein", "bin nicht im büro", "bin ich nicht im haus"),
    *("nicht im hause", "ich bin abwesend", "außer haus"),
    *("ich bin derzeit nicht", "bin ich abwesend", "bis einschließlich abwesend", "ich bin bis zum"),
    *("ich bin im urlaub", "befinde mich im urlaub"),
    *("ich befinde mich", "ihre e-mail wird nicht weitergeleitet"),
    *("ihre nachricht wird nicht weitergeleitet", "wieder im büro"),
    *("wieder erreichbar", "keinen zugriff auf meine"),
    *("dies ist eine automatische", "dies ist eine automatisch", "diese e-mail wurde automatisch"),
    *("out of the office", "out of office", "away from the office", "on vacation"),
    *("on annual leave", "on leave"),
    *("limited access to email", "limited access to e-mail", "no access to email"),
    *("will be back on", "i am away"),
    *(
        "to deliver your message",
        "this is an automated",
        "this is an automatic",
        "this is an auto",
        "automatically generated",
    ),
    *("je suis absent", "actuellement absent", "je serai absent", "ceci est un message automatique"),
    *("estoy fuera de la oficina", "estaré fuera"),
    *("este es un mensaje automático", "estou fora do escritório"),
    *("estarei ausente", "esta é uma mensagem automática", "sono fuori ufficio"),
    *("sarò assente", "sono assente"),
    *("ik ben afwezig", "ik ben niet aanwezig", "ben ik niet op kantoor"),
    *("jeg er ikke på kontoret", "jeg er bortreist"),
    *("jag är inte på kontoret", "jag är ledig", "jag är på semester", "olen poissa", "olen lomalla"),
    *("jestem nieobecn", "przebywam na urlopie", "jestem na urlopie"),
    *("jsem mimo kancelář", "som mimo kancelári"),
    *("nem vagyok az irodában", "sunt plecat", "nu sunt la birou", "я в отпуске"),
    *("меня нет в офисе", "нахожусь в отпуске"),
    *("я у відпустці", "ofiste olmayacağım", "ofis dışındayım", "είμαι εκτός γραφείου"),
    *("我目前不在", "我不在办公室"),
    *("外出しております", "休暇をいただいて", "부재중입니다", "휴가 중"),
)

#: Exchange's read receipts where the part that programs read got lost.
RECEIPT_SUBJECT = re.compile(
    r"(?:read|not read|gelesen|ungelesen|nicht gelesen|lu|non lu|leído|no leído|letto|non letto|lida|gelezen|"
    r"læst|läst|lest|luettu|przeczytano|přečteno|prečítané|olvasott|citit|прочитано|прочтено|okundu|"
    r"已读|已讀|開封済み|읽음)\s?[:：]"
)
RECEIPT_WORDS = re.compile(
    r"\b(?:was (?:read|deleted)|wurde .{0,60}(?:gelesen|gelöscht)|a été (?:lu|supprimé)|se (?:leyó|eliminó)|"
    r"è stato (?:letto|eliminato)|foi (?:lida|eliminada)|(?:is|werd) .{0,60}(?:gelezen|verwijderd)|blev læst|"
    r"lästes|ble lest|luettiin|odczytano|przeczytan\w+|přečtena|прочитано)"
)

#: Ticket systems and guards that ask whether a sender is a person: a sign, not a proof.
ACKNOWLEDGED = re.compile(
    r"(?:request|ticket|case|message|e-?mail|enquiry|inquiry) (?:has been |was )?received|we(?:'ve| "
    r"have)? received your|"
    r"thank you for (?:contacting|your (?:request|e-?mail|message))|eingangsbestätigung|"
    r"(?:anfrage|nachricht|e-?mail|ticket) (?:ist |wurde )?(?:bei uns )?(?:eingegangen|erhalten)|"
    r"accusé de réception|acuse de recibo|conferma di ricezione|ontvangstbevestiging|"
    r"(?:please )?(?:confirm|verify) your (?:message|e-?mail)|sender verification|verification required|"
    r"bitte bestätigen sie ihre (?:nachricht|e-?mail)"
)
