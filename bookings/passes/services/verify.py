"""Verified discounts: only that a right was seen, and until when it holds."""

import datetime

from django.db import transaction

from bookings.passes.models import DiscountStatus
from mobility.core import audit
from mobility.core.principals import Principal


def verify_discount(
    *,
    user_id: int,
    organisation_id: int,
    until: datetime.datetime,
    at: datetime.datetime,
    by: Principal,
) -> DiscountStatus:
    """Write down that a person's right to a discount was verified by an organisation until `until`.

    An operator's word counts with the operator, the city's with everybody. A moment that is over
    takes the discount away. What the right rests on is not kept.
    """
    with transaction.atomic():
        status, _fresh = DiscountStatus.objects.update_or_create(
            user_id=user_id, organisation_id=organisation_id, defaults={"verified_until": until}
        )
        audit.record(by=by, action="discount:verified", row=status, at=at)
    return status
