"""Run the OCPP gateway: the process that charging stations connect to."""

from __future__ import annotations

import socket
from argparse import ArgumentParser
from typing import Any

import uvloop
from django.core.management.base import BaseCommand, CommandError
from prometheus_client import start_http_server

from charging.certificates.authority import certificate_file
from charging.ocpp.gateway.options import GatewayOptions
from charging.ocpp.gateway.server import serve_until_signal


class Command(BaseCommand):
    """Door of the gateway; every option has a default that fits one process on one machine."""

    help = "Serve OCPP 1.6, 2.0.1 and 2.1 over WebSocket at ws://HOST:PORT/ocpp/IDENTITY."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=9000)
        parser.add_argument(
            "--name",
            default="",
            help="unique among gateways; default: host name and port",
        )
        parser.add_argument(
            "--behind-tls-proxy",
            action="store_true",
            help="a proxy of ours ends TLS and sets X-Forwarded-Proto",
        )
        parser.add_argument(
            "--proxy-certificates",
            action="store_true",
            help="the proxy verifies client certificates and alone can reach this port",
        )
        parser.add_argument("--tls-port", type=int, help="end TLS here too, on a second port")
        parser.add_argument("--certificate", default="", metavar="FILE", help="PEM, with chain")
        parser.add_argument("--key", default="", metavar="FILE", help="PEM, of the certificate")
        parser.add_argument(
            "--client-ca",
            default="",
            metavar="FILE",
            help="PEM, whose client certificates count; default: our own authority's",
        )
        parser.add_argument("--ping-interval", type=float, default=20.0, metavar="SECONDS")
        parser.add_argument("--call-timeout", type=float, default=30.0, metavar="SECONDS")
        parser.add_argument(
            "--frames-every",
            type=float,
            default=1.0,
            metavar="SECONDS",
            help="how often the log of frames is written; 0: there is none",
        )
        parser.add_argument("--metrics-port", type=int, default=0, help="0: no metrics page")

    def handle(self, *_: Any, **options: Any) -> None:
        if options["metrics_port"]:
            start_http_server(options["metrics_port"], addr="127.0.0.1")
        host, port, tls_port = options["host"], options["port"], options["tls_port"]
        if tls_port is not None and not (options["certificate"] and options["key"]):
            raise CommandError("--tls-port needs --certificate and --key")
        uvloop.run(
            serve_until_signal(
                GatewayOptions(
                    name=options["name"] or f"{socket.gethostname()}:{port}",
                    host=host,
                    port=port,
                    tls_port=tls_port,
                    certificate=options["certificate"],
                    key=options["key"],
                    # There may be no authority yet; it is believed as soon as there is one.
                    client_ca=options["client_ca"] or str(certificate_file()),
                    behind_tls_proxy=options["behind_tls_proxy"],
                    proxy_certificates=options["proxy_certificates"],
                    ping_interval_s=options["ping_interval"],
                    ping_timeout_s=options["ping_interval"],
                    call_timeout_s=options["call_timeout"],
                    record_frames_every_s=options["frames_every"],
                ),
            ),
        )
