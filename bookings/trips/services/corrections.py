"""Putting a priced trip right: a new version of its facts, and the difference back.

DomainError
└── Conflict  NothingToCorrect
"""

import datetime
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Max, Q
from django.utils.translation import gettext_lazy as _

from bookings.passes.services import price_as_granted, reprice_with_perks, restore_perks
from bookings.payments.models import Receipt
from bookings.payments.services import CorrectionCostsMore, correct_charge
from bookings.payments.states import DocumentKind
from bookings.trips import rules
from bookings.trips.events import TripCorrected
from bookings.trips.models import Trip, TripVersion
from bookings.trips.queries import WAIVED_UNLOCK, price_terms, waived
from bookings.trips.services.orders import KEEPER
from bookings.trips.services.settle import perks_ref
from bookings.trips.states import PRICED, TripFlag, VersionState, Waiver
from mobility.core import outbox
from mobility.core.errors import Conflict
from mobility.core.money import PriceLine, total_cents
from mobility.core.principals import Principal
from mobility.core.transitions import move

LATE_POINTS = "late_points"
REFUND_REJECTED = "refund_rejected"


class NothingToCorrect(Conflict):
    """The trip has no price yet, or is already as it is proposed to be."""

    code = "nothing_to_correct"
    message = _("There is nothing to correct about this trip.")


def propose_correction(
    *,
    trip: Trip,
    reason: str,
    at: datetime.datetime,
    by: Principal,
    ended_at: datetime.datetime | None = None,
    distance_m: int | None = None,
    waiver: str | None = None,
) -> TripVersion:
    """Write down how a priced trip should have been, and what it would cost then.

    1. The first proposal also keeps what was charged, as version 1.
    2. `ended_at` is an earlier end, `distance_m` another way, `waiver` what is not asked for; what
       is left out stays.
    3. Nothing moves yet: `apply_correction` does, and never charges more than before.

    Raises `NothingToCorrect`.
    """
    with transaction.atomic():
        trip = _locked(trip.pk)
        if trip.state not in PRICED or trip.started_at is None or trip.ended_at is None:
            raise NothingToCorrect
        latest = _first_version(trip, at=at)
        trip.ended_at = max(trip.started_at, min(ended_at or trip.ended_at, trip.ended_at))
        trip.stretches = rules.cut(trip.stretches, at=trip.ended_at)
        trip.distance_m = trip.distance_m or 0 if distance_m is None else distance_m
        trip.waiver = Waiver(trip.waiver if waiver is None else waiver)
        lines = _lines(trip, price_as_granted, at=at, distance_m=trip.distance_m)
        return _write(
            trip, number=latest + 1, lines=lines, reason=reason, at=at, by=by,
            state=VersionState.PROPOSED,
        )  # fmt: skip


def apply_correction(*, version: TripVersion, at: datetime.datetime, by: Principal) -> TripVersion:
    """Let a proposed version hold: the difference goes back, the history stays.

    Doing it twice is doing it once. Raises `IllegalMove` for a rejected one and
    `CorrectionCostsMore`: nobody pays more afterwards than they were told.
    """
    with transaction.atomic():
        trip = _locked(version.trip_id)
        version.refresh_from_db()
        if version.state == VersionState.APPLIED:
            return version
        before = trip.price_cents or 0
        facts = _facts(version)
        for name, value in facts.items():
            setattr(trip, name, value)
        reprice = partial(reprice_with_perks, at=at)
        lines = _lines(trip, reprice, at=at, distance_m=version.distance_m)
        if total_cents(lines) > before:
            raise CorrectionCostsMore
        move(
            version, to=VersionState.APPLIED, at=at, by=by, decided_at=at, decided_by=by,
            lines=[line.as_json() for line in lines], total_cents=total_cents(lines),
        )  # fmt: skip
        _rewrite(trip, version, facts)
        _give_back(trip, version, lines, at=at, by=by)
        _tell(trip, version, before=before, at=at)
    return version


