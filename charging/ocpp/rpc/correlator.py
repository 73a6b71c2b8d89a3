"""Our own calls to a station: one at a time, each answered, refused, timed out or cut off.

Answers are matched by message id alone. A late answer, one to an id we never used and a second
answer are all the same to us: nobody waits for them, so they change nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from charging.ocpp.rpc.frames import (
    Call,
    CallError,
    CallResult,
    Payload,
    encode_call,
)

Send = Callable[[bytes], Awaitable[None]]


class CallFailed(Exception):
    """The base of what can become of a call that brought no result."""


class CallTimedOut(CallFailed):
    """The station did not answer in time; it may have acted all the same."""


class CallRefused(CallFailed):
    """The station answered with a CALLERROR."""

    def __init__(self, error: CallError) -> None:
        super().__init__(error.code)
        self.error = error


class LinkClosed(CallFailed):
    """The socket went away before the answer."""


class Correlator:
    """The outgoing half of one connection. ``prefix`` keeps ids of two connections apart."""

    def __init__(self, send: Send, *, prefix: str) -> None:
        self._send = send
        self._prefix = prefix
        self._count = 0
        self._one_at_a_time = asyncio.Lock()
        self._waiting: tuple[str, asyncio.Future[Payload]] | None = None
        self._closed = False
        self._action = ""

    @property
    def busy(self) -> bool:
        """Whether a call is out and unanswered."""
        return self._one_at_a_time.locked()

    @property
    def last_id(self) -> str:
        """The message id of the newest call."""
        return f"{self._prefix}{self._count}"

    @property
    def action(self) -> str:
        """What the call that is out asks for; empty where none is out."""
        return self._action if self._waiting is not None else ""

    async def call(self, *, action: str, payload: Payload, timeout_s: float) -> Payload:
        """Send one call and return the payload of its result, or raise a CallFailed."""
        async with self._one_at_a_time:
            if self._closed:
                raise LinkClosed
            self._count += 1
            message_id = self.last_id
            self._action = action
            answer: asyncio.Future[Payload] = asyncio.get_running_loop().create_future()
            self._waiting = (message_id, answer)
            try:
                async with asyncio.timeout(timeout_s):
                    await self._send(encode_call(Call(message_id, action, payload)))
                    return await answer
            except TimeoutError:
                raise CallTimedOut from None
            finally:
                self._waiting = None

    def resolve(self, frame: CallResult | CallError) -> bool:
        """Hand in an answer; False where nobody waits for it."""
        if self._waiting is None or self._waiting[0] != frame.message_id:
            return False
        answer = self._waiting[1]
        if answer.done():
            return False
        if isinstance(frame, CallError):
            answer.set_exception(CallRefused(frame))
        else:
            answer.set_result(frame.payload)
        return True

    def close(self) -> None:
        """The link is gone: fail the waiting call now, not at its time-out."""
        self._closed = True
        if self._waiting is not None and not self._waiting[1].done():
            self._waiting[1].set_exception(LinkClosed())
