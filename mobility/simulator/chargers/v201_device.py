"""What a 2.0.1 station answers about itself: variables, reports, monitors, displays, jobs, papers."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ocpp.v201 import call, call_result

from mobility.simulator.chargers.device import Setting, signing_request
from mobility.simulator.chargers.talk import DeviceTalk, answers

_STAGES = ("Downloading", "Downloaded", "Installing", "Installed")
_STAGE_S = 4.0
_PART = 8


class Device201(DeviceTalk):
    """The half of `Talk201` that is about the station rather than about charging."""

    @answers("GetVariables")
    def _get_variables(self, get_variable_data: list[dict[str, Any]]) -> Any:
        said = []
        for asked in get_variable_data:
            setting = self._setting(asked)
            known = setting is not None and setting.name != "BasicAuthPassword"
            said.append(
                {
                    "attributeStatus": _status_of(setting) if not known else "Accepted",
                    **({"attributeValue": setting.value} if known and setting else {}),
                    "component": _camel(asked["component"]),
                    "variable": _camel(asked["variable"]),
                }
            )
        return call_result.GetVariables(get_variable_result=said)

    @answers("SetVariables")
    def _set_variables(self, set_variable_data: list[dict[str, Any]]) -> Any:
        said = []
        for asked in set_variable_data:
            setting = self._setting(asked)
            status = (
                self._hardware.device.change(setting, asked["attribute_value"])
                if setting
                else "UnknownVariable"
            )
            said.append(
                {
                    "attributeStatus": status,
                    "component": _camel(asked["component"]),
                    "variable": _camel(asked["variable"]),
                }
            )
        return call_result.SetVariables(set_variable_result=said)

    @answers("GetBaseReport")
    def _base_report(self, request_id: int, report_base: str) -> Any:
        named = [one for one in self._hardware.device.settings if one.name]
        wanted = [one for one in named if one.open or report_base != "ConfigurationInventory"]
        self._report(request_id, wanted)
        return call_result.GetBaseReport(status="Accepted")

    @answers("GetReport")
    def _get_report(
        self,
        request_id: int,
        component_variable: list[dict[str, Any]] | None = None,
        component_criteria: list[str] | None = None,
    ) -> Any:
        names = {one["component"]["name"] for one in component_variable or []}
        del component_criteria
        named = [one for one in self._hardware.device.settings if one.name]
        wanted = [one for one in named if not names or one.component in names]
        if wanted:
            self._report(request_id, wanted)
        return call_result.GetReport(status="Accepted" if wanted else "EmptyResultSet")

    @answers("SetVariableMonitoring")
    def _set_monitoring(self, set_monitoring_data: list[dict[str, Any]]) -> Any:
        said = []
        for asked in set_monitoring_data:
            setting = self._setting(asked)
            number = asked.get("id") or len(self._hardware.device.monitors) + 1
            if setting is not None:
                self._hardware.device.monitors[number] = asked
            said.append(
                {
                    **({"id": number} if setting else {}),
                    "status": "Accepted" if setting else "UnknownVariable",
                    "type": asked["type"],
                    "severity": asked["severity"],
                    "component": _camel(asked["component"]),
                    "variable": _camel(asked["variable"]),
                }
            )
        return call_result.SetVariableMonitoring(set_monitoring_result=said)

    @answers("ClearVariableMonitoring")
    def _clear_monitoring(self, id: list[int]) -> Any:  # noqa: A002 — the engine passes the field's name
        gone = {one: self._hardware.device.monitors.pop(one, None) for one in id}
        said = [
            {"id": one, "status": "Accepted" if was else "NotFound"} for one, was in gone.items()
        ]
        return call_result.ClearVariableMonitoring(clear_monitoring_result=said)

    @answers("GetMonitoringReport")
    def _monitoring_report(self, request_id: int, **_: Any) -> Any:
        monitors = self._hardware.device.monitors
        if not monitors:
            return call_result.GetMonitoringReport(status="EmptyResultSet")
        rows = [
            {
                "component": _camel(one["component"]),
                "variable": _camel(one["variable"]),
                "variableMonitoring": [
                    {
                        "id": number,
                        "transaction": one.get("transaction", False),
                        "value": one["value"],
                        "type": one["type"],
                        "severity": one["severity"],
                    }
                ],
            }
            for number, one in monitors.items()
        ]
        now = _text(self._hardware.now())
        for place, part, more in _parts(rows):
            said = call.NotifyMonitoringReport(
                request_id=request_id, seq_no=place, generated_at=now, monitor=part, tbc=more
            )
            self._say(1.0 + place, said)
        return call_result.GetMonitoringReport(status="Accepted")

    @answers("SetMonitoringBase")
    def _monitoring_base(self, monitoring_base: str) -> Any:
        del monitoring_base
        return call_result.SetMonitoringBase(status="Accepted")

    @answers("SetMonitoringLevel")
    def _monitoring_level(self, severity: int) -> Any:
        return call_result.SetMonitoringLevel(status="Accepted" if severity <= 9 else "Rejected")

    @answers("ClearCache")
    def _clear_cache(self) -> Any:
        return call_result.ClearCache(status="Accepted")

    @answers("GetLocalListVersion")
    def _list_version(self) -> Any:
        return call_result.GetLocalListVersion(version_number=self._hardware.device.list_version)

    @answers("SendLocalList")
    def _send_list(
        self,
        version_number: int,
        update_type: str,
        local_authorization_list: list[dict[str, Any]] | None = None,
    ) -> Any:
        entries = {
            one["id_token"]["id_token"]: one.get("id_token_info")
            for one in local_authorization_list or []
        }
        status = self._hardware.device.take_list(
            version=version_number, full=update_type == "Full", entries=entries
        )
        return call_result.SendLocalList(status=status)

    @answers("SetChargingProfile")
    def _set_profile(self, evse_id: int, charging_profile: dict[str, Any]) -> Any:
        self._hardware.device.profiles[charging_profile["id"]] = (evse_id, charging_profile)
        return call_result.SetChargingProfile(status="Accepted")

    @answers("ClearChargingProfile")
    def _clear_profiles(
        self,
        charging_profile_id: int | None = None,
        charging_profile_criteria: dict[str, Any] | None = None,
    ) -> Any:
        asked, device = charging_profile_criteria or {}, self._hardware.device
        gone = [
            number
            for number, (place, profile) in device.profiles.items()
            if charging_profile_id in (None, number)
            and asked.get("evse_id") in (None, place)
            and asked.get("charging_profile_purpose") in (None, profile["charging_profile_purpose"])
            and asked.get("stack_level") in (None, profile["stack_level"])
        ]
        for number in gone:
            del device.profiles[number]
        return call_result.ClearChargingProfile(status="Accepted" if gone else "Unknown")

    @answers("GetChargingProfiles")
    def _get_profiles(self, request_id: int, **_: Any) -> Any:
        profiles = self._hardware.device.profiles
        if not profiles:
            return call_result.GetChargingProfiles(status="NoProfiles")
        waiting = list(profiles.values())
        for place, (evse, profile) in enumerate(waiting):
            said = call.ReportChargingProfiles(
                request_id=request_id,
                charging_limit_source="CSO",
                evse_id=evse,
                charging_profile=[_camel(profile)],
                tbc=place + 1 < len(waiting),
            )
            self._say(1.0 + place, said)
        return call_result.GetChargingProfiles(status="Accepted")

    @answers("GetCompositeSchedule")
    def _composite(self, duration: int, evse_id: int, charging_rate_unit: str | None = None) -> Any:
        watts = self._hardware.power_left_w(evse_id)
        amperes = charging_rate_unit == "A"
        limit = round(watts / 690, 1) if amperes else round(watts, 1)
        return call_result.GetCompositeSchedule(
            status="Accepted",
            schedule={
                "evseId": evse_id,
                "duration": duration,
                "scheduleStart": _text(self._hardware.now()),
                "chargingRateUnit": "A" if amperes else "W",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
            },
        )

    @answers("ReserveNow")
    def _reserve(
        self,
        id: int,  # noqa: A002 — the engine passes the field's name
        expiry_date_time: str,
        id_token: dict[str, str],
        evse_id: int | None = None,
        **_: Any,
    ) -> Any:
        status = self._hardware.reserve(
            number=evse_id or 0,
            reservation=id,
            token=id_token["id_token"],
            until=datetime.fromisoformat(expiry_date_time),
        )
        return call_result.ReserveNow(status=status)

    @answers("CancelReservation")
    def _cancel(self, reservation_id: int) -> Any:
        done = self._hardware.cancel_reservation(reservation=reservation_id)
        return call_result.CancelReservation(status="Accepted" if done else "Rejected")

    @answers("UpdateFirmware")
    def _update_firmware(self, request_id: int, firmware: dict[str, Any], **_: Any) -> Any:
        for place, stage in enumerate(_STAGES):
            said = call.FirmwareStatusNotification(status=stage, request_id=request_id)
            self._say((place + 1) * _STAGE_S, said)
        version = firmware["location"].rstrip("/").rpartition("/")[2][:50] or "new"
        self._hardware.install(version=version, after_s=len(_STAGES) * _STAGE_S)
        return call_result.UpdateFirmware(status="Accepted")

    @answers("GetLog")
    def _get_log(self, log: dict[str, Any], log_type: str, request_id: int, **_: Any) -> Any:
        del log_type
        name = self._hardware.upload(location=log["remote_location"])
        for place, stage in enumerate(("Uploading", "Uploaded")):
            said = call.LogStatusNotification(status=stage, request_id=request_id)
            self._say((place + 1) * _STAGE_S, said)
        return call_result.GetLog(status="Accepted", filename=name)

    @answers("SetDisplayMessage")
    def _set_display(self, message: dict[str, Any]) -> Any:
        self._hardware.device.displays[message["id"]] = message
        return call_result.SetDisplayMessage(status="Accepted")

    @answers("GetDisplayMessages")
    def _get_displays(self, request_id: int, **_: Any) -> Any:
        shown = list(self._hardware.device.displays.values())
        if not shown:
            return call_result.GetDisplayMessages(status="Unknown")
        said = call.NotifyDisplayMessages(
            request_id=request_id, message_info=[_camel(one) for one in shown]
        )
        self._say(1.0, said)
        return call_result.GetDisplayMessages(status="Accepted")

    @answers("ClearDisplayMessage")
    def _clear_display(self, id: int) -> Any:  # noqa: A002 — the engine passes the field's name
        was = self._hardware.device.displays.pop(id, None)
        return call_result.ClearDisplayMessage(status="Accepted" if was else "Unknown")

    @answers("CostUpdated")
    def _cost_updated(self, total_cost: float, transaction_id: str) -> Any:
        del transaction_id
        self._hardware.device.shown_cost = float(total_cost)
        return call_result.CostUpdated()

    @answers("GetTransactionStatus")
    def _transaction_status(self, transaction_id: str | None = None) -> Any:
        if transaction_id is None:
            return call_result.GetTransactionStatus(messages_in_queue=False)
        going = self._hardware.runs(reference=transaction_id)
        return call_result.GetTransactionStatus(messages_in_queue=False, ongoing_indicator=going)

    @answers("CustomerInformation")
    def _customer_information(self, request_id: int, **_: Any) -> Any:
        said = call.NotifyCustomerInformation(
            data="No data is kept about this person.",
            seq_no=0,
            generated_at=_text(self._hardware.now()),
            request_id=request_id,
        )
        self._say(1.0, said)
        return call_result.CustomerInformation(status="Accepted")

    @answers("SetNetworkProfile")
    def _network_profile(self, **_: Any) -> Any:
        # Where it connects stands in the city's file of credentials.
        return call_result.SetNetworkProfile(status="Rejected")

    @answers("InstallCertificate")
    def _install_certificate(self, certificate_type: str, certificate: str) -> Any:
        status = self._hardware.device.install(use=certificate_type, pem=certificate)
        return call_result.InstallCertificate(status=status)

    @answers("DeleteCertificate")
    def _delete_certificate(self, certificate_hash_data: dict[str, Any]) -> Any:
        status = self._hardware.device.delete(certificate_hash_data)
        return call_result.DeleteCertificate(status=status)

    @answers("GetInstalledCertificateIds")
    def _certificate_ids(self, certificate_type: list[str] | None = None) -> Any:
        papers = [
            one
            for one in self._hardware.device.papers
            if not certificate_type or one.use in certificate_type
        ]
        return call_result.GetInstalledCertificateIds(
            status="Accepted" if papers else "NotFound",
            certificate_hash_data_chain=[
                {"certificateType": one.use, "certificateHashData": one.as_wire()} for one in papers
            ]
            or None,
        )

    @answers("CertificateSigned")
    def _certificate_signed(self, certificate_chain: str, **_: Any) -> Any:
        said = "Accepted" if "BEGIN CERTIFICATE" in certificate_chain else "Rejected"
        return call_result.CertificateSigned(status=said)

    @answers("DataTransfer")
    def _data_transfer(self, vendor_id: str, **_: Any) -> Any:
        del vendor_id
        return call_result.DataTransfer(status="UnknownVendorId")

    def _ask_for_certificate(self) -> None:
        """A request for a client certificate, as a trigger asks for it."""
        said = call.SignCertificate(
            csr=signing_request(self.id, "Vettabbia"),
            certificate_type="ChargingStationCertificate",
        )
        self._say(1.0, said)

    def _report(self, request_id: int, settings: list[Setting]) -> None:
        rows = [
            {
                "component": {"name": one.component},
                "variable": {"name": one.name},
                "variableAttribute": [
                    {"type": "Actual", "mutability": one.mutability, "value": one.value}
                ],
                "variableCharacteristics": {"dataType": one.kind, "supportsMonitoring": False},
            }
            for one in settings
        ]
        now = _text(self._hardware.now())
        for place, part, more in _parts(rows):
            said = call.NotifyReport(
                request_id=request_id, generated_at=now, seq_no=place, report_data=part, tbc=more
            )
            self._say(0.5 + place * 0.5, said)

    def _setting(self, asked: dict[str, Any]) -> Setting | None:
        return self._hardware.device.by_name(asked["component"]["name"], asked["variable"]["name"])

    def _say(self, after_s: float, message: Any) -> None:
        self._hardware.soon(after_s, lambda talk: talk.tell(message))


def _status_of(setting: Setting | None) -> str:
    return "UnknownVariable" if setting is None else "Rejected"


def _parts(rows: list[dict[str, Any]]) -> Iterator[tuple[int, list[dict[str, Any]], bool]]:
    """Numbered parts, and whether more come."""
    starts = range(0, len(rows), _PART)
    for place, start in enumerate(starts):
        yield place, rows[start : start + _PART], start + _PART < len(rows)


def _camel(value: Any) -> Any:
    """What the engine renamed on its way in, as it is said on the wire."""
    if isinstance(value, dict):
        return {_wire_name(name): _camel(one) for name, one in value.items()}
    return [_camel(one) for one in value] if isinstance(value, list) else value


def _wire_name(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
