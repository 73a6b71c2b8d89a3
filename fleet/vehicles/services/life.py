"""The life of a vehicle with its operator, and the cases of those that went astray.

DomainError
├── NotFound  CaseNotFound
├── Gone      CaseClosed
└── Conflict  LifeChangeRefused, VehicleHeld
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from fleet.vehicles import history, mds
from fleet.vehicles.events import HoldDisplaced, LifeChanged
from fleet.vehicles.models import LatestState, Vehicle, VehicleCase, VehicleHold
from fleet.vehicles.services import batteries, blocks, holds
from fleet.vehicles.states import (
    BlockReason,
    CaseKind,
    CaseOutcome,
    LifeState,
    RentalState,
)
from mobility.core import audit, outbox
from mobility.core.errors import Conflict, Gone, NotFound
from mobility.core.transitions import move

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from fleet.vehicles.history import Subject
    from mobility.core.principals import Principal

# In the workshop or in storage for a day, it is taken to be: later holds wait and see.
AWAY_AT_LEAST = datetime.timedelta(hours=24)
_BACK_SOON = frozenset({LifeState.WORKSHOP, LifeState.STORAGE})
# What can happen to a vehicle while somebody has it.
_ANY_TIME = frozenset(CaseKind.values)
_UNRENTED = frozenset({RentalState.FREE, RentalState.STAFF})


class LifeChangeRefused(Conflict):
    code = "vehicle_in_use"
    message = _("Somebody is using this vehicle. Wait for the trip to end.")


class VehicleHeld(Conflict):
    """`extra["holder"]` names who holds it."""

    code = "vehicle_held"
    message = _("This vehicle is held. Release it before it leaves the fleet.")


class CaseNotFound(NotFound):
    code = "case_not_found"
    message = _("There is no such case.")


class CaseClosed(Gone):
    code = "case_closed"
    message = _("This case is closed.")


def set_life_state(
    *,
    vehicle_id: int,
    to: str,
    at: datetime.datetime,
    by: Principal,
    reason: str = "",
) -> Vehicle:
    """Move a vehicle to another part of its life (workshop, storage, back in service …).

    - A rented vehicle can only go missing, be stolen or be impounded. That opens a case, and a
      reservation whose ride has not begun loses it (`HoldDisplaced`); coming back closes the case.
    - One that enters the workshop is blocked for `inspection` until its check is passed.
    - Whoever holds it for later loses it too (`HoldDisplaced`): all that went astray or retired,
      the next day's if it goes to the workshop or into storage.
    - One that retires must not be held; its batteries are taken out. There is no way back.

    Asking for the present state changes nothing. Publishes `LifeChanged`. Raises
    `VehicleNotFound`, `LifeChangeRefused`, `VehicleHeld`, `IllegalMove`, `LostRace`.
    """
    with transaction.atomic():
        subject = holds.lock_vehicle(vehicle_id)
        if subject.vehicle.life_state != to:
            _change(subject, to=to, at=at, by=by, reason=reason)
    return subject.vehicle


def open_case(
    *,
    vehicle_id: int,
    kind: str,
    at: datetime.datetime,
    by: Principal,
    reference: str = "",
    notes: str = "",
) -> VehicleCase:
    """Say that a vehicle is missing, stolen or impounded, with what is known of it.

    Where it was last heard is noted. A case of the same kind that is open takes the new reference
    and notes; one of another kind is closed by this one. Raises what `set_life_state` raises.
    """
    with transaction.atomic():
        set_life_state(vehicle_id=vehicle_id, to=kind, at=at, by=by)
        case = VehicleCase.objects.open().get(vehicle=vehicle_id)
        case.reference = reference or case.reference
        case.notes = "\n".join(part for part in (case.notes, notes) if part)
        case.save(update_fields=["reference", "notes"])
    return case


def close_case(
    *,
    case_id: int,
    to: str,
    at: datetime.datetime,
    by: Principal,
    notes: str = "",
) -> VehicleCase:
    """Close a case by where the vehicle goes: workshop, storage, in service, or retired.

    Raises `CaseNotFound`, `CaseClosed` and what `set_life_state` raises.
    """
    with transaction.atomic():
        cases = VehicleCase.objects.filter(pk=case_id)
        vehicle_id = cases.values_list("vehicle", flat=True).first()
        if vehicle_id is None:
            raise CaseNotFound
        # The case goes with its vehicle's life, so the vehicle's lock is the case's too.
        holds.lock_vehicle(vehicle_id)
        if cases.get().closed_at is not None:
            raise CaseClosed
        set_life_state(vehicle_id=vehicle_id, to=to, at=at, by=by)
        case = cases.get()
        if notes:
            case.notes = "\n".join(part for part in (case.notes, notes) if part)
            case.save(update_fields=["notes"])
    return case


def decommission_vehicle(
    *, vehicle_id: int, at: datetime.datetime, by: Principal, reason: str = ""
) -> Vehicle:
    """Take a vehicle out of the fleet for good; see `set_life_state`."""
    return set_life_state(vehicle_id=vehicle_id, to=LifeState.RETIRED, at=at, by=by, reason=reason)


def displace_waiting(*, vehicle_id: int, reason: str, at: datetime.datetime, by: Principal) -> None:
    """Take a vehicle from who waits for it now; a ride that runs goes on.

    Tells it as `HoldDisplaced`; without anybody waiting nothing happens. Raises `VehicleNotFound`.
    """
    with transaction.atomic():
        subject = holds.lock_vehicle(vehicle_id)
        _displace(subject, reason=reason, at=at, by=by)
        history.record_changes([subject], at=at, by=by, reason=mds.DISPLACED)


def _change(
    subject: Subject, *, to: str, at: datetime.datetime, by: Principal, reason: str
) -> None:
    vehicle, before = subject.vehicle, str(subject.vehicle.life_state)
    if vehicle.rental_state not in _UNRENTED and to not in _ANY_TIME:
        raise LifeChangeRefused
    if to == LifeState.RETIRED:
        _require_unheld(vehicle)
    move(vehicle, field="life_state", to=to, at=at, by=by, reason=reason)
    _follow_case(vehicle, before=before, to=to, at=at, by=by)
    if to == LifeState.WORKSHOP:
        blocks.place_block([subject], reason=BlockReason.INSPECTION, at=at, by=by)
    if to == LifeState.RETIRED:
        batteries.take_out_batteries(vehicle_id=vehicle.pk, at=at, by=by)
    if to in _ANY_TIME:
        _displace(subject, reason=to, at=at, by=by)
    if to != LifeState.IN_SERVICE:
        _displace_ahead(vehicle, soon=to in _BACK_SOON, reason=to, at=at)
    # Only this one word of staff names an event; whatever else they type must not.
    told = mds.COMPLIANCE if reason == mds.COMPLIANCE else ""
    history.record_changes([subject], at=at, by=by, reason=told)
    changed = LifeChanged(vehicle_id=vehicle.pk, before=before, after=to, at=at, reason=reason)
    outbox.publish(changed, at=at)


def _require_unheld(vehicle: Vehicle) -> None:
    hold = VehicleHold.objects.active().filter(vehicle=vehicle, ahead=False).first()
    if hold is not None:
        raise VehicleHeld(extra={"holder": hold.holder_ref})


def _follow_case(
    vehicle: Vehicle, *, before: str, to: str, at: datetime.datetime, by: Principal
) -> None:
    """The case goes with the life: whichever door a vehicle goes astray or comes back through."""
    if before in _ANY_TIME:
        outcome = CaseOutcome.RECOVERED
        if to == LifeState.RETIRED:
            outcome = CaseOutcome.WRITTEN_OFF
        elif to in _ANY_TIME:
            outcome = CaseOutcome.OTHER_CASE
        VehicleCase.objects.open().filter(vehicle=vehicle).update(
            closed_at=at, closed_by=by, outcome=outcome
        )
    if to in _ANY_TIME:
        latest = LatestState.objects.filter(vehicle=vehicle).first()
        case = VehicleCase.objects.create(
            vehicle=vehicle,
            kind=to,
            opened_at=at,
            opened_by=by,
            lon=None if latest is None else latest.lon,
            lat=None if latest is None else latest.lat,
            seen_at=None if latest is None else latest.at,
        )
        audit.record(by=by, action=f"case:{to}", row=case, at=at)


def _displace(subject: Subject, *, reason: str, at: datetime.datetime, by: Principal) -> None:
    """Take the vehicle from who has it and has not begun to use it; a ride that runs goes on."""
    vehicle = subject.vehicle
    if vehicle.rental_state != RentalState.HELD:
        return
    begun = VehicleHold.objects.active().filter(vehicle=vehicle, ahead=False)
    _take_from(begun, vehicle, reason=reason, at=at)
    move(vehicle, field="rental_state", to=RentalState.FREE, at=at, by=by, reason=reason)


def _displace_ahead(vehicle: Vehicle, *, soon: bool, reason: str, at: datetime.datetime) -> None:
    """Take the vehicle from who has it later; if it may be back `soon`, only from the first ones."""
    waiting = VehicleHold.objects.waiting().filter(vehicle=vehicle)
    if soon:
        waiting = waiting.filter(during__startswith__lt=at + AWAY_AT_LEAST)
    _take_from(waiting, vehicle, reason=reason, at=at)


def _take_from(
    holds_: QuerySet[VehicleHold], vehicle: Vehicle, *, reason: str, at: datetime.datetime
) -> None:
    displaced = list(holds_.order_by("pk"))
    if not displaced:
        return
    VehicleHold.objects.filter(pk__in=[hold.pk for hold in displaced]).update(released_at=at)
    outbox.publish(
        *(
            HoldDisplaced(
                hold_id=hold.pk,
                vehicle_id=vehicle.pk,
                purpose=hold.purpose,
                holder_ref=hold.holder_ref,
                reason=reason,
            )
            for hold in displaced
        ),
        at=at,
    )
