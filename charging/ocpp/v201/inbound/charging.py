"""Boot, status and the life of a charge, as a 2.0.1 station tells of them."""

from __future__ import annotations

from typing import Final

from charging.ocpp import replies
from charging.ocpp.deeds import Asked, Deed, Handler, Verb
from charging.ocpp.rpc.frames import Payload
from charging.ocpp.v201 import mapping
from charging.sessions.facts import AuthorizationVerdict


def boot(asked: Asked) -> Deed:
    return Deed(
        Verb.BOOT,
        mapping.boot_report(asked),
        lambda answer: replies.boot(answer, asked),
    )


def authorize(asked: Asked) -> Deed:
    def reply(verdict: AuthorizationVerdict) -> Payload:
        return {"idTokenInfo": mapping.id_token_info(verdict)}

    return Deed(Verb.AUTHORIZE, mapping.authorization_ask(asked), reply)


def transaction_event(asked: Asked) -> Deed:
    return Deed(Verb.EVENT, mapping.transaction_event(asked), mapping.event_reply)


def meter_values(asked: Asked) -> Deed:
    return Deed(Verb.READINGS, mapping.reading_batch(asked), replies.nothing)


def status(asked: Asked) -> Deed:
    return Deed(Verb.STATUS, mapping.status_report(asked), replies.nothing)


HANDLERS: Final[dict[str, Handler]] = {
    "Authorize": authorize,
    "BootNotification": boot,
    "Heartbeat": replies.heartbeat,
    "MeterValues": meter_values,
    "StatusNotification": status,
    "TransactionEvent": transaction_event,
}
