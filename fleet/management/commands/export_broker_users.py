"""`manage.py export_broker_users DIR [--json]`: who may do what at the MQTT broker."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from fleet.telematics import services
from fleet.telematics.mqtt import wire


class Command(BaseCommand):
    help = "Write Mosquitto's files `passwords` and `access`; the broker rereads them on SIGHUP."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", metavar="DIR", type=Path)
        parser.add_argument(
            "--edge",
            action="append",
            default=[],
            metavar="NAME",
            help="a further edge, with the same password; the broker keeps a session for each name",
        )
        parser.add_argument("--json", action="store_true", help="one line of JSON for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        try:
            address = wire.read_url(settings.MQTT_URL)
        except ValueError as error:
            raise CommandError(
                f"MQTT_URL names the broker and the edge's user: {error}."
            ) from error
        if not address.username or not address.password:
            raise CommandError("MQTT_URL must hold the edge's name and password.")
        devices = services.export_broker_users(
            folder=folder,
            edge_users=[address.username, *options["edge"]],
            edge_password=address.password,
        )
        if options["json"]:
            self.stdout.write(json.dumps({"folder": str(folder), "devices": devices}))
        else:
            self.stdout.write(f"{devices} devices and the edge may use the broker: {folder}")
