"""What the fleets' vehicles charge with their own tokens: a cost between organisations."""

import datetime
import uuid

from django.db import transaction

from bookings.payments.services import (
    InternalCost,
    book_internal_cost,
    correct_internal_cost,
)
from bookings.recharges.models import VehicleCharge
from bookings.recharges.services.purpose import KEEPER
from charging.sessions.models import ChargingSession, Token
from charging.sessions.services import standing_lines
from charging.sessions.states import TokenKind
from mobility.core import audit
from mobility.core.money import total_cents


def bear_cost(*, session_id: uuid.UUID, at: datetime.datetime) -> VehicleCharge | None:
    """Book a session of a vehicle's own token as a cost of the vehicle's organisation.

    `None` for any other token. Doing it twice is doing it once.
    """
    with transaction.atomic():
        session = ChargingSession.objects.select_related("station__site").get(public_id=session_id)
        token = Token.objects.filter(uid=session.token_uid, kind=TokenKind.VEHICLE).first()
        if token is None or token.organisation_id is None:
            return None
        lines = standing_lines(session_id=session_id)
        cost, fresh = VehicleCharge.objects.get_or_create(
            session=session,
            defaults={
                "organisation_id": token.organisation_id,
                "operator_id": session.station.site.organisation_id,
                "owner_ref": token.owner_ref,
                "energy_wh": session.energy_wh,
                "cents": total_cents(lines),
                "currency": session.currency,
                "lines": [line.as_json() for line in lines],
                "at": session.ended_at or at,
            },
        )
        if fresh and cost.cents:
            book_internal_cost(
                buyer_id=cost.organisation_id,
                seller_id=cost.operator_id,
                ref=str(cost.public_id),
                lines=lines,
                currency=cost.currency,
                at=at,
                by=KEEPER,
            )
    return cost


def correct_cost(*, session_id: uuid.UUID, ref: str, at: datetime.datetime) -> None:
    """Bring a vehicle's cost to what stands after its session's record `ref` was taken back.

    The difference is booked between the organisations, upwards as well: there is no buyer who was
    promised a price. Doing it twice is doing it once.
    """
    with transaction.atomic():
        cost = (
            VehicleCharge.objects.select_for_update(of=("self",))
            .select_related("session")
            .filter(session__public_id=session_id)
            .first()
        )
        if cost is None:
            return
        before, after = cost.price_lines, standing_lines(session_id=session_id)
        correct_internal_cost(
            cost=InternalCost(
                buyer_id=cost.organisation_id, seller_id=cost.operator_id, currency=cost.currency
            ),
            ref=f"{cost.public_id}:{ref}",
            before=before,
            after=after,
            at=at,
        )
        cost.cents, cost.lines = total_cents(after), [line.as_json() for line in after]
        cost.energy_wh = cost.session.energy_wh if after else 0
        cost.save(update_fields=["cents", "lines", "energy_wh"])
        audit.record(
            by=KEEPER, action="correct_cost", row=cost, at=at, changes={"cents": cost.cents}
        )
