"""The entries of a vehicle's timeline in words for people; the API gives them beside the plain facts.

Whoever adds a kind of entry says how it is called and what of it people read:

    tell_as("alarm", _("Alarm"), lambda facts: AlarmKind(facts["kind"]).label)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from fleet.vehicles.states import (
    BlockReason,
    CaseKind,
    CaseOutcome,
    CommandKind,
    CommandState,
    DocumentKind,
    HoldPurpose,
    LifeState,
    RentalState,
    ServiceReason,
)

if TYPE_CHECKING:
    from django.db.models import TextChoices

    from fleet.vehicles.queries.timeline import TimelineEntry

Facts = dict[str, Any]
Reader = Callable[[Facts], str]

_known: dict[str, tuple[str | Promise, Reader]] = {}


def tell_as(what: str, title: str | Promise, reader: Reader) -> None:
    """Call entries of this kind so, and tell of their facts what `reader` makes of them."""
    _known[what] = (title, reader)


def title_of(entry: TimelineEntry) -> str:
    """What happened; the bare name of a kind that nobody has put into words."""
    return str(_known[entry.what][0]) if entry.what in _known else entry.what


def words_of(entry: TimelineEntry) -> str:
    """What people read of it, in their language; nothing where the title says it all."""
    return _known[entry.what][1](entry.details) if entry.what in _known else ""


def word(choices: type[TextChoices], value: str | None) -> str:
    """One of these values in words; one that is none of them (any more) as it stands."""
    named = value or ""
    return str(dict(choices.choices).get(named, named))


def joined(*parts: str | None) -> str:
    """Those parts that are there, in one line."""
    return " · ".join(part for part in parts if part)


def _blocks(reasons: Iterable[str]) -> str:
    return ", ".join(word(BlockReason, reason) for reason in reasons)


def _state(facts: Facts) -> str:
    return joined(
        word(LifeState, facts["life_state"]),
        word(RentalState, facts["rental_state"]),
        _blocks(facts["blocks"]),
    )


def _case(facts: Facts) -> str:
    return joined(
        word(CaseKind, facts["kind"]),
        facts["reference"],
        word(CaseOutcome, facts.get("outcome")),
    )


def _service_trip(facts: Facts) -> str:
    metres = facts.get("distance_m")
    return joined(
        word(ServiceReason, facts["reason"]), facts["ticket"], f"{metres} m" if metres else ""
    )


tell_as("state", _("State"), _state)
tell_as(
    "command",
    _("Command"),
    lambda facts: joined(word(CommandKind, facts["kind"]), word(CommandState, facts["state"])),
)
tell_as("hold", _("Held"), lambda facts: word(HoldPurpose, facts["purpose"]))
tell_as("block", _("Blocked"), lambda facts: word(BlockReason, facts["reason"]))
tell_as("block_lifted", _("Block lifted"), lambda facts: word(BlockReason, facts["reason"]))
tell_as(
    "document",
    _("Paper"),
    lambda facts: joined(word(DocumentKind, facts["kind"]), facts["number"]),
)
tell_as("battery", _("Battery put in"), lambda facts: facts["serial"])
tell_as("case", _("Case opened"), _case)
tell_as("case_closed", _("Case closed"), _case)
tell_as("service_trip", _("Service trip"), _service_trip)
tell_as("service_trip_ended", _("Service trip ended"), _service_trip)
