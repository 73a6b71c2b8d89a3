"""`manage.py add_device VEHICLE_CODE [--protocol P] [--model M] [--imei N] [--json]`"""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from fleet.telematics import services
from fleet.telematics.models import Device
from fleet.telematics.mqtt import wire
from fleet.telematics.states import Protocol
from fleet.vehicles.services import VehicleNotFound
from mobility.core import clock
from mobility.core.errors import DomainError
from mobility.core.principals import system_principal


class Command(BaseCommand):
    help = "Give a vehicle a new telemetry device and print its credential, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("vehicle_code", metavar="VEHICLE_CODE")
        parser.add_argument("--protocol", choices=Protocol.values, default=Protocol.HTTP.value)
        parser.add_argument("--model", default="", help="profile of the installation, see docs")
        parser.add_argument("--imei", help="of a Teltonika unit; a known one moves to the vehicle")
        parser.add_argument("--json", action="store_true", help="one line of JSON for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        code = options["vehicle_code"]
        unit = services.Unit(
            protocol=options["protocol"],
            model=options["model"],
            imei=options["imei"],
        )
        try:
            device, secret = services.add_device(
                vehicle_code=code,
                at=clock.now(),
                by=system_principal("add_device"),
                unit=unit,
            )
        except VehicleNotFound as error:
            raise CommandError(f"There is no vehicle {code}.") from error
        except DomainError as error:
            raise CommandError(error.detail) from error
        self._say(code, device, secret, as_json=options["json"])

    def _say(self, code: str, device: Device, secret: str, *, as_json: bool) -> None:
        address = _address(device, secret)
        if as_json:
            self.stdout.write(
                json.dumps({"vehicle": code, "serial": device.serial, "secret": secret, **address})
            )
            return
        self.stdout.write(f"Device {device.serial} speaks for vehicle {code}.")
        for line in _lines(device, secret, address):
            self.stdout.write(f"  {line}")
        if secret:
            self.stdout.write("This is the only time the secret is shown.")


def _address(device: Device, secret: str) -> dict[str, str]:
    """Where the device reports, in the words of its protocol."""
    if device.protocol == Protocol.TELTONIKA:
        return {"address": settings.TELTONIKA_ADDRESS, "imei": device.imei or ""}
    if device.protocol == Protocol.MQTT:
        broker = settings.MQTT_URL.rpartition("@")[2]
        topics = f"fleet/v/{device.serial}"
        return {"url": broker, "username": device.serial, "topics": topics}
    return {"url": f"{settings.PUBLIC_URL}/api/v1/telemetry"}


def _lines(device: Device, secret: str, address: dict[str, str]) -> list[str]:
    if device.protocol == Protocol.TELTONIKA:
        return [f"TCP {address['address']}, known by IMEI {device.imei}"]
    if device.protocol == Protocol.MQTT:
        return [
            f"MQTT 5 at {address['url'] or '(no MQTT_URL is set)'}",
            f"user {device.serial}, password {secret}",
            f"reports on {address['topics']}/t, hears {wire.command_topic(device.serial)}",
            "Then renew the broker's users: manage.py export_broker_users",
        ]
    if device.protocol == Protocol.INTEGRATION:
        return ["The operator's backend speaks for it: manage.py add_integration"]
    return [f"POST {address['url']}", f"Authorization: Bearer {secret}"]
