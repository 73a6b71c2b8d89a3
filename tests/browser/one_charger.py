"""A charger that a test plays by hand: it dials in with what stood on the page, and says and does as told."""

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from typing import Any

from websockets.sync.client import ClientConnection, connect

ANSWER_S, REQUEST_S = 40, 60
REQUEST, ANSWER, ERROR = 2, 3, 4


def stamp(at: datetime) -> str:
    """An instant as chargers write it."""
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def now() -> str:
    """This instant, likewise."""
    return stamp(datetime.now(UTC))


class Charger:
    """A charger with one cable and OCPP 1.6, as simple as they come."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = count(1)
        self._asked: list[list[Any]] = []

    def say(self, action: str, **payload: Any) -> dict[str, Any]:
        """Say something and wait for the answer."""
        number = f"m{next(self._numbers)}"
        self._socket.send(json.dumps([REQUEST, number, action, payload]))
        while True:
            frame = json.loads(self._socket.recv(timeout=ANSWER_S))
            if frame[0] == REQUEST:
                self._asked.append(frame)
            elif frame[:2] == [ANSWER, number]:
                answer: dict[str, Any] = frame[2]
                return answer

    def tell_status(self, word: str, error: str = "NoError") -> None:
        """Of its only connector, now."""
        self.say("StatusNotification", connectorId=1, errorCode=error, status=word, timestamp=now())

    def obey(self, action: str, **answer: Any) -> None:
        """Wait for a request and answer it; it can do nothing else that it is asked for before."""
        while True:
            frame = self._asked.pop(0) if self._asked else self._hear()
            if frame[0] != REQUEST:
                continue
            if frame[2] == action:
                self._socket.send(json.dumps([ANSWER, frame[1], answer]))
                return
            self._socket.send(json.dumps([ERROR, frame[1], "NotSupported", "", {}]))

    def _hear(self) -> list[Any]:
        frame: list[Any] = json.loads(self._socket.recv(timeout=REQUEST_S))
        return frame


@contextmanager
def charger(address: str, identity: str, password: str) -> Iterator[Charger]:
    """Dial in with what stood on the page."""
    word = b64encode(f"{identity}:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {word}"}
    with connect(address, subprotocols=["ocpp1.6"], additional_headers=headers) as socket:
        yield Charger(socket)
