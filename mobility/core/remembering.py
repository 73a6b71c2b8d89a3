"""Answers that a process goes by for a while instead of asking the database each time."""

import time
from collections.abc import Callable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Remembered(Generic[Answer]):
    """What `ask` answered last, at most `seconds` ago as this process counts them."""

    def __init__(self, ask: Callable[[], Answer], *, seconds: float) -> None:
        self._ask = ask
        self._seconds = seconds
        self._kept: tuple[Answer, float] | None = None

    def __call__(self) -> Answer:
        """The answer, asked for anew where what is kept is too old."""
        now_s = time.monotonic()
        if self._kept is None or now_s >= self._kept[1]:
            self._kept = self._ask(), now_s + self._seconds
        return self._kept[0]

    def forget(self) -> None:
        """Ask again the next time."""
        self._kept = None
