"""A real Mosquitto on a free port of loopback, with the users of the test database."""

from __future__ import annotations

import getpass
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from fleet.telematics import services
from fleet.telematics.mqtt import wire
from fleet.telematics.mqtt.gateway import Options

EXAMPLE = Path(__file__).resolve().parents[3] / "deploy" / "mosquitto.conf.example"


def program() -> str | None:
    """Mosquitto, where there is one."""
    return os.environ.get("MOSQUITTO") or shutil.which(
        "mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin"
    )


def may_be_left_out() -> bool:
    """Whether tests that need it are skipped: on CI they fail instead, as nobody reads what it skips."""
    return program() is None and not os.environ.get("CI")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Broker:
    """Started, killed and started again; its files stay."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.tls_port = free_port(), free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.renew_users()

    def renew_users(self) -> None:
        """Write the files anew, and have a running broker read them."""
        services.export_broker_users(
            folder=self.folder, edge_users=["edge", "edge-2"], edge_password="lantern"
        )
        if self.process is not None:
            self.process.send_signal(signal.SIGHUP)

    def start(self, *, tls: bool = False) -> None:
        """The configuration of deploy/, on our ports and in our folder."""
        assert program() is not None, "there is no mosquitto on this machine"
        config = self.folder / "mosquitto.conf"
        text = EXAMPLE.read_text().replace("/etc/mosquitto/mobility", str(self.folder))
        text = text.replace("/var/lib/mosquitto", str(self.folder))
        text = text.replace("listener 1883", f"listener {self.port}")
        if tls:
            text = re.sub(r"^#(listener|use|certfile|keyfile)", r"\1", text, flags=re.MULTILINE)
            text = text.replace("listener 8883", f"listener {self.tls_port} 127.0.0.1")
            text = text.replace("/etc/letsencrypt/live/mobility.example.org", str(self.folder))
        # Mosquitto started by root would become another user, who cannot read our files.
        config.write_text(f"{text}\nuser {getpass.getuser()}\n")
        log = (self.folder / "log").open("ab")
        command = [str(program()), "-c", str(config)]
        self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        for _ in range(200):
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.02)
        raise AssertionError((self.folder / "log").read_text())

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    @property
    def url(self) -> str:
        return f"mqtt://edge:lantern@127.0.0.1:{self.port}"

    def options(self, name: str = "edge") -> Options:
        return Options(address=wire.read_url(self.url.replace("edge:", f"{name}:")))


class Device:
    """A vehicle's unit that speaks MQTT 5."""

    def __init__(self, broker: Broker, serial: str, secret: str) -> None:
        self.serial = serial
        self.heard: list[tuple[str, Any, Any]] = []
        self.refused = ""
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=serial, protocol=paho.MQTTv5
        )
        self.client.username_pw_set(serial, secret)
        self.client.reconnect_delay_set(1, 1)
        self.client.on_message = self._hear
        self.client.on_connect = self._connected
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 3_600
        self.client.connect_async(
            "127.0.0.1", broker.port, clean_start=False, properties=properties
        )
        self.client.loop_start()

    def _connected(
        self, client: paho.Client, _data: Any, _flags: Any, code: Any, _more: Any
    ) -> None:
        self.refused = str(code) if code.is_failure else ""
        client.subscribe([(f"fleet/v/{self.serial}/{one}", 1) for one in "cer"])

    def _hear(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        kind = message.topic.rpartition("/")[2]
        body = msgspec.json.decode(message.payload)
        self.heard.append((kind, body, message.properties))

    def heard_on(self, kind: str) -> list[Any]:
        return [body for one, body, _more in self.heard if one == kind]

    def publish(
        self, body: Any, *, kind: str = "t", serial: str = "", ask: str = "", qos: int = 1
    ) -> Any:
        """Publish on a topic, our own unless told otherwise; returns paho's info."""
        payload = body if isinstance(body, bytes) else msgspec.json.encode(body)
        properties = Properties(PacketTypes.PUBLISH)
        if ask:
            properties.ResponseTopic = f"fleet/v/{self.serial}/r"
            properties.CorrelationData = ask.encode()
        topic = f"fleet/v/{serial or self.serial}/{kind}"
        return self.client.publish(topic, payload, qos=qos, properties=properties)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
