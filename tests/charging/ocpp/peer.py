"""A charger made of raw frames: it can say anything, right or wrong."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from itertools import count
from typing import Any
from urllib.parse import quote

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

PASSWORD = "a-password-of-24-letters"
TIME = "2026-05-01T10:00:00Z"


def basic(user: str, password: str) -> dict[str, str]:
    secret = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {secret}"}


class Peer:
    """One connection. `call` sends and waits; `send` and `receive` are the raw halves."""

    def __init__(self, dialled: AbstractContextManager[ClientConnection]) -> None:
        self._stack = ExitStack()
        self.socket = self._stack.enter_context(dialled)
        self._ids = count(1)

    @classmethod
    def dial(
        cls,
        url: str,
        identity: str,
        protocols: Sequence[str] = ("ocpp1.6",),
        *,
        password: str | None = PASSWORD,
        user: str | None = None,
        path: str | None = None,
        **options: Any,
    ) -> Peer:
        headers = {} if password is None else basic(user or identity, password)
        return cls(
            connect(
                f"{url}/{quote(identity, safe='') if path is None else path}",
                subprotocols=[Subprotocol(name) for name in protocols] or None,
                additional_headers=headers,
                open_timeout=5,
                close_timeout=1,
                proxy=None,
                **options,
            ),
        )

    def send(self, frame: object) -> None:
        """A frame as JSON, or text and bytes as they are."""
        raw = frame if isinstance(frame, str | bytes) else json.dumps(frame)
        self.socket.send(raw, text=True)

    def receive(self, timeout: float = 5.0) -> Any:
        return json.loads(self.socket.recv(timeout=timeout))

    def call(self, action: str, payload: object = None, *, message_id: str = "") -> list[Any]:
        """The whole answering frame."""
        message_id = message_id or f"m{next(self._ids)}"
        self.send([2, message_id, action, {} if payload is None else payload])
        answer: list[Any] = self.receive()
        assert answer[1] == message_id
        return answer

    def result(
        self, action: str, payload: object = None, *, message_id: str = ""
    ) -> dict[str, Any]:
        """The payload of the CALLRESULT, which it must be."""
        answer = self.call(action, payload, message_id=message_id)
        assert answer[0] == 3, answer
        found: dict[str, Any] = answer[2]
        return found

    def error(self, action: str, payload: object = None) -> str:
        """The code of the CALLERROR, which it must be."""
        answer = self.call(action, payload)
        assert answer[0] == 4, answer
        code: str = answer[2]
        return code

    def answer(self, call: list[Any], payload: object) -> None:
        """Answer a call of the central system."""
        self.send([3, call[1], payload])

    def silence(self, seconds: float = 0.3) -> bool:
        """Whether nothing comes for so long."""
        try:
            self.socket.recv(timeout=seconds)
        except TimeoutError:
            return True
        return False

    def closed_with(self, timeout: float = 5.0) -> int | None:
        """The close code, once the other side has closed."""
        try:
            while True:
                self.socket.recv(timeout=timeout)
        except TimeoutError:
            return None
        except ConnectionClosed:
            return self.socket.close_code

    def cut(self) -> None:
        """Tear the TCP connection, without a close frame."""
        self.socket.socket.close()

    def close(self) -> None:
        self._stack.close()


def boot_16(**extra: object) -> dict[str, object]:
    return {"chargePointVendor": "ACME", "chargePointModel": "Wall", **extra}


def boot_201() -> dict[str, object]:
    return {"reason": "PowerUp", "chargingStation": {"vendorName": "ACME", "model": "Post"}}


def start_16(tag: str, **extra: object) -> dict[str, object]:
    return {"connectorId": 1, "idTag": tag, "meterStart": 1000, "timestamp": TIME, **extra}
