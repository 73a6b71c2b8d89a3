"""What a 1.6 charger answers about itself: settings, lists, profiles, firmware, logs, certificates."""

from datetime import datetime
from typing import Any

from ocpp.v16 import call, call_result

from mobility.simulator.chargers.device import signing_request
from mobility.simulator.chargers.talk import DeviceTalk, answers

_STAGES = ("Downloading", "Downloaded", "Installing", "Installed")
_STAGE_S = 4.0


class Device16(DeviceTalk):
    """The half of `Talk16` that is about the charger rather than about charging."""

    @answers("GetConfiguration")
    def _get_configuration(self, key: list[str] | None = None) -> Any:
        device = self._hardware.device
        wanted = key or [one.key for one in device.settings if one.key]
        found = {name: device.by_key(name) for name in wanted}
        return call_result.GetConfiguration(
            configuration_key=[
                {
                    "key": one.key,
                    "readonly": not one.open,
                    **({"value": one.value} if one.key != "AuthorizationKey" else {}),
                }
                for one in found.values()
                if one is not None
            ],
            unknown_key=[name for name, one in found.items() if one is None],
        )

    @answers("ChangeConfiguration")
    def _change_configuration(self, key: str, value: str) -> Any:
        device = self._hardware.device
        setting = device.by_key(key)
        status = device.change(setting, value) if setting else "NotSupported"
        return call_result.ChangeConfiguration(status=status)

    @answers("ClearCache")
    def _clear_cache(self) -> Any:
        return call_result.ClearCache(status="Accepted")

    @answers("GetLocalListVersion")
    def _list_version(self) -> Any:
        return call_result.GetLocalListVersion(list_version=self._hardware.device.list_version)

    @answers("SendLocalList")
    def _send_list(
        self,
        list_version: int,
        update_type: str,
        local_authorization_list: list[dict[str, Any]] | None = None,
    ) -> Any:
        entries = {one["id_tag"]: one.get("id_tag_info") for one in local_authorization_list or []}
        status = self._hardware.device.take_list(
            version=list_version, full=update_type == "Full", entries=entries
        )
        return call_result.SendLocalList(status=status)

    @answers("SetChargingProfile")
    def _set_profile(self, connector_id: int, cs_charging_profiles: dict[str, Any]) -> Any:
        number = cs_charging_profiles["charging_profile_id"]
        self._hardware.device.profiles[number] = (connector_id, cs_charging_profiles)
        return call_result.SetChargingProfile(status="Accepted")

    @answers("ClearChargingProfile")
    def _clear_profiles(
        self,
        id: int | None = None,  # noqa: A002 — the engine passes the field's name
        connector_id: int | None = None,
        charging_profile_purpose: str | None = None,
        stack_level: int | None = None,
    ) -> Any:
        device = self._hardware.device
        gone = [
            number
            for number, (place, profile) in device.profiles.items()
            if id in (None, number)
            and connector_id in (None, place)
            and charging_profile_purpose in (None, profile["charging_profile_purpose"])
            and stack_level in (None, profile["stack_level"])
        ]
        for number in gone:
            del device.profiles[number]
        return call_result.ClearChargingProfile(status="Accepted" if gone else "Unknown")

    @answers("GetCompositeSchedule")
    def _composite(
        self, connector_id: int, duration: int, charging_rate_unit: str | None = None
    ) -> Any:
        watts = self._hardware.power_left_w(connector_id)
        amperes = charging_rate_unit == "A"
        limit = round(watts / 690, 1) if amperes else round(watts, 1)
        return call_result.GetCompositeSchedule(
            status="Accepted",
            connector_id=connector_id,
            schedule_start=_text(self._hardware.now()),
            charging_schedule={
                "duration": duration,
                "chargingRateUnit": "A" if amperes else "W",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
            },
        )

    @answers("ReserveNow")
    def _reserve(
        self,
        connector_id: int,
        expiry_date: str,
        id_tag: str,
        reservation_id: int,
        parent_id_tag: str | None = None,
    ) -> Any:
        del parent_id_tag  # Who shows the group's card instead is let in by the central system.
        status = self._hardware.reserve(
            number=connector_id,
            reservation=reservation_id,
            token=id_tag,
            until=_instant(expiry_date),
        )
        return call_result.ReserveNow(status=status)

    @answers("CancelReservation")
    def _cancel(self, reservation_id: int) -> Any:
        done = self._hardware.cancel_reservation(reservation=reservation_id)
        return call_result.CancelReservation(status="Accepted" if done else "Rejected")

    @answers("UpdateFirmware")
    def _update_firmware(self, location: str, retrieve_date: str, **_: Any) -> Any:
        del retrieve_date
        self._install(location)
        return call_result.UpdateFirmware()

    @answers("SignedUpdateFirmware")
    def _signed_update(self, request_id: int, firmware: dict[str, Any], **_: Any) -> Any:
        stages = ("Downloading", "Downloaded", "SignatureVerified", "Installing", "Installed")
        self._say_stages(
            stages,
            lambda stage: call.SignedFirmwareStatusNotification(
                status=stage, request_id=request_id
            ),
        )
        self._hardware.install(version=_version(firmware["location"]), after_s=5 * _STAGE_S)
        return call_result.SignedUpdateFirmware(status="Accepted")

    @answers("GetDiagnostics")
    def _get_diagnostics(self, location: str, **_: Any) -> Any:
        name = self._hardware.upload(location=location)
        self._say_stages(
            ("Uploading", "Uploaded"),
            lambda stage: call.DiagnosticsStatusNotification(status=stage),
        )
        return call_result.GetDiagnostics(file_name=name)

    @answers("GetLog")
    def _get_log(self, log: dict[str, Any], log_type: str, request_id: int, **_: Any) -> Any:
        del log_type
        name = self._hardware.upload(location=log["remote_location"])
        self._say_stages(
            ("Uploading", "Uploaded"),
            lambda stage: call.LogStatusNotification(status=stage, request_id=request_id),
        )
        return call_result.GetLog(status="Accepted", filename=name)

    @answers("InstallCertificate")
    def _install_certificate(self, certificate_type: str, certificate: str) -> Any:
        status = self._hardware.device.install(use=certificate_type, pem=certificate)
        return call_result.InstallCertificate(status=status)

    @answers("DeleteCertificate")
    def _delete_certificate(self, certificate_hash_data: dict[str, Any]) -> Any:
        status = self._hardware.device.delete(certificate_hash_data)
        return call_result.DeleteCertificate(status=status)

    @answers("GetInstalledCertificateIds")
    def _certificate_ids(self, certificate_type: str) -> Any:
        papers = [one for one in self._hardware.device.papers if one.use == certificate_type]
        return call_result.GetInstalledCertificateIds(
            status="Accepted" if papers else "NotFound",
            certificate_hash_data=[one.as_wire() for one in papers] or None,
        )

    @answers("CertificateSigned")
    def _certificate_signed(self, certificate_chain: str) -> Any:
        said = "Accepted" if "BEGIN CERTIFICATE" in certificate_chain else "Rejected"
        return call_result.CertificateSigned(status=said)

    @answers("ExtendedTriggerMessage")
    def _extended_trigger(self, requested_message: str, connector_id: int = 0) -> Any:
        if requested_message == "SignChargePointCertificate":
            csr = signing_request(self.id, "Porta Romana")
            self._hardware.soon(1.0, lambda talk: talk.tell(call.SignCertificate(csr=csr)))
            return call_result.ExtendedTriggerMessage(status="Accepted")
        known = {
            "BootNotification": "boot",
            "Heartbeat": "heartbeat",
            "StatusNotification": "status",
        }
        name = known.get(requested_message)
        done = name is not None and self._hardware.trigger(message=name, number=connector_id)
        return call_result.ExtendedTriggerMessage(status="Accepted" if done else "NotImplemented")

    @answers("DataTransfer")
    def _data_transfer(self, vendor_id: str, **_: Any) -> Any:
        del vendor_id
        return call_result.DataTransfer(status="UnknownVendorId")

    def _install(self, location: str) -> None:
        self._say_stages(_STAGES, lambda stage: call.FirmwareStatusNotification(status=stage))
        self._hardware.install(version=_version(location), after_s=len(_STAGES) * _STAGE_S)

    def _say_stages(self, stages: tuple[str, ...], message: Any) -> None:
        for place, stage in enumerate(stages):
            self._say((place + 1) * _STAGE_S, message(stage))

    def _say(self, after_s: float, message: Any) -> None:
        self._hardware.soon(after_s, lambda talk: talk.tell(message))


def _version(location: str) -> str:
    """What the new firmware calls itself: the name of its file."""
    return location.rstrip("/").rpartition("/")[2][:50] or "new"


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
