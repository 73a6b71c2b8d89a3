"""Vans as a plan knows them: what they carry, when and where they start and end."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import lcm
from typing import Any, Self

from fleet.rebalancing.rules.parameters import Parameters

MINUTE = datetime.timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class VanNow:
    """A van that is under way: where it is, what it carries, what is spent of its shift."""

    lon: float
    lat: float
    aboard: Mapping[str, int] = field(default_factory=dict)  # by kind
    broken: Mapping[str, int] = field(default_factory=dict)  # likewise, for the workshop
    minutes: float = 0.0
    packs: int = 0
    begun: bool = True  # whether its crew has claimed anything yet


@dataclass(frozen=True, kw_only=True)
class VanSpec:
    """A van of a plan. Without hours it drives from the plan's beginning for `shift_minutes`."""

    capacity: Mapping[str, int]  # by kind, the van full of it; mixtures share the room
    packs: int
    start: tuple[float, float]  # longitude, latitude
    end: tuple[float, float]
    shift_minutes: float
    begins: datetime.datetime | None = None
    ends: datetime.datetime | None = None
    name: str = ""
    van_id: str = ""  # public id of the row it was made from

    def as_json(self) -> dict[str, Any]:
        """Plain values, to be stored with the plan."""
        return {
            "van": self.van_id,
            "name": self.name,
            "capacity": dict(self.capacity),
            "packs": self.packs,
            "start": list(self.start),
            "end": list(self.end),
            "shift_minutes": self.shift_minutes,
            "begins": self.begins and self.begins.isoformat(),
            "ends": self.ends and self.ends.isoformat(),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """From a plan's stored parameters."""
        begins, ends = stored.get("begins"), stored.get("ends")
        return cls(
            van_id=stored.get("van", ""),
            name=stored.get("name", ""),
            capacity=stored["capacity"],
            packs=int(stored["packs"]),
            start=(float(stored["start"][0]), float(stored["start"][1])),
            end=(float(stored["end"][0]), float(stored["end"][1])),
            shift_minutes=float(stored["shift_minutes"]),
            begins=datetime.datetime.fromisoformat(begins) if begins else None,
            ends=datetime.datetime.fromisoformat(ends) if ends else None,
        )

    def clock(self, *, at: datetime.datetime | None, spent: float) -> tuple[float, float]:
        """First and last minute of its work, counted from `at`; `spent` are minutes it has worked."""
        if at is None or self.begins is None or self.ends is None:
            return 0.0, max(0.0, self.shift_minutes - spent)
        first = max(0.0, (self.begins - at) / MINUTE)
        return first, max(first, (self.ends - at) / MINUTE)

    def units(self, kinds: Sequence[str]) -> tuple[int, list[int]]:
        """The van's room in units that divide it evenly, and what one vehicle of each kind takes.

        A kind that does not fit at all takes more than there is.
        """
        most = [max(0, int(self.capacity.get(kind, 0))) for kind in kinds]
        whole = lcm(*(each for each in most if each)) if any(most) else 0
        return whole, [whole // each if each else whole + 1 for each in most]


def vans_of(parameters: Parameters, *, depot: tuple[float, float]) -> list[VanSpec]:
    """The vans of a plan: those stored with it, else as many alike as its parameters say."""
    if parameters.fleet:
        return [VanSpec.from_json(stored) for stored in parameters.fleet]
    alike = VanSpec(
        capacity=dict.fromkeys(parameters.kinds, parameters.van_capacity),
        packs=parameters.van_packs,
        start=depot,
        end=depot,
        shift_minutes=float(parameters.shift_minutes),
    )
    return [alike] * max(0, parameters.vans)


def afloat(vans: Iterable[VanNow]) -> Counter[str]:
    """By kind, whole vehicles that stand on the vans."""
    counted: Counter[str] = Counter()
    for van in vans:
        counted.update(van.aboard)
    return counted
