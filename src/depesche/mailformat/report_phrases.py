"""What mail systems write into reports for people: tables only, compiled once. No quantifier nests in
another.
"""

from __future__ import annotations

import re


def _any(*phrases: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{phrase})" for phrase in phrases), re.IGNORECASE)


#: In the text, near its beginning: something was not delivered, or not yet.
FAILURE = _any(
    r"could ?n[o']t be (?:delivered|sent|reached|completed)",
    r"(?:can ?not|can't|could not|was not able to|wasn't able to|unable to|"
    r"failed to) (?:be )?(?:deliver|send|reach)",
    r"has ?n[o']t been delivered|has not yet been delivered|was not delivered|not delivered to|did not reach",
    r"(?:delivery|deliver(?:ed|ing)?|delevery)\b.{0,60}\b(?:fail|abort|delay|error|problem|refus|"
    r"reject|unsuccess)",
    r"(?:fail|error|problem|trouble|permanent).{0,60}\b(?:deliver|delevery|sending|processing)",
    r"undeliver|non-?delivery|returned (?:mail|message|to sender)|mail failed|bounced|mail failure|"
    r"message has been returned",
    r"following (?:address|recipient).{0,20}(?:fail|had|error|reject|were affected|could)",
    r"recipients? (?:was|were) rejected|rejected by (?:a|the) (?:remote|recipient)|"
    r"returned (?:permanent|temporary) errors",
    r"mailbox (?:is |was )?(?:full|unavailable|not found|disabled)|user unknown|unknown user|"
    r"no such (?:user|recipient)",
    r"invalid final delivery|intended recipient:|failed (?:recipients|addresses)|no valid recipients|"
    r"non remis",
    r"schlug(?:en)? fehl|fehlgeschlagen|unzustellbar|nicht zugestellt|nicht ausgeliefert|"
    r"zustellung.{0,40}(?:fehl|nicht|verzög)|"
    r"konnte nicht.{0,40}(?:zugest|überm)",
    r"n'a pas p?u etre|n['’]a pas (?:pu )?(?:être|été)|non distribu|échec de (?:la )?(?:remise|"
    r"distribution|livraison)",
    r"no (?:se )?(?:pudo|ha podido|pude).{0,40}entreg|no pudo ser entregado|n[ãa]o (?:p[ôo]de|"
    r"foi).{0,30}(?:ser )?ent?reg",
    r"impossibile (?:recapitare|consegnare)|mancat[ao] (?:recapito|consegna)|non (?:è stato|recapitat|"
    r"consegnat)",
    r"kon niet worden (?:bezorgd|afgeleverd)|kunde inte levereras|kunne ikke leveres|ei voitu toimittaa",
    r"nie (?:mog|został|można).{0,40}dostarcz|nelze doručit|nebyla? doručen|nem (?:sikerült )?kézbesít",
    r"не (?:может быть|была?|удалось|доставлен).{0,40}(?:доставл)?|недоставл|teslim edilemedi|"
    r"iletilemedi|δεν (?:ήταν|παραδόθηκε)",
    r"送信できませんでした|配信できません|配送できません|届けることができません|无法(?:发送|投递|送达)|"
    r"投递失败",
    r"退信|無法(?:遞送|傳送)",
    r"전송(?:하지 못|되지 않|할 수 없)|반송|không (?:thể )?gửi được|duplicated message-id",
)

#: In the subject.
FAILURE_SUBJECT = _any(
    r"undeliver|non-?delivery|delivery.{0,30}(?:fail|report|problem|error|status|delay|incomplete)|"
    r"failure (?:notice|delivery)",
    r"(?:fail|failed|failure|unable).{0,20}(?:deliver|mail)|mail (?:system error|delivery|failure|"
    r"failed)|returned (?:mail|to sender)",
    r"message (?:delivery|undelivered|delayed|not delivered)|could not be delivered|"
    r"warning: (?:message|could not)|not delivered",
    r"error sending your mail|nameserver error|processing error|bounced? (?:mail|email|message)|"
    r"rejected mail|mail rejected",
    r"unzustellbar|nicht zustellbar|nicht zugestellt|zustell.{0,20}fehl|fehler.{0,20}zustell|"
    r"non remis|échec|non distribu",
    r"no (?:se )?(?:entreg|puede entreg)|devuelt|não (?:entreg|foi entreg)|mancato recapito|"
    r"non recapit|onbestelbaar|niet bezorgd",
    r"olevererbar|kunne ikke leveres|kan ikke leveres|ej levererat|toimitus epäonn|niedostarcz|nie dostarcz",
    r"nedoruč|kézbesít|не доставлен|недоставл|teslim edilem|iletilem|loop alert|failed mail|fehlgeschlagen",
    r"メールエラー|配信できません|配送できません|送信できません|退信|投递失败|傳送失敗|반송",
    r"メッセージを配信|ошибка доставки|eroare de livrare|error de entrega|erro de entrega|user unknown|"
    r"mailbox (?:full|unavailable)",
)

