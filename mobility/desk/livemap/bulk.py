"""One deed for many vehicles: who would take it and who refuses and why, then the deed itself.

The forecast and the deed judge alike, but only the deed decides: between the two a vehicle may be
taken, and then it refuses there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from fleet.vehicles import services
from fleet.vehicles.models import Vehicle, VehicleBlock
from fleet.vehicles.scoping import FLEET_STAFF
from fleet.vehicles.states import (
    LIFE_MOVES,
    BlockReason,
    CommandKind,
    LifeState,
    LinkState,
    RentalState,
)

if TYPE_CHECKING:
    import datetime

    from mobility.accounts.models import User

COMMAND_TTL_S = 60
_UNRENTED = frozenset({RentalState.FREE, RentalState.STAFF})
_IN_HANDS = frozenset(RentalState) - _UNRENTED - {RentalState.HELD}


class Deed(StrEnum):
    """What can be done to many vehicles from the map."""

    MAINTENANCE = "maintenance"
    BACK = "back"
    RECALL = "recall"
    HONK = "honk"


REASONS: Mapping[str, str | Promise] = {
    "unknown": _("This is no vehicle of yours."),
    "already": _("Nothing would change."),
    "in_use": services.LifeChangeRefused.message,
    "no_way": _("From where it is now it cannot go there."),
    "unsupported": services.CommandUnsupported.message,
}
NOTES: Mapping[str, str | Promise] = {
    "when_free": _("Its rider may finish; the next cannot take it."),
    "silent": _("It has not been heard lately and may not answer in time."),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Standing:
    """What decides about a vehicle."""

    life: str
    rental: str
    link: str
    blocks: frozenset[str]
    commands: frozenset[str]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Line:
    """One vehicle: whether the deed goes, why not, or what to know about it."""

    code: str
    ok: bool
    reason: str = ""
    words: str = ""


def judge(deed: Deed, standing: Standing) -> str:
    """Why a vehicle refuses a deed, as a key of `REASONS`; empty if it does not."""
    blocked = BlockReason.MAINTENANCE in standing.blocks
    if deed is Deed.MAINTENANCE:
        return "already" if blocked else ""
    if deed is Deed.BACK:
        return "" if blocked else "already"
    if deed is Deed.HONK:
        return "" if CommandKind.LOCATE in standing.commands else "unsupported"
    if standing.life == LifeState.WORKSHOP:
        return "already"
    if LifeState.WORKSHOP not in LIFE_MOVES[standing.life]:
        return "no_way"
    return "" if standing.rental in _UNRENTED else "in_use"


def note(deed: Deed, standing: Standing) -> str:
    """What to know before a deed that goes, as a key of `NOTES`; empty if nothing."""
    if deed is Deed.MAINTENANCE and standing.rental in _IN_HANDS:
        return "when_free"
    if deed is Deed.HONK and standing.link != LinkState.ONLINE:
        return "silent"
    return ""


def preview(*, user: User, deed: Deed, codes: Collection[str]) -> list[Line]:
    """What the deed would do to each of the vehicles, by their codes; two queries."""
    own = {vehicle.code: vehicle for vehicle in _mine(user, codes)}
    blocks = _blocks(own.values())
    lines = []
    for code in sorted(set(codes)):
        vehicle = own.get(code)
        if vehicle is None:
            lines.append(Line(code=code, ok=False, reason="unknown", words=str(REASONS["unknown"])))
            continue
        standing = _standing(vehicle, blocks)
        reason = judge(deed, standing)
        told = note(deed, standing) if not reason else ""
        words = REASONS[reason] if reason else NOTES[told] if told else ""
        lines.append(Line(code=code, ok=not reason, reason=reason or told, words=str(words)))
    return lines


def carry_out(
    *,
    user: User,
    deed: Deed,
    codes: Collection[str],
    reason: str,
    key: str,
    at: datetime.datetime,
) -> list[Line]:
    """Do it to those that take it; one that refuses does not stop the others."""
    own = list(_mine(user, codes))
    refused: dict[int, Any] = _DEEDS[deed](
        [vehicle.pk for vehicle in own], reason=reason, key=key, at=at, by=user.principal
    )
    lines = [
        Line(code=one.code, ok=one.pk not in refused, words=str(refused.get(one.pk, "")))
        for one in own
    ]
    strange = set(codes) - {one.code for one in own}
    lines += [Line(code=code, ok=False, words=str(REASONS["unknown"])) for code in strange]
    return sorted(lines, key=lambda line: line.code)


def _mine(user: User, codes: Collection[str]) -> Collection[Vehicle]:
    mine: Any = Vehicle.objects.run_by(user, *FLEET_STAFF)
    return list(mine.filter(code__in=codes).select_related("type").order_by("code"))


def _blocks(vehicles: Collection[Vehicle]) -> dict[int, frozenset[str]]:
    rows = VehicleBlock.objects.active().filter(vehicle__in=[one.pk for one in vehicles])
    found: dict[int, set[str]] = {}
    for vehicle_id, reason in rows.values_list("vehicle_id", "reason"):
        found.setdefault(vehicle_id, set()).add(reason)
    return {vehicle_id: frozenset(reasons) for vehicle_id, reasons in found.items()}


def _standing(vehicle: Vehicle, blocks: Mapping[int, frozenset[str]]) -> Standing:
    return Standing(
        life=vehicle.life_state,
        rental=vehicle.rental_state,
        link=vehicle.link_state,
        blocks=blocks.get(vehicle.pk, frozenset()),
        commands=frozenset(vehicle.type.commands),
    )


def _block(ids: list[int], *, place: bool, **deed: Any) -> dict[int, Any]:
    reasons = {BlockReason.MAINTENANCE}
    changed = services.change_blocks_by_hand(
        vehicle_ids=ids,
        place=reasons if place else (),
        lift=() if place else reasons,
        at=deed["at"],
        by=deed["by"],
    )
    return dict.fromkeys(set(ids) - set(changed), REASONS["already"])


def _recall(ids: list[int], *, reason: str, key: str, at: Any, by: Any) -> dict[int, Any]:
    edit = services.BulkEdit(life=LifeState.WORKSHOP, reason=reason)
    report = services.edit_vehicles(vehicle_ids=ids, edit=edit, at=at, by=by)
    still = set(ids) - set(report.changed) - report.refused.keys()
    return {pk: one.detail for pk, one in report.refused.items()} | dict.fromkeys(
        still, REASONS["already"]
    )


def _honk(ids: list[int], *, reason: str, key: str, at: Any, by: Any) -> dict[int, Any]:
    report = services.queue_commands(
        vehicle_ids=ids,
        kind=CommandKind.LOCATE,
        idempotency_key=key,
        ttl_s=COMMAND_TTL_S,
        purpose_ref="staff",
        at=at,
        by=by,
    )
    return dict.fromkeys(report.unsupported, REASONS["unsupported"])


_DEEDS: Mapping[Deed, Callable[..., dict[int, Any]]] = {
    Deed.MAINTENANCE: lambda ids, **deed: _block(ids, place=True, **deed),
    Deed.BACK: lambda ids, **deed: _block(ids, place=False, **deed),
    Deed.RECALL: _recall,
    Deed.HONK: _honk,
}
