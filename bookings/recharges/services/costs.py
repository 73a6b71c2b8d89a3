"""What the fleets' vehicles charge with their own tokens: a cost between organisations."""

import datetime
import uuid
from collections.abc import Sequence

from django.db import transaction

from bookings.payments.services import book_internal_cost
from bookings.recharges.models import VehicleCharge
from bookings.recharges.services.purpose import KEEPER
from charging.sessions.models import ChargingSession, Token
from charging.sessions.states import TokenKind
from mobility.core.money import PriceLine, total_cents


def bear_cost(
    *, session_id: uuid.UUID, lines: Sequence[PriceLine], at: datetime.datetime
) -> VehicleCharge | None:
    """Book a session of a vehicle's own token as a cost of the vehicle's organisation.

    `None` for any other token. Doing it twice is doing it once.
    """
    with transaction.atomic():
        session = ChargingSession.objects.select_related("station__site").get(public_id=session_id)
        token = Token.objects.filter(uid=session.token_uid, kind=TokenKind.VEHICLE).first()
        if token is None or token.organisation_id is None:
            return None
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
