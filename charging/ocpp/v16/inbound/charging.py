"""Boot, status and the life of a charge, as a 1.6 station tells of them."""

from __future__ import annotations

from typing import Final

from charging.ocpp import replies
from charging.ocpp.deeds import Asked, Deed, Handler, Verb
from charging.ocpp.rpc.frames import Payload
from charging.ocpp.v16 import mapping
from charging.sessions.facts import (
    AuthorizationAsk,
    AuthorizationVerdict,
    PriceTold,
    StartAnswer,
    StopAnswer,
)


def boot(asked: Asked) -> Deed:
    return Deed(
        Verb.BOOT,
        mapping.boot_report(asked),
        lambda answer: replies.boot(answer, asked),
    )


def authorize(asked: Asked) -> Deed:
    def reply(verdict: AuthorizationVerdict) -> Payload:
        return {"idTagInfo": mapping.id_tag_info(verdict)}

    ask = AuthorizationAsk(
        station_id=asked.station_id, uid=asked.payload["idTag"], price=PriceTold.AFTERWARDS
    )
    return Deed(Verb.AUTHORIZE, ask, reply)


def start(asked: Asked) -> Deed:
    def reply(answer: StartAnswer) -> Payload:
        return {
            "transactionId": int(answer.transaction_ref),
            "idTagInfo": mapping.id_tag_info(answer.verdict),
        }

    return Deed(Verb.START, mapping.session_start(asked), reply)


def stop(asked: Asked) -> Deed:
    def reply(answer: StopAnswer) -> Payload:
        if answer.verdict is None:
            return {}
        return {"idTagInfo": mapping.id_tag_info(answer.verdict)}

    return Deed(Verb.STOP, mapping.session_stop(asked), reply)


def meter_values(asked: Asked) -> Deed:
    return Deed(Verb.READINGS, mapping.reading_batch(asked), replies.nothing)


def status(asked: Asked) -> Deed:
    return Deed(Verb.STATUS, mapping.status_report(asked), replies.nothing)


HANDLERS: Final[dict[str, Handler]] = {
    "Authorize": authorize,
    "BootNotification": boot,
    "Heartbeat": replies.heartbeat,
    "MeterValues": meter_values,
    "StartTransaction": start,
    "StatusNotification": status,
    "StopTransaction": stop,
}
