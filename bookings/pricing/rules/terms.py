"""The parts a fare is made of, as plain frozen numbers that survive as JSON. Cents are gross."""

import dataclasses
import enum
from collections.abc import Iterable, Mapping
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """`minutes` together cost `cents` at most."""

    minutes: int
    cents: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Until minute `until` (`None`: for ever) each started `minutes` cost `cents`."""

    until: int | None
    minutes: int
    cents: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A whole offer: `minutes` and `km` together for `cents`; beyond them the fare's minute and km."""

    minutes: int
    km: int
    cents: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Hours of the city's wall clock with prices of their own; `None` leaves the fare's.

    `start` is included and `end` is not, both "HH:MM" ("24:00" is the day's end). A window may cross
    midnight; such a night belongs to the weekday on which it began. No weekdays: every day (1 is
    Monday).
    """

    start: str
    end: str
    weekdays: tuple[int, ...] = ()
    minute_cents: int | None = None
    pause_minute_cents: int | None = None
    unlock_cents: int | None = None


class ZoneWhen(enum.StrEnum):
    """At which end of a ride a zone counts."""

    START = "start"
    END = "end"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ZoneFee:
    """Starting or ending in a zone costs `cents`, or takes them off when negative.

    The zone is named by its code, by its kind, or by both; an empty name fits every zone.
    """

    when: ZoneWhen
    code: str = ""
    kind: str = ""
    cents: int = 0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ZoneMark:
    """A zone in which a ride started or ended."""

    when: ZoneWhen
    code: str
    kind: str

    def meets(self, fee: ZoneFee) -> bool:
        """Whether the fee speaks of this zone."""
        return self.when == fee.when and fee.code in {"", self.code} and fee.kind in {"", self.kind}


def read_blocks(rows: Iterable[Mapping[str, Any]]) -> tuple[Block, ...]:
    """Blocks out of JSON."""
    return tuple(Block(**row) for row in rows)


def read_steps(rows: Iterable[Mapping[str, Any]]) -> tuple[Step, ...]:
    """Steps out of JSON; the last may leave `until` out."""
    return tuple(Step(**{"until": None, **row}) for row in rows)


def read_packages(rows: Iterable[Mapping[str, Any]]) -> tuple[Package, ...]:
    """Packages out of JSON."""
    return tuple(Package(**{"km": 0, **row}) for row in rows)


def read_windows(rows: Iterable[Mapping[str, Any]]) -> tuple[Window, ...]:
    """Windows out of JSON."""
    return tuple(Window(**{**row, "weekdays": tuple(row.get("weekdays", ()))}) for row in rows)


def read_zone_fees(rows: Iterable[Mapping[str, Any]]) -> tuple[ZoneFee, ...]:
    """Zone fees out of JSON."""
    return tuple(ZoneFee(**{**row, "when": ZoneWhen(row["when"])}) for row in rows)


PART_READERS = {
    "blocks": read_blocks,
    "steps": read_steps,
    "packages": read_packages,
    "windows": read_windows,
    "zone_fees": read_zone_fees,
}
