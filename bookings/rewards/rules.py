"""Which of a person's rewards of the day is the next one, and what a day of them came to."""

from collections.abc import Iterable, Mapping
from typing import Any


def next_number(taken: Iterable[int], *, most: int) -> int | None:
    """The first number from 1 to `most` that is not taken, or None."""
    used = set(taken)
    return next((number for number in range(1, most + 1) if number not in used), None)


def outcome(
    *,
    offers: Mapping[str, int],
    claims: Iterable[Mapping[str, Any]],
    rides: Mapping[int, int],
) -> dict[str, Any]:
    """What a day of offers came to, in plain numbers; amounts in cents.

    `claims` carry state, vehicle, granted_cents and of their offer trips, value and van cost.
    `rides` has 1 for each vehicle that was ridden off in the hours after it was brought: an upper
    bound of what was gained, as some would have been made with another vehicle.
    """
    rows = list(claims)
    granted = [row for row in rows if row["state"] == "granted"]
    spent = sum(row["granted_cents"] for row in granted)
    van = sum(row["van_cents"] for row in granted)
    return {
        "offers": offers["made"],
        "places": offers["places"],
        "accepted": len(rows),
        "granted": len(granted),
        "spent_cents": spent,
        "trips_expected": round(sum(row["trips"] for row in granted), 2),
        "rides_after": sum(rides.get(row["vehicle_id"], 0) for row in granted),
        "value_cents": sum(row["value_cents"] for row in granted),
        "van_cents": van,
        "saved_cents": van - spent,
    }