def reject_correction(*, version: TripVersion, at: datetime.datetime, by: Principal) -> TripVersion:
    """Leave the trip as it is. Raises `IllegalMove` for one that was applied, `LostRace`."""
    with transaction.atomic():
        if version.state != VersionState.REJECTED:
            move(version, to=VersionState.REJECTED, at=at, by=by, decided_at=at, decided_by=by)
    return version


def withdraw_correction(*, refund_id: uuid.UUID, at: datetime.datetime) -> TripVersion | None:
    """A second person refused what was to go back by a correction: the trip is as it was before it.

    1. The version is withdrawn; the last one that still holds is the trip's again, and uses again
       what it had of passes, codes and rewards, as far as that is still there.
    2. A dispute that was accepted with it is open again, with new time for its answer.
    3. Where a later correction holds already, what it still gives back is asked for anew.

    `None` for a refund that no version waits for; doing it twice is doing it once.
    """
    version = TripVersion.objects.filter(
        refund__public_id=refund_id, state=VersionState.APPLIED
    ).first()
    if version is None:
        return None
    with transaction.atomic():
        trip = _locked(version.trip_id)
        before = trip.price_cents or 0
        move(version, to=VersionState.WITHDRAWN, at=at, by=KEEPER, reason="refund_rejected")
        holds = trip.versions.filter(state=VersionState.APPLIED).latest("number")
        lines = [PriceLine.from_json(row) for row in holds.lines]
        if trip.version == version.number:
            restore_perks(ref=perks_ref(trip), lines=_as_priced(lines), at=at)
            _rewrite(trip, holds, _facts(holds), corrected=holds.number > 1)
            _tell(trip, holds, before=before, at=at, reason=REFUND_REJECTED)
        else:
            _give_back(trip, holds, lines, at=at, by=Principal(version.decided_by))
    return version


def note_new_distance(*, trip_id: uuid.UUID, distance_m: int, at: datetime.datetime) -> None:
    """Points came late and the way was another one.

    A price that does not change, only gets the distance; one that falls is corrected at once, to
    the rider's good; one that would rise is only proposed, for staff to see. The same way told
    again changes nothing, and of several proposals only the last one waits.
    """
    trip = Trip.objects.with_story().filter(public_id=trip_id, state__in=PRICED).first()
    if trip is None or trip.ended_at is None or trip.distance_m == distance_m:
        return
    new = total_cents(_lines(trip, price_as_granted, at=at, distance_m=distance_m))
    if new == trip.price_cents:
        Trip.objects.filter(pk=trip.pk).update(distance_m=distance_m)
        return
    with transaction.atomic():
        # Its row, so that two who tell the same way do not both propose it.
        trip = _locked(trip.pk)
        if _is_known(trip, distance_m=distance_m, at=at):
            return
        version = propose_correction(
            trip=trip, reason=LATE_POINTS, distance_m=distance_m, at=at, by=KEEPER
        )
        if new < (trip.price_cents or 0):
            apply_correction(version=version, at=at, by=KEEPER)


def _is_known(trip: Trip, *, distance_m: int, at: datetime.datetime) -> bool:
    """Whether staff have this way before them, or have decided about it; others are outdated."""
    told = trip.versions.filter(reason=LATE_POINTS)
    same = Q(distance_m=distance_m, ended_at=trip.ended_at, waiver=trip.waiver)
    waits, over = Q(state=VersionState.PROPOSED), Q(state=VersionState.REJECTED)
    if told.filter(same & (waits | (over & ~Q(decided_by=KEEPER)))).exists():
        return True
    for outdated in told.filter(waits):
        move(
            outdated, to=VersionState.REJECTED, at=at, by=KEEPER, reason="outdated",
            decided_at=at, decided_by=KEEPER,
        )  # fmt: skip
    return False