#: It is not a failure yet.
DELAY = _any(
    r"warning message only|has been delayed|is delayed|was delayed|message delayed|delayed (?:for|\d)|"
    r"not yet been delivered",
    r"temporary failure report|will be retried|will continue (?:to try|trying)|still being retried|"
    r"delivery delayed|\(delay\)",
    r"status notification: warning|warning: (?:could not send|(?:message|mail) (?:still |is |"
    r"has been )?(?:delayed|undelivered))|"
    r"could not send message for past|no action is required",
    r"verzögert|wird weiterhin versucht|retardée?|retrasad|atrasad|ritardo|vertraagd|försenad|"
    r"forsinket|opóźnion|задерж",
)

#: Given up after many tries: the cause was transient, so trying later may help (RFC 3463: 4.4.7).
EXPIRED = _any(
    r"(?<!delivery )retry timeout exceeded|hosts have been failing for a long time|"
    r"retry time not reached for any host",
    r"delivery time expired|message expired|expired, giving up",
)

#: A line after which the returned mail begins.
RETURNED_FOLLOWS = _any(
    r"^[-=* _>#|]{0,80}\s?(?:this is |here is |below is |included is |below this line is |"
    r"enclosed is |attachment is )?"
    r"(?:an? )?copy of (?:the|your|first)",
    r"copy of the (?:original )?message(?:,| below|\.|$)|copy of the message header|copy of the first part",
    r"original message (?:follows|headers?)|(?:message|mail) headers? follows?|"
    r"^[-= ]{2,}\s?original (?:message|mail)",
    r"^[-= ]{2,}.{0,20}(?:unsent|returned|undelivered|original|rejected) (?:message|mail)",
    r"header of the original message|start of returned message|returned (?:message|mail) (?:follows|"
    r"below)|message text follows",
    r"a summary of the undelivered message|your message reads|original mail as follows|old message:|"
    r"the original message was:",
    r"^[-= ]{2,}\s?(?:message (?:header|body)|mail header)|mensaje original adjunto|nachrichtenkopf|"
    r"ursprüngliche nachricht",
    r"附件中的内容|原信件|^[-=* ]{2,}\s?原|original message details|original message headers|"
    r"the returned message",
    r"^[-=]{2,}\s?(?:begin|beginn).{0,30}(?:message|nachricht)|original-recipient headers",
)

#: Words directly in front of the address of a recipient.
NAMES_RECIPIENT = re.compile(
    r"(?:unknown user|unknown address|delivery failed \d{1,4} attempts|undeliverable\s{1,4}to|"
    r"invalid final delivery userid|"
    r"could not be delivered to|cannot be delivered to|not be delivered to|"
    r"unable to deliver (?:your )?(?:message|mail) to|"
    r"intended recipient|undeliverable address|delivering your mail to|deliver your (?:message|mail) to|"
    r"delivered to|addressed to(?: email address)?|originally addressed to|your (?:message|mail|e-?mail) to|"
    r"recipients? returned permanent errors|recipients returned permanent errors|"
    r"following recipients? (?:returned|failed)|"
    r"mailbox (?:is )?full|quota violation for|address|recipient|recipients?|empfänger|destinataire|"
    r"destinatario|"
    r"adressat|rcpt to|message-id in|delivery to|error for|failed for|rejected for|bounced address|"
    r"target mail address|"
    r"message to which your message was addressed|message was addressed|malformed address|"
    r"no such user|user unknown)"
    r"(?: the)?(?: following)?(?: address(?:es)?)?\s{0,3}[:,]?\s{0,3}(?:\[?smtp:)?",
    re.IGNORECASE,
)

#: A line with an address that is not the recipient's.
NOT_A_RECIPIENT = re.compile(
    r"contact|assistance|please (?:write|send|mail|forward|see)|help ?desk|for further|support@|"
    r"abuse@|report (?:this|problems)|"
    r"original sender|mail from|^\s{0,10}(?:from|sender|von|de|reply-to|message-id|subject|mail from|"
    r"sent by|cc)\s?:|"
    r"ultimately generated from|expanded from|message sent by|a message (?:that you )?sent by|"
    r"return-?path|wenden sie sich|kontakt",
    re.IGNORECASE,
)
