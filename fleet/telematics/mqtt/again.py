"""Messages that are tried again a little later: one thread for all of them, however many wait."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

log = structlog.get_logger(__name__)

AGAIN_S = 1.0

Item = TypeVar("Item")


class Again(Generic[Item]):
    """Hands every item back `AGAIN_S` after it was put in, in the order of their coming."""

    def __init__(self, act: Callable[[Item], None]) -> None:
        self._act = act
        self._waiting: deque[tuple[float, Item]] = deque()
        self._changed = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._work, name="mqtt-again", daemon=True)

    def start(self) -> None:
        """Begin to hand back."""
        self._thread.start()

    def put(self, item: Item) -> bool:
        """Keep an item for later; whether it will be handed back, which ends with `stop`."""
        with self._changed:
            if not self._stopped:
                self._waiting.append((time.monotonic() + AGAIN_S, item))
                self._changed.notify()
            return not self._stopped

    def stop(self) -> list[Item]:
        """Hand back nothing more; returns what was waiting."""
        with self._changed:
            self._stopped = True
            left = [item for _due, item in self._waiting]
            self._waiting.clear()
            self._changed.notify()
        return left

    def _work(self) -> None:
        while (item := self._next()) is not None:
            try:
                self._act(item)
            except Exception:
                log.exception("edge.not_tried_again")
                self.put(item)

    def _next(self) -> Item | None:
        """The first item once it is due; None when stopped."""
        with self._changed:
            while not self._stopped:
                if not self._waiting:
                    self._changed.wait()
                elif (left_s := self._waiting[0][0] - time.monotonic()) > 0:
                    self._changed.wait(left_s)
                else:
                    return self._waiting.popleft()[1]
        return None
