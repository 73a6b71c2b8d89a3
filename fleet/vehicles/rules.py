"""Why a vehicle cannot be rented now: the pure answer behind the courtesy check."""

import re
from typing import Any

from django.utils.translation import gettext_lazy as _

from fleet.vehicles.states import (
    OPENERS,
    CommandKind,
    CommandState,
    Kind,
    LifeState,
    LinkState,
    RentalState,
)

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


# While one of these holds somebody answers for the open vehicle: a rider, or staff.
_IN_HANDS = frozenset(RentalState) - {RentalState.FREE, RentalState.HELD}
# An answer to one of these comes after we had given the command up.
_GIVEN_UP = frozenset({CommandState.UNKNOWN, CommandState.EXPIRED, CommandState.SUPERSEDED})
TOP_LIMIT_KMH = 200


def must_close_again(*, kind: str, found: str, answer: str, rental: str) -> CommandKind | None:
    """The command that undoes a late "done", or None if nothing needs undoing.

    An unlock confirmed after it was given up, on a vehicle that is free or only reserved by now,
    stands open and belongs to nobody: it is told to lock.
    """
    late = answer == CommandState.CONFIRMED and found in _GIVEN_UP
    return OPENERS.get(kind) if late and rental not in _IN_HANDS else None


def parameters_fit(kind: str, parameters: dict[str, Any]) -> bool:
    """Whether a command may carry these parameters: a limit of speed in km/h, or None for none."""
    if kind != CommandKind.SET_SPEED_LIMIT:
        return not parameters
    if set(parameters) != {"max_kmh"}:
        return False
    limit = parameters["max_kmh"]
    return limit is None or (type(limit) is int and 1 <= limit <= TOP_LIMIT_KMH)


NO_SUCH_HUB = _("there is no such hub in this city")
KIND_STAYS = _("a vehicle changes its kind only while it is being prepared or in storage")
_INDOORS = frozenset({LifeState.DRAFT, LifeState.STORAGE})


def may_become(kind: str, *, now: str, life: str, rental: str) -> bool:
    """Whether a vehicle that is of the kind `now` may be made one of `kind`.

    The city reads another state machine for each mode of MDS, and knows no event that leads from
    one to the other: so not while the vehicle is on the street or in somebody's hands.
    """
    return kind == now or (life in _INDOORS and rental == RentalState.FREE)


# Cars since 1994: two letters, three digits, two letters, without I, O, Q and U, which look like
# others. The number sticker of scooters has six characters.
_USUAL_PLATE = {
    Kind.CAR: re.compile(r"[A-HJ-NPR-TV-Z]{2}[0-9]{3}[A-HJ-NPR-TV-Z]{2}"),
    Kind.SCOOTER: re.compile(r"[A-Z0-9]{6}"),
}


def usual_plate(kind: str, plate: str) -> bool:
    """Whether a plate is of the usual Italian form for this kind; a hint, not a condition."""
    usual = _USUAL_PLATE.get(Kind(kind))
    return usual is None or usual.fullmatch(plate) is not None
