"""What a charger says and hears, whatever the version; v16 and v201 put it on the wire."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Protocol, TypeVar, cast

from ocpp.routing import on

from mobility.simulator.chargers.bay import Bay, Reading, Visit

Method = TypeVar("Method", bound=Callable[..., Any])


def answers(action: str) -> Callable[[Method], Method]:
    """The engine's decorator for what we are asked, with types, which it lacks."""
    return cast("Callable[[Method], Method]", on(action))


class Refused(Exception):
    """The central system answered with an error."""


class Hardware(Protocol):
    """What the central system may ask of a charger; True means it will be done."""

    def remote_start(self, *, number: int | None, token: str, remote_start_id: int | None) -> bool:
        """Start charging with this token as soon as a car is plugged in."""
        ...

    def remote_stop(self, *, reference: str) -> bool:
        """End the transaction of this id."""
        ...

    def reset(self, *, hard: bool) -> None:
        """Restart after this answer."""
        ...

    def unlock(self, *, number: int) -> bool:
        """Release the cable, which ends a transaction there."""
        ...

    def set_operative(self, *, number: int, operative: bool) -> bool:
        """Open or close a bay (0: all); False where a transaction must end first."""
        ...

    def trigger(self, *, message: str, number: int) -> bool:
        """Send a message of this name soon."""
        ...


class Talk(Protocol):
    """One connection's conversation. Every method may raise Refused, TimeoutError or a closed
    connection; repeating it with the same arguments says exactly the same again."""

    def listen(self) -> Awaitable[None]:
        """Read until the connection closes."""
        ...

    async def boot(self, *, reason: str) -> tuple[bool, float]:
        """Introduce the charger; whether it was accepted, and the seconds between heartbeats."""
        ...

    async def heartbeat(self) -> None:
        """Ask for a sign of life."""
        ...

    async def status(self, bay: Bay, word: str, at: datetime) -> None:
        """Report a bay's status in the words of 1.6."""
        ...

    async def authorize(self, token: str) -> bool:
        """Whether the token may charge."""
        ...

    async def begin(self, bay: Bay, visit: Visit, reading: Reading, sequence: int) -> bool:
        """Start a transaction; fills ``visit.reference``. False where it must end at once."""
        ...

    async def meter(self, bay: Bay, visit: Visit, reading: Reading, sequence: int) -> None:
        """Report the meter during a transaction."""
        ...

    async def finish(self, bay: Bay, visit: Visit, reading: Reading, sequence: int) -> None:
        """End a transaction."""
        ...
