"""What a person has to do with a vehicle, and all that they told us is wrong."""

from __future__ import annotations

import datetime
from typing import Any
from uuid import UUID

from bookings.payments.models import Payment
from bookings.recharges.models import Recharge
from bookings.support.models import SupportCase
from bookings.support.services.tell import About
from bookings.support.states import UNDERWAY
from bookings.trips.models import Trip, TripDispute
from bookings.trips.services.orders import trip_ref
from fleet.maintenance.models import FaultReport
from fleet.maintenance.states import OPEN_FAULTS
from mobility.accounts.models import User
from mobility.core.errors import NotFound

# Who comes back later to say that the brake was loose still means this ride.
REMEMBERED = datetime.timedelta(days=2)
SHOWN = 100


def own_trip_ref(*, user_id: int, vehicle_id: int, at: datetime.datetime) -> str:
    """The reference of the person's running or last ride on this vehicle, of the last two days.

    As the fleet's own history spells it, or empty when there was none: a person may also report
    what they only walked past.
    """
    trips = Trip.objects.filter(user=user_id, vehicle=vehicle_id, requested_at__gt=at - REMEMBERED)
    last = trips.order_by("-id").first()
    return trip_ref(last) if last is not None else ""


def about_own(
    *,
    user: User,
    trip: UUID | None = None,
    recharge: UUID | None = None,
    payment: UUID | None = None,
    fault: UUID | None = None,
) -> About:
    """The things a person names, if they are their own; raises `NotFound` for any other."""
    return About(
        trip=_own(Trip.objects.select_related("payment").filter(user=user), trip),
        recharge=_own(Recharge.objects.select_related("payment").filter(user=user), recharge),
        payment=_own(Payment.objects.filter(payer=user), payment),
        fault=_own(
            FaultReport.objects.select_related("vehicle").filter(reported_by=user.principal), fault
        ),
    )


def problems_of(*, user: User) -> list[dict[str, Any]]:
    """Everything this person told us is wrong, whoever sees to it; newest first, three queries."""
    cases = SupportCase.objects.filter(user=user).order_by("-id")[:SHOWN]
    disputes = TripDispute.objects.filter(user=user).order_by("-id")[:SHOWN]
    faults = FaultReport.objects.filter(reported_by=user.principal).order_by("-id")[:SHOWN]
    told = [
        *(_case(row) for row in cases),
        *(_dispute(row) for row in disputes),
        *(_fault(row) for row in faults),
    ]
    return sorted(told, key=lambda row: row["opened_at"], reverse=True)[:SHOWN]


def _own(rows: Any, public_id: UUID | None) -> Any:
    if public_id is None:
        return None
    row = rows.filter(public_id=public_id).first()
    if row is None:
        raise NotFound
    return row


def _case(case: SupportCase) -> dict[str, Any]:
    return {
        "id": case.public_id,
        "what": "case",
        "case_number": case.case_number,
        "kind": case.kind,
        "state": case.state,
        "over": case.state not in UNDERWAY,
        "opened_at": case.opened_at,
        "due_at": case.due_at,
    }


def _dispute(dispute: TripDispute) -> dict[str, Any]:
    return {
        "id": dispute.public_id,
        "what": "dispute",
        "case_number": dispute.case_number,
        "kind": dispute.reason,
        "state": dispute.state,
        "over": dispute.decided_at is not None,
        "opened_at": dispute.opened_at,
        "due_at": dispute.due_at,
    }


def _fault(fault: FaultReport) -> dict[str, Any]:
    return {
        "id": fault.public_id,
        "what": "fault",
        "case_number": fault.case_number,
        "kind": fault.category,
        "state": fault.state,
        "over": fault.state not in OPEN_FAULTS,
        "opened_at": fault.at,
        "due_at": None,
    }
