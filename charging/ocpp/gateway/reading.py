"""From bytes to a valid payload: strict, but for what a station's leniency profile forgives."""

from __future__ import annotations

from typing import Any, Final

from charging.frames.states import Quirk
from charging.ocpp.gateway.recorder import Recorder
from charging.ocpp.rpc.errors import Fault, RpcError
from charging.ocpp.rpc.frames import Call, Frame, Payload, parse_frame
from charging.ocpp.rpc.leniency import energy_meant, without_stray_commas
from charging.ocpp.rpc.schemas import schemas_of
from charging.ocpp.rpc.versions import Version
from charging.stations.facts import BootReport, StationCredentials

BOOT: Final = "BootNotification"
_ENERGY: Final = frozenset(
    {"MeterValues", "StartTransaction", "StopTransaction", "TransactionEvent"},
)
_ENERGY_QUIRKS: Final = (Quirk.KWH_AS_WH, Quirk.WH_AS_KWH)

Make = tuple[str, str, str]
"""Vendor, model, firmware."""


class Reader:
    """The reading half of one connection; it knows what make of station it listens to."""

    def __init__(
        self,
        *,
        version: Version,
        credentials: StationCredentials,
        recorder: Recorder,
    ) -> None:
        self._version = version
        self._schemas = schemas_of(version)
        self._station_id = credentials.station_id
        self._recorder = recorder
        self._make: Make = (credentials.vendor, credentials.model, credentials.firmware)

    def introduce(self, report: BootReport) -> None:
        """The station said what it is."""
        self._make = (report.vendor, report.model, report.firmware)

    def parse(self, raw: bytes) -> Frame | None:
        """The frame in ``raw``; raises RpcError."""
        try:
            return parse_frame(raw, version=self._version)
        except RpcError as error:
            forgiven = self._recorder.forgiven(self._make)
            if error.fault is not Fault.FRAMEWORK or Quirk.STRAY_COMMA not in forgiven:
                raise
            frame = parse_frame(without_stray_commas(raw), version=self._version)
            self._recorder.forgave(self._station_id, Quirk.STRAY_COMMA, "")
            return frame

    def valid(self, call: Call) -> Payload:
        """The payload as its schema wants it and as the station means it; raises RpcError."""
        payload = call.payload
        try:
            self._schemas.check_request(action=call.action, payload=payload)
        except RpcError:
            mended = self._mended(call)
            if mended is None:
                raise
            payload = mended
        return self._meant(call.action, payload) if call.action in _ENERGY else payload

    def _mended(self, call: Call) -> Payload | None:
        forgiven = self._recorder.forgiven(self._make_of(call))
        if not forgiven:
            return None
        mended = self._schemas.mend_request(
            action=call.action,
            payload=call.payload,
            forgiven=forgiven,
        )
        if mended is None:
            return None
        for quirk, place in mended.used.items():
            self._recorder.forgave(self._station_id, quirk, f"{call.action}: {place}")
        return mended.payload

    def _meant(self, action: str, payload: Payload) -> Payload:
        forgiven = self._recorder.forgiven(self._make)
        for quirk in _ENERGY_QUIRKS:
            if quirk in forgiven:
                payload = energy_meant(payload, quirk=quirk)
                self._recorder.forgave(self._station_id, quirk, action)
        return payload

    def _make_of(self, call: Call) -> Make:
        """A station that boots may be another make than at its last boot, or never had one."""
        if call.action != BOOT:
            return self._make
        told: Any = call.payload.get("chargingStation")
        told = told if isinstance(told, dict) else call.payload
        vendor = told.get("vendorName") or told.get("chargePointVendor") or ""
        model = told.get("model") or told.get("chargePointModel") or ""
        return str(vendor), str(model), str(told.get("firmwareVersion") or "")
