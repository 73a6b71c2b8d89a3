"""What a charger says and hears, whatever the version; v16 and v201 put it on the wire."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Protocol, TypeVar, cast

from ocpp.routing import on

from mobility.simulator.chargers.bay import Bay, Reading, Visit
from mobility.simulator.chargers.device import Device

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

    @property
    def device(self) -> Device:
        """What it remembers."""
        ...

    def now(self) -> datetime:
        """By its own clock."""
        ...

    def runs(self, *, reference: str) -> bool:
        """Whether this transaction is still going on."""
        ...

    def power_left_w(self, number: int) -> float:
        """What profiles and hardware leave to a bay (0: to all of them)."""
        ...

    def reserve(self, *, number: int, reservation: int, token: str, until: datetime) -> str:
        """Keep a bay (0: any) for a token; the status of ReserveNow."""
        ...

    def cancel_reservation(self, *, reservation: int) -> bool:
        """Keep it no more."""
        ...

    def install(self, *, version: str, after_s: float) -> None:
        """Restart with this firmware so much later."""
        ...

    def upload(self, *, location: str) -> str:
        """Bring the log there; the name of the file."""
        ...

    def soon(self, after_s: float, say: Callable[["Talk"], Awaitable[Any]]) -> None:
        """Say something so much later, on whatever connection there is then."""
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

    async def tell(self, message: Any) -> None:
        """Say something of this version that is not listed here."""
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


def triggered(hardware: Hardware, *, says: Any, message: str | None, number: int) -> str:
    """The status of a TriggerMessage: what it `says` is told soon, else `message` is sent by a bay."""
    if says is not None:
        hardware.soon(0.5, lambda talk: talk.tell(says))
        return "Accepted"
    if message is None:
        return "NotImplemented"
    return "Accepted" if hardware.trigger(message=message, number=number) else "Rejected"


class DeviceTalk:
    """What the halves of a tongue that are about the device find in the other half."""

    id: str
    _hardware: Hardware
