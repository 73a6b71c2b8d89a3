"""A charge told in each version, with instants, registers and signed values of one's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from charging.sessions.models import ChargingSession
from charging.stations.models import ChargingStation
from tests.charging.ocpp.peer import Peer
from tests.protocols.versions import V16

TODAY = datetime.now(UTC).replace(microsecond=0)
START = TODAY - timedelta(hours=3)
_TRANSACTIONS = count(1)


def text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


class Charge:
    """One charge on connector 1 of a station, minute 0 being `begun`."""

    def __init__(
        self,
        peer: Peer,
        version: str,
        token: str,
        *,
        begun: datetime = START,
        connector: int = 1,
        kind: str = "ISO14443",
    ) -> None:
        self.peer, self.version, self.token, self.begun = peer, version, token, begun
        self.connector, self.kind = connector, kind
        self.reference = f"T-{next(_TRANSACTIONS)}"
        self.number = 0

    def at(self, minutes: float) -> str:
        return text(self.begun + timedelta(minutes=minutes))

    def start(self, register_wh: int = 1000, **extra: Any) -> dict[str, Any]:
        """Begin; the answer's payload."""
        if self.version == V16:
            answer = self.peer.result(*self.starting(register_wh))
            self.reference = str(answer["transactionId"])
            return answer
        return self.event("Started", 0, register_wh, context="Transaction.Begin", **extra)

    def starting(self, register_wh: int = 1000) -> tuple[str, dict[str, Any]]:
        """The 1.6 message, to be sent by hand."""
        return "StartTransaction", {
            "connectorId": self.connector,
            "idTag": self.token,
            "meterStart": register_wh,
            "timestamp": self.at(0),
        }

    def read(self, minutes: float, register_wh: int) -> dict[str, Any]:
        """A periodic value of the register."""
        if self.version == V16:
            values = [{"value": str(register_wh), "context": "Sample.Periodic"}]
            return self.values(minutes, values)
        return self.event("Updated", minutes, register_wh)

    def values(self, minutes: float, values: list[dict[str, Any]]) -> dict[str, Any]:
        """Sampled values of one's own, in a message of this transaction."""
        element = {"timestamp": self.at(minutes), "sampledValue": values}
        if self.version == V16:
            named = {"transactionId": int(self.reference)}
            return self.peer.result(
                "MeterValues", {"connectorId": self.connector, "meterValue": [element], **named}
            )
        return self.event("Updated", minutes, None, meterValue=[element])

    def stop(self, minutes: float, register_wh: int, **extra: Any) -> dict[str, Any]:
        """End; the answer's payload."""
        if self.version == V16:
            return self.peer.result(
                "StopTransaction",
                {
                    "transactionId": int(self.reference),
                    "meterStop": register_wh,
                    "timestamp": self.at(minutes),
                    **extra,
                },
            )
        reason = extra.pop("reason", "Local")
        return self.event(
            "Ended", minutes, register_wh, context="Transaction.End", reason=reason, **extra
        )

    def event(
        self,
        kind: str,
        minutes: float,
        register_wh: int | None,
        *,
        context: str = "Sample.Periodic",
        trigger: str = "",
        reason: str = "",
        number: int | None = None,
        **extra: Any,
    ) -> dict[str, Any]:
        """A TransactionEvent with the next number, or that of one's own.

        A charge of no kind of token begins without one: by its cable alone.
        """
        payload: dict[str, Any] = {
            "eventType": kind,
            "timestamp": self.at(minutes),
            "triggerReason": trigger
            or ("Authorized" if kind == "Started" else "MeterValuePeriodic"),
            "seqNo": self.number if number is None else number,
            "transactionInfo": {"transactionId": self.reference},
            "evse": {"id": self.connector, "connectorId": 1},
        }
        self.number = payload["seqNo"] + 1
        if reason:
            payload["transactionInfo"]["stoppedReason"] = reason
        if kind == "Started" and self.kind:
            payload["idToken"] = {"idToken": self.token, "type": self.kind}
        if register_wh is not None:
            value = {"value": register_wh, "context": context}
            payload["meterValue"] = [{"timestamp": self.at(minutes), "sampledValue": [value]}]
        return self.peer.result("TransactionEvent", payload | extra)

    def session(self, station: ChargingStation) -> ChargingSession:
        return ChargingSession.objects.get(station=station, transaction_ref=self.reference)


def told(version: str, answer: dict[str, Any]) -> str:
    """The status of the token in an answer."""
    name = "idTagInfo" if version == V16 else "idTokenInfo"
    status: str = answer[name]["status"]
    return status


def authorize(peer: Peer, version: str, token: str, kind: str = "ISO14443") -> dict[str, Any]:
    if version == V16:
        return peer.result("Authorize", {"idTag": token})
    return peer.result("Authorize", {"idToken": {"idToken": token, "type": kind}})
