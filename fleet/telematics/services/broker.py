"""Who may do what at the MQTT broker: its password and access files, made from the devices.

Format of the password file: mosquitto_passwd(1), hash type 7, which is PBKDF2 with SHA-512.
Format of the access file: mosquitto.conf(5), `acl_file`.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from typing import TYPE_CHECKING

from fleet.telematics.models import Device
from fleet.telematics.states import Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# A device's secret carries 192 random bits, so that the rounds need not slow anybody down.
_ROUNDS = 101
_SALT_BYTES = 12

PASSWORDS, ACCESS = "passwords", "access"

# %u is the name under which a device logged in: its serial. It writes and hears nothing else.
_DEVICES_MAY = """\
pattern write fleet/v/%u/t
pattern write fleet/v/%u/a
pattern read fleet/v/%u/c
pattern read fleet/v/%u/e
pattern read fleet/v/%u/r
"""


def broker_hash(secret: str, *, salt: bytes | None = None) -> str:
    """A secret as a line of the broker's password file wants it."""
    salt = salt or secrets.token_bytes(_SALT_BYTES)
    key = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, _ROUNDS)
    parts = (base64.b64encode(part).decode() for part in (salt, key))
    return "$".join(["", "7", str(_ROUNDS), *parts])


def export_broker_users(*, folder: Path, edge_users: Sequence[str], edge_password: str) -> int:
    """Write the broker's files into `folder`, each complete or not at all; how many devices.

    The broker reads them again on SIGHUP. Nobody but their owner and its group may read them.
    """
    devices = Device.objects.filter(protocol=Protocol.MQTT, revoked_at=None).exclude(broker_hash="")
    users = [(name, broker_hash(edge_password)) for name in edge_users]
    users += devices.order_by("serial").values_list("serial", "broker_hash")
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / PASSWORDS, "".join(f"{name}:{hashed}\n" for name, hashed in users))
    edges = "".join(f"user {name}\ntopic readwrite fleet/v/#\n\n" for name in edge_users)
    _replace(folder / ACCESS, edges + _DEVICES_MAY)
    return len(users) - len(edge_users)


def _replace(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640), "w") as file:  # noqa: PTH123 - a mode from the start
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
