"""nginx with the example of deploy/, in front of three small doors."""

import asyncio
import datetime
import os
import re
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import httpx
import pytest
import websockets
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.dev.conftest import ROOT, await_true

pytestmark = pytest.mark.long

# Answers what it was asked, streams two events with a pause, and speaks WebSocket: all three doors.
DOOR = """
import asyncio, json

async def application(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": scope["path"]})
        return
    if scope["type"] != "http":
        return
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"].startswith("/live/"):
        await send({"type": "http.response.body", "body": b"data: first\\n\\n", "more_body": True})
        await asyncio.sleep(3)
    body = json.dumps({"path": scope["path"], "headers": headers}).encode()
    await send({"type": "http.response.body", "body": body})
"""


@dataclass(frozen=True)
class Proxy:
    """A running nginx."""

    port: int
    http_port: int
    trust: ssl.SSLContext

    @property
    def origin(self) -> str:
        """Return the one origin of everything."""
        return f"https://localhost:{self.port}"


def free_ports(count: int) -> list[int]:
    """Return ports that are free right now."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def make_certificate(folder: Path) -> ssl.SSLContext:
    """Write a certificate for localhost and its key, and return who trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    builder = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    )
    builder = builder.serial_number(1).not_valid_before(now).add_extension(names, critical=False)
    certificate = builder.not_valid_after(now + datetime.timedelta(days=1)).sign(
        key, hashes.SHA256()
    )
    pem = serialization.Encoding.PEM
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(pem))
    form = serialization.PrivateFormat.PKCS8
    (folder / "privkey.pem").write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()))
    return ssl.create_default_context(cafile=folder / "fullchain.pem")


def configuration(folder: Path, ports: list[int], door: int) -> str:
    """Return the example with our ports and our certificate, inside the smallest nginx.conf."""
    text = (ROOT / "deploy/nginx.conf.example").read_text()
    text = re.sub(r"/etc/letsencrypt/live/[^/]+", str(folder), text)
    text = re.sub(r"listen \[::\].*", "", text)
    text = text.replace("listen 443", f"listen 127.0.0.1:{ports[0]}")
    text = text.replace("listen 80", f"listen 127.0.0.1:{ports[1]}")
    text = re.sub(r"127\.0\.0\.1:(8000|8001|9000)", f"127.0.0.1:{door}", text)
    places = "".join(
        f"{kind}_temp_path {folder}/{kind}; "
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log; "
        f"events {{}}\nhttp {{ access_log off; {places}\n{text}\n}}\n"
    )


@pytest.fixture(scope="module")
def proxy(dev: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Run nginx, unpacked from the distribution, and one door behind it."""
    folder = tmp_path_factory.mktemp("proxy")
    *ports, door = free_ports(3)
    trust = make_certificate(folder)
    (folder / "door.py").write_text(DOOR)
    (folder / "nginx.conf").write_text(configuration(folder, ports, door))
    root = dev.unpacked("nginx", ["nginx"])
    libraries = ":".join(map(str, dev.library_folders(root)))
    words = ["-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log"), "-p", str(folder)]
    user = ["-g", "user root;"] if os.geteuid() == 0 else []
    serve = [sys.executable, "-m", "uvicorn", "door:application", "--port", str(door)]
    begun = [
        subprocess.Popen(
            [root / "usr/sbin/nginx", *words, *user],
            env=os.environ | {"LD_LIBRARY_PATH": libraries},
        ),
        subprocess.Popen([*serve, "--log-level", "warning"], cwd=folder),
    ]
    try:
        await_true(lambda: all(listens(port) for port in (*ports, door)), seconds=20)
        yield Proxy(ports[0], ports[1], trust)
    finally:
        for process in begun:
            process.terminate()
            process.wait(timeout=10)


def listens(port: int) -> bool:
    """Say whether somebody listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_pages_learn_who_asked_and_how(proxy: Proxy) -> None:
    claims = {"X-Forwarded-For": "10.9.8.7", "X-Forwarded-Proto": "http"}
    seen = httpx.get(f"{proxy.origin}/trip/1/", verify=proxy.trust, headers=claims).json()
    assert seen["path"] == "/trip/1/"
    assert seen["headers"]["host"] == "localhost"
    assert seen["headers"]["x-forwarded-proto"] == "https"
    assert seen["headers"]["x-forwarded-for"] == "127.0.0.1", (
        "what a client claims is not passed on"
    )


def test_plain_http_is_sent_to_https(proxy: Proxy) -> None:
    answer = httpx.get(
        f"http://127.0.0.1:{proxy.http_port}/book/A1/", headers={"Host": "localhost"}
    )
    assert answer.status_code == 301
    assert answer.headers["location"] == "https://localhost/book/A1/"


def test_events_are_not_held_back(proxy: Proxy) -> None:
    began = time.monotonic()
    with httpx.stream("GET", f"{proxy.origin}/live/map", verify=proxy.trust) as answer:
        first = next(answer.iter_text())
    assert first.startswith("data: first")
    assert time.monotonic() - began < 2


def test_chargers_keep_their_web_socket(proxy: Proxy) -> None:
    async def connect() -> str | bytes:
        address = f"wss://localhost:{proxy.port}/ocpp/MI-001"
        async with websockets.connect(address, ssl=proxy.trust) as connection:
            return await connection.recv()

    assert asyncio.run(connect()) == "/ocpp/MI-001"
