"""Why a vehicle cannot be rented now: the pure answer behind the courtesy check."""

from fleet.vehicles.states import LifeState, LinkState, RentalState

NOT_IN_SERVICE = "not_in_service"
NO_CONTACT = "no_contact"
TAKEN = "taken"


def obstacles(*, life: str, link: str, blocks: frozenset[str]) -> tuple[str, ...]:
    """Reasons why a free vehicle is not offered, in a stable order; empty means rentable.

    Rentable is: in service, heard, and no block, besides being free.
    """
    reasons = []
    if life != LifeState.IN_SERVICE:
        reasons.append(NOT_IN_SERVICE)
    if link != LinkState.ONLINE:
        reasons.append(NO_CONTACT)
    return (*reasons, *sorted(blocks))


def is_rentable(*, life: str, rental: str, link: str, blocks: frozenset[str]) -> bool:
    """Whether a resident may take the vehicle now."""
    return rental == RentalState.FREE and not obstacles(life=life, link=link, blocks=blocks)


def range_m(*, max_range_m: int, battery_pct: int | None) -> int | None:
    """How far the vehicle still goes, in metres: the full range times the charge left."""
    return None if battery_pct is None else max_range_m * battery_pct // 100
