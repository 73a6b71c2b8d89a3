"""What a city lets operators ask at most, whatever the hour and the place."""

import dataclasses

from bookings.pricing.rules.fares import Fare


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Gross cents at most; `None` where the city does not mind. The hour includes the unlocking."""

    unlock_cents: int | None = None
    minute_cents: int | None = None
    hour_cents: int | None = None
    zone_cents: int | None = None


def beyond(*, fare: Fare, limit: Limit) -> dict[str, int]:
    """The numbers of a fare, at its dearest hour and in its dearest zones, that pass the limit."""
    dearest = fare.at_its_dearest()
    asked = {
        "unlock_cents": dearest.unlock_cents,
        "minute_cents": 0 if fare.steps else dearest.minute_cents,
        "hour_cents": dearest.unlock_cents + fare.hour_cents,
        "zone_cents": sum(fee.cents for fee in fare.zone_fees if fee.cents > 0),
    }
    return {
        name: cents
        for name, cents in asked.items()
        if (most := getattr(limit, name)) is not None and cents > most
    }