def _give_back(
    trip: Trip,
    version: TripVersion,
    lines: Sequence[PriceLine],
    *,
    at: datetime.datetime,
    by: Principal,
) -> None:
    """Ask for the difference, and remember by which refund it goes."""
    if trip.payment is None:
        return
    refund = correct_charge(payment=trip.payment, lines=lines, reason=version.reason, at=at, by=by)
    if refund is not None:
        version.refund = refund
        version.save(update_fields=["refund"])


def _locked(pk: int) -> Trip:
    return Trip.objects.with_story().select_for_update(of=("self",)).get(pk=pk)


def _first_version(trip: Trip, *, at: datetime.datetime) -> int:
    """The highest number so far; where there is none, what was charged becomes number 1."""
    latest: int | None = trip.versions.aggregate(n=Max("number"))["n"]
    if latest is not None:
        return latest
    receipt = Receipt.objects.filter(payment=trip.payment_id, kind=DocumentKind.RECEIPT).first()
    lines = [PriceLine.from_json(row) for row in receipt.lines] if receipt is not None else []
    _write(
        trip, number=1, lines=lines, reason="as_charged", at=at, by=KEEPER,
        state=VersionState.APPLIED,
    )  # fmt: skip
    return 1


def _write(
    trip: Trip,
    *,
    number: int,
    lines: Sequence[PriceLine],
    reason: str,
    state: VersionState,
    at: datetime.datetime,
    by: Principal,
) -> TripVersion:
    return TripVersion.objects.create(
        trip=trip,
        number=number,
        state=state,
        at=at,
        by=by,
        reason=reason[:200],
        started_at=trip.started_at or at,
        ended_at=trip.ended_at or at,
        stretches=list(trip.stretches),
        distance_m=trip.distance_m or 0,
        waiver=trip.waiver,
        lines=[line.as_json() for line in lines],
        total_cents=total_cents(lines),
    )


def _facts(version: TripVersion) -> dict[str, Any]:
    return {
        "ended_at": version.ended_at,
        "stretches": version.stretches,
        "distance_m": version.distance_m,
        "waiver": version.waiver,
    }


def _lines(
    trip: Trip,
    price: Callable[..., tuple[PriceLine, ...]],
    *,
    at: datetime.datetime,
    distance_m: int,
) -> tuple[PriceLine, ...]:
    """The price by what the ride was granted; `price` only looks, or gives back what it needs no more."""
    if trip.started_at is None:
        return ()
    terms = price_terms(trip=trip, at=at, distance_m=distance_m)
    del terms["perks"]
    if trip.waiver == Waiver.ALL:
        terms["segments"] = ()
    lines = price(ref=perks_ref(trip), fare=trip.reservation.fare, **terms)
    return waived(lines, waiver=trip.waiver)


def _as_priced(lines: Sequence[PriceLine]) -> list[PriceLine]:
    """Without what was waived: what a ride uses of its perks does not depend on it."""
    return [line for line in lines if line.kind != WAIVED_UNLOCK]


def _rewrite(
    trip: Trip, version: TripVersion, facts: dict[str, Any], *, corrected: bool = True
) -> None:
    others = [flag for flag in trip.flags if flag != TripFlag.CORRECTED]
    flags = [*others, TripFlag.CORRECTED] if corrected else others
    Trip.objects.filter(pk=trip.pk).update(
        **facts, flags=flags, price_cents=version.total_cents, version=version.number
    )


def _tell(
    trip: Trip, version: TripVersion, *, before: int, at: datetime.datetime, reason: str = ""
) -> None:
    outbox.publish(
        TripCorrected(
            trip_id=str(trip.public_id),
            vehicle_id=trip.vehicle_id,
            user_principal=trip.user.principal,
            version=version.number,
            price_cents_before=before,
            price_cents=version.total_cents,
            reason=reason or version.reason,
            at=at,
        ),
        at=at,
    )
