"""What an operator may decide about a plan; stored with every plan that was made with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Vans, crews, money and horizon. Defaults are assumptions until an operator sets his own."""

    vans: int = 2
    van_capacity: int = 12  # vehicles
    van_packs: int = 20  # charged batteries
    shift_minutes: int = 240
    van_speed_kmh: float = 22.0  # door to door in a city, parking included
    detour: float = 1.35  # street distance over straight distance
    stop_minutes: float = 2.0  # to park the van and to leave again
    handling_minutes: float = 0.75  # per vehicle loaded or unloaded
    swap_minutes: float = 2.0  # per battery
    crew_cents_per_hour: int = 3_200  # wages and van
    margin_cents: Mapping[str, int] = field(
        default_factory=lambda: {"scooter": 300, "bicycle": 220}
    )  # what one more trip leaves after its own costs
    horizon_hours: int = 18
    history_days: int = 28
    low_battery_pct: int = 20
    # A vehicle that somebody booked has to have this much when its time comes.
    booking_battery_pct: int = 40
    # Trips credited for bringing in a broken vehicle; 0 leaves them to the workshop's own rounds.
    workshop_trips: float = 0.0
    # Where vans start and end; the middle of the city when not given.
    depot_lon: float | None = None
    depot_lat: float | None = None
    place_capacity: int = 30  # vehicles of one kind that may stand in a cell
    # A flat vehicle earns nothing until somebody comes, and somebody has to come anyway: trips
    # credited to a swap for not waiting, beside those it brings within the horizon.
    swap_credit_trips: float = 4.0
    # Weather, events: see `rules.influences`, as plain values.
    influences: tuple[Mapping[str, Any], ...] = ()
    # Vans as they were when the plan was asked for (`rules.vans.VanSpec`); without any, `vans` alike.
    fleet: tuple[Mapping[str, Any], ...] = ()
    # Kinds that no van carries but a member of the crew drives to a charger and plugs in, with what
    # one more trip leaves; the crew member comes back to the van on a folding scooter.
    driven_cents: Mapping[str, int] = field(default_factory=dict)
    plug_minutes: float = 4.0  # to get in, park and plug
    return_kmh: float = 12.0
    # Level of an average place while nothing is known: trips per vehicle and day.
    prior_trips_per_vehicle_day: float = 2.0

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of vehicle a van carries."""
        return tuple(sorted(self.margin_cents))

    @property
    def all_kinds(self) -> tuple[str, ...]:
        """Kinds whose demand matters: those carried, and those driven to a charger."""
        return tuple(sorted({*self.margin_cents, *self.driven_cents}))

    def margin(self, kind: str) -> int:
        """What one more trip of a kind leaves, in cents."""
        return int(self.margin_cents.get(kind, self.driven_cents.get(kind, 0)))

    @property
    def cost_cents_per_minute(self) -> float:
        """Crew and van."""
        return self.crew_cents_per_hour / 60.0

    def as_json(self) -> dict[str, Any]:
        """Plain values, to be stored with the plan."""
        return {
            **asdict(self),
            "margin_cents": dict(self.margin_cents),
            "driven_cents": dict(self.driven_cents),
            "fleet": [dict(each) for each in self.fleet],
            "influences": [dict(each) for each in self.influences],
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """From stored values; what is unknown is left out, what is missing gets the default."""
        known = {each.name for each in fields(cls)}
        return cls(**{name: value for name, value in stored.items() if name in known})
