"""The 2.0.1 tongue, on the engine of the package ``ocpp``."""

import uuid
from datetime import datetime
from typing import Any

from ocpp.exceptions import OCPPError
from ocpp.v201 import ChargePoint, call, call_result

from mobility.simulator.chargers.bay import Bay, Reading, Visit
from mobility.simulator.chargers.talk import Hardware, Refused, answers, triggered
from mobility.simulator.chargers.v201_device import Device201

_TRIGGERS = {
    "StatusNotification": "status",
    "BootNotification": "boot",
    "Heartbeat": "heartbeat",
    "MeterValues": "meter_values",
}
_STOP_REASONS = {
    "UnlockCommand": "Other",
    "SoftReset": "ImmediateReset",
    "HardReset": "ImmediateReset",
}
_TRIGGER_OF = {
    "Remote": "RemoteStop",
    "EVDisconnected": "EVDeparted",
    "DeAuthorized": "Deauthorized",
}


class Talk201(Device201, ChargePoint):  # type: ignore[misc]  # the package ships no types
    """A 2.0.1 charging station; each bay is an EVSE with one connector."""

    def __init__(self, identity: str, connection: Any, *, hardware: Hardware) -> None:
        super().__init__(identity, connection, response_timeout=30)
        self._hardware = hardware

    async def listen(self) -> None:
        await self.start()

    async def boot(self, *, reason: str) -> tuple[bool, float]:
        answer = await self._ask(
            call.BootNotification(
                charging_station={
                    "model": "Simulatore 50",
                    "vendorName": "Vettabbia",
                    "serialNumber": self.id[:25],
                    "firmwareVersion": self._hardware.device.firmware,
                },
                reason=reason,
            )
        )
        return answer.status == "Accepted", float(answer.interval)

    async def tell(self, message: Any) -> None:
        await self._ask(message)

    async def heartbeat(self) -> None:
        await self._ask(call.Heartbeat())

    async def status(self, bay: Bay, word: str, at: datetime) -> None:
        known = word if word in ("Available", "Unavailable", "Faulted", "Reserved") else "Occupied"
        await self._ask(
            call.StatusNotification(
                timestamp=_text(at), connector_status=known, evse_id=bay.number, connector_id=1
            )
        )

    async def authorize(self, token: str) -> bool:
        answer = await self._ask(call.Authorize(id_token=_token(token, remote=False)))
        return bool(answer.id_token_info["status"] == "Accepted")

    async def begin(self, bay: Bay, visit: Visit, reading: Reading, sequence: int) -> bool:
        visit.reference = visit.reference or str(uuid.uuid4())
        remote = visit.remote_start_id is not None
        answer = await self._event(
            "Started",
            bay,
            visit,
            reading,
            sequence,
            trigger_reason="RemoteStart" if remote else "Authorized",
            id_token=_token(visit.token, remote=remote),
            state="Charging",
        )
        info = answer.id_token_info
        return info is None or info["status"] == "Accepted"

    async def meter(self, bay: Bay, visit: Visit, reading: Reading, sequence: int) -> None:
        state = "Charging" if reading.power_w else "SuspendedEV"
        await self._event(
            "Updated",
            bay,
            visit,
            reading,
            sequence,
            trigger_reason="MeterValuePeriodic",
            state=state,
        )

    async def finish(self, bay: Bay, visit: Visit, reading: Reading, sequence: int) -> None:
        await self._event(
            "Ended",
            bay,
            visit,
            reading,
            sequence,
            trigger_reason=_TRIGGER_OF.get(visit.reason, "StopAuthorized"),
            state="Idle",
        )

    async def _event(
        self,
        kind: str,
        bay: Bay,
        visit: Visit,
        reading: Reading,
        sequence: int,
        *,
        trigger_reason: str,
        state: str,
        id_token: dict[str, str] | None = None,
    ) -> Any:
        transaction: dict[str, Any] = {"transactionId": visit.reference, "chargingState": state}
        if visit.remote_start_id is not None:
            transaction["remoteStartId"] = visit.remote_start_id
        if kind == "Ended":
            transaction["stoppedReason"] = _STOP_REASONS.get(visit.reason, visit.reason)
        return await self._ask(
            call.TransactionEvent(
                event_type=kind,
                timestamp=_text(reading.at),
                trigger_reason=trigger_reason,
                seq_no=sequence,
                transaction_info=transaction,
                meter_value=[{"timestamp": _text(reading.at), "sampledValue": _samples(reading)}],
                evse={"id": bay.number, "connectorId": 1},
                id_token=id_token,
            )
        )

    async def _ask(self, message: Any) -> Any:
        try:
            return await self.call(message, suppress=False, skip_schema_validation=True)
        except OCPPError as error:
            raise Refused(str(error)) from error

    @answers("RequestStartTransaction")
    def _remote_start(
        self, id_token: dict[str, str], remote_start_id: int, evse_id: int | None = None, **_: Any
    ) -> Any:
        token = id_token.get("id_token") or id_token["idToken"]
        done = self._hardware.remote_start(
            number=evse_id, token=token, remote_start_id=remote_start_id
        )
        return call_result.RequestStartTransaction(status=_yes(done=done))

    @answers("RequestStopTransaction")
    def _remote_stop(self, transaction_id: str, **_: Any) -> Any:
        done = self._hardware.remote_stop(reference=transaction_id)
        return call_result.RequestStopTransaction(status=_yes(done=done))

    @answers("Reset")
    def _reset(self, type: str, **_: Any) -> Any:  # noqa: A002 — the engine passes the field's name
        self._hardware.reset(hard=type == "Immediate")
        return call_result.Reset(status="Accepted")

    @answers("UnlockConnector")
    def _unlock(self, evse_id: int, **_: Any) -> Any:
        done = self._hardware.unlock(number=evse_id)
        return call_result.UnlockConnector(status="Unlocked" if done else "UnknownConnector")

    @answers("ChangeAvailability")
    def _change_availability(
        self, operational_status: str, evse: dict[str, Any] | None = None, **_: Any
    ) -> Any:
        now = self._hardware.set_operative(
            number=evse["id"] if evse else 0, operative=operational_status == "Operative"
        )
        return call_result.ChangeAvailability(status="Accepted" if now else "Scheduled")

    @answers("TriggerMessage")
    def _trigger(self, requested_message: str, evse: dict[str, Any] | None = None, **_: Any) -> Any:
        if requested_message == "SignChargingStationCertificate":
            self._ask_for_certificate()
            return call_result.TriggerMessage(status="Accepted")
        said = {
            "FirmwareStatusNotification": call.FirmwareStatusNotification(
                status=self._hardware.device.firmware_status
            ),
            "LogStatusNotification": call.LogStatusNotification(
                status=self._hardware.device.log_status
            ),
        }.get(requested_message)
        status = triggered(
            self._hardware,
            says=said,
            message=_TRIGGERS.get(requested_message),
            number=evse["id"] if evse else 0,
        )
        return call_result.TriggerMessage(status=status)


def _token(token: str, *, remote: bool) -> dict[str, str]:
    return {"idToken": token, "type": "Central" if remote else "ISO14443"}


def _samples(reading: Reading) -> list[dict[str, Any]]:
    return [
        {
            "value": reading.register_wh,
            "measurand": "Energy.Active.Import.Register",
            "context": "Sample.Periodic",
            "unitOfMeasure": {"unit": "Wh"},
        },
        {
            "value": reading.power_w,
            "measurand": "Power.Active.Import",
            "unitOfMeasure": {"unit": "W"},
        },
        {"value": reading.soc_pct, "measurand": "SoC", "location": "EV"},
    ]


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _yes(*, done: bool) -> str:
    return "Accepted" if done else "Rejected"
