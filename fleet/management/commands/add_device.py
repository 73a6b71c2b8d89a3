"""`manage.py add_device VEHICLE_CODE [--json]`: give a vehicle a telemetry device."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from fleet.telematics import services
from fleet.vehicles.services import VehicleNotFound
from mobility.core import clock
from mobility.core.principals import system_principal


class Command(BaseCommand):
    help = "Give a vehicle a new telemetry device and print its credential, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("vehicle_code", metavar="VEHICLE_CODE")
        parser.add_argument("--json", action="store_true", help="one line of JSON for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        code = options["vehicle_code"]
        try:
            device, secret = services.add_device(
                vehicle_code=code,
                at=clock.now(),
                by=system_principal("add_device"),
            )
        except VehicleNotFound as error:
            raise CommandError(f"There is no vehicle {code}.") from error
        url = f"{settings.PUBLIC_URL}/api/v1/telemetry"
        if options["json"]:
            answer = {"vehicle": code, "serial": device.serial, "secret": secret, "url": url}
            self.stdout.write(json.dumps(answer))
            return
        self.stdout.write(f"Device {device.serial} speaks for vehicle {code}.")
        self.stdout.write(f"  POST {url}")
        self.stdout.write(f"  Authorization: Bearer {secret}")
        self.stdout.write("This is the only time the secret is shown.")
