"""`manage.py run_edge [--json]`: the process that vehicles with an open line talk to."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import TYPE_CHECKING, Any

import uvloop
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from prometheus_client import start_http_server

from fleet.telematics.edge.process import EdgeOptions, run_until_signal
from fleet.telematics.mqtt import wire
from fleet.telematics.mqtt.gateway import Options as MqttOptions

if TYPE_CHECKING:
    from fleet.telematics.edge.process import Edge


class Command(BaseCommand):
    """Door of the edge; where it listens and which broker it uses are settings."""

    help = "Take reports from Teltonika units on TCP and from an MQTT broker, and carry commands."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--threads", type=int, default=4, help="that append at the same time")
        parser.add_argument("--metrics-port", type=int, default=0, help="0: no metrics page")
        parser.add_argument("--json", action="store_true", help="say where it listens in JSON")

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            chosen = EdgeOptions(
                teltonika=_teltonika(), mqtt=_mqtt(), threads=max(1, options["threads"])
            )
        except ValueError as error:
            raise CommandError(str(error)) from error
        if options["metrics_port"]:
            start_http_server(options["metrics_port"], addr="127.0.0.1")

        def ready(edge: Edge) -> None:
            self._say(edge, as_json=options["json"])

        uvloop.run(run_until_signal(chosen, ready=ready))

    def _say(self, edge: Edge, *, as_json: bool) -> None:
        host = settings.TELTONIKA_ADDRESS.rpartition(":")[0]
        where = {
            "teltonika": f"{host}:{edge.teltonika.port}" if edge.teltonika else None,
            "mqtt": settings.MQTT_URL.rpartition("@")[2] or None,
        }
        if as_json:
            self.stdout.write(json.dumps(where))
        else:
            self.stdout.write(f"Teltonika on {where['teltonika']}, MQTT by {where['mqtt']}")
        self.stdout.flush()


def _teltonika() -> tuple[str, int] | None:
    address: str = settings.TELTONIKA_ADDRESS
    if not address:
        return None
    host, _colon, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _mqtt() -> MqttOptions | None:
    if not settings.MQTT_URL:
        return None
    return MqttOptions(address=wire.read_url(settings.MQTT_URL), ca_file=settings.MQTT_CA_FILE)
