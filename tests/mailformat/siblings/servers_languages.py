"""Reports as administrators translate them."""

from __future__ import annotations

from tests.mailformat.siblings.server import Server

TRANSLATED = (
    Server(
        "french",
        "Message non distribué",
        "Postmaster <postmaster@client.example>",
        "Bonjour,\n\nVotre message n'a pas pu être remis aux destinataires suivants :\n\n{entry}\n",
        "<{to}>: {code} {status} {words}\n",
    ),
    Server(
        "spanish",
        "Mensaje devuelto: no se pudo entregar",
        "Postmaster <postmaster@cliente.example>",
        "Su mensaje no pudo ser entregado a los siguientes destinatarios:\n\n{entry}\n",
        "{to}: {code} {status} {words}\n",
    ),
    Server(
        "italian",
        "Mancato recapito",
        "Postmaster <postmaster@cliente.example>",
        "Impossibile recapitare il messaggio ai seguenti destinatari:\n\n{entry}\n",
        "{to}: {code} {status} {words}\n",
    ),
    Server(
        "german",
        "Ihre E-Mail konnte nicht zugestellt werden",
        "Postmaster <postmaster@kunde.example>",
        "Guten Tag,\n\nIhre Nachricht konnte an folgende Empfänger nicht zugestellt werden:\n\n{entry}\n",
        "{to}\nGrund: {code} {status} {words}\n",
    ),
    Server(
        "dutch",
        "Onbestelbaar: [WEB-42] Termin",
        "Postmaster <postmaster@klant.example>",
        "Uw bericht kon niet worden bezorgd bij de volgende geadresseerden:\n\n{entry}\n",
        "{to}: {code} {status} {words}\n",
    ),
    Server(
        "polish",
        "Wiadomość niedostarczona",
        "Postmaster <postmaster@klient.example>",
        "Wiadomość nie mogła zostać dostarczona do następujących odbiorców:\n\n{entry}\n",
        "<{to}>: {code} {status} {words}\n",
    ),
    Server(
        "czech",
        "Nedoručitelná zpráva: [WEB-42] Termin",
        "Postmaster <postmaster@klient.example>",
        "Zprávu nelze doručit následujícím příjemcům:\n\n{entry}\n",
        "{to}\n{code} {status} {words}\n",
    ),
    Server(
        "portuguese",
        "Não foi possível entregar a mensagem",
        "Postmaster <postmaster@cliente.example>",
        "A sua mensagem não foi entregue aos seguintes destinatários:\n\n{entry}\n",
        "<{to}>: {code} {status} {words}\n",
    ),
    Server(
        "danish",
        "Meddelelsen kan ikke leveres",
        "Postmaster <postmaster@kunde.example>",
        "Din meddelelse kunne ikke leveres til følgende modtagere:\n\n{entry}\n",
        "{to}: {code} {status} {words}\n",
    ),
    Server(
        "japanese",
        "メールを配信できませんでした",
        "Mail Delivery System <mailer-daemon@kunde.example>",
        "次の宛先にメールを配信できませんでした。\n\n{entry}\n",
        "<{to}>: {code} {status} {words}\n",
    ),
    Server(
        "chinese",
        "系统退信",
        "postmaster@kehu.example",
        "很抱歉，您发送的邮件被退回，无法投递到以下收件人：\n\n{entry}\n",
        "{to}\n{code} {status} {words}\n",
    ),
    Server(
        "welsh, which nobody taught us",
        "Neges heb ei chyflwyno",
        "MAILER-DAEMON@cwsmer.example",
        "Nid oedd modd cyflwyno eich neges i'r derbynwyr canlynol:\n\n{entry}\n",
        "<{to}>: {code} {status} {words}\n",
    ),
    Server(
        "korean",
        "메일 반송 안내",
        "postmaster@gogaek.example",
        "다음 수신자에게 메일을 전송하지 못했습니다.\n\n{entry}\n",
        "{to}: {code} {status} {words}\n",
    ),
)
