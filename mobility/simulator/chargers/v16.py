"""The 1.6 tongue, on the engine of the package ``ocpp``."""

from datetime import datetime
from typing import Any

from ocpp.exceptions import OCPPError
from ocpp.v16 import ChargePoint, call, call_result

from mobility.simulator.chargers.bay import Bay, Reading, Visit
from mobility.simulator.chargers.talk import Hardware, Refused, answers, triggered
from mobility.simulator.chargers.v16_device import Device16

_TRIGGERS = {
    "StatusNotification": "status",
    "BootNotification": "boot",
    "Heartbeat": "heartbeat",
    "MeterValues": "meter_values",
}


class Talk16(Device16, ChargePoint):  # type: ignore[misc]  # the package ships no types
    """A 1.6 charge point."""

    def __init__(self, identity: str, connection: Any, *, hardware: Hardware) -> None:
        super().__init__(identity, connection, response_timeout=30)
        self._hardware = hardware

    async def listen(self) -> None:
        await self.start()

    async def boot(self, *, reason: str) -> tuple[bool, float]:
        answer = await self._ask(
            call.BootNotification(
                charge_point_model="Simulatore 22",
                charge_point_vendor="Porta Romana",
                charge_point_serial_number=self.id[:25],
                firmware_version=self._hardware.device.firmware,
            )
        )
        return answer.status == "Accepted", float(answer.interval)

    async def tell(self, message: Any) -> None:
        await self._ask(message)

    async def heartbeat(self) -> None:
        await self._ask(call.Heartbeat())

    async def status(self, bay: Bay, word: str, at: datetime) -> None:
        await self._ask(
            call.StatusNotification(
                connector_id=bay.number,
                error_code="NoError",
                status=word,
                timestamp=_text(at),
            )
        )

    async def authorize(self, token: str) -> bool:
        answer = await self._ask(call.Authorize(id_tag=token))
        return bool(answer.id_tag_info["status"] == "Accepted")

    async def begin(self, bay: Bay, visit: Visit, reading: Reading, sequence: int) -> bool:
        answer = await self._ask(
            call.StartTransaction(
                connector_id=bay.number,
                id_tag=visit.token,
                meter_start=reading.register_wh,
                timestamp=_text(reading.at),
            )
        )
        visit.reference = str(answer.transaction_id)
        return bool(answer.id_tag_info["status"] == "Accepted")

    async def meter(self, bay: Bay, visit: Visit, reading: Reading, sequence: int) -> None:
        await self._ask(
            call.MeterValues(
                connector_id=bay.number,
                transaction_id=int(visit.reference),
                meter_value=[{"timestamp": _text(reading.at), "sampledValue": _samples(reading)}],
            )
        )

    async def finish(self, bay: Bay, visit: Visit, reading: Reading, sequence: int) -> None:
        await self._ask(
            call.StopTransaction(
                transaction_id=int(visit.reference),
                id_tag=visit.token if visit.reason == "Local" else None,
                meter_stop=reading.register_wh,
                timestamp=_text(reading.at),
                reason=visit.reason,
            )
        )

    async def _ask(self, message: Any) -> Any:
        try:
            return await self.call(message, suppress=False, skip_schema_validation=True)
        except OCPPError as error:
            raise Refused(str(error)) from error

    @answers("RemoteStartTransaction")
    def _remote_start(self, id_tag: str, connector_id: int | None = None, **_: Any) -> Any:
        done = self._hardware.remote_start(number=connector_id, token=id_tag, remote_start_id=None)
        return call_result.RemoteStartTransaction(status=_yes(done=done))

    @answers("RemoteStopTransaction")
    def _remote_stop(self, transaction_id: int) -> Any:
        done = self._hardware.remote_stop(reference=str(transaction_id))
        return call_result.RemoteStopTransaction(status=_yes(done=done))

    @answers("Reset")
    def _reset(self, type: str) -> Any:  # noqa: A002 — the engine passes the field's name
        self._hardware.reset(hard=type == "Hard")
        return call_result.Reset(status="Accepted")

    @answers("UnlockConnector")
    def _unlock(self, connector_id: int) -> Any:
        done = self._hardware.unlock(number=connector_id)
        return call_result.UnlockConnector(status="Unlocked" if done else "NotSupported")

    @answers("ChangeAvailability")
    def _change_availability(self, connector_id: int, type: str) -> Any:  # noqa: A002 — see above
        now = self._hardware.set_operative(number=connector_id, operative=type == "Operative")
        return call_result.ChangeAvailability(status="Accepted" if now else "Scheduled")

    @answers("TriggerMessage")
    def _trigger(self, requested_message: str, connector_id: int = 0) -> Any:
        said = {
            "FirmwareStatusNotification": call.FirmwareStatusNotification(
                status=self._hardware.device.firmware_status
            ),
            "DiagnosticsStatusNotification": call.DiagnosticsStatusNotification(
                status=self._hardware.device.log_status
            ),
        }.get(requested_message)
        status = triggered(
            self._hardware, says=said, message=_TRIGGERS.get(requested_message), number=connector_id
        )
        return call_result.TriggerMessage(status=status)


def _samples(reading: Reading) -> list[dict[str, str]]:
    return [
        {
            "value": str(reading.register_wh),
            "measurand": "Energy.Active.Import.Register",
            "unit": "Wh",
            "context": "Sample.Periodic",
        },
        {"value": str(reading.power_w), "measurand": "Power.Active.Import", "unit": "W"},
        {"value": str(reading.soc_pct), "measurand": "SoC", "unit": "Percent", "location": "EV"},
    ]


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _yes(*, done: bool) -> str:
    return "Accepted" if done else "Rejected"
