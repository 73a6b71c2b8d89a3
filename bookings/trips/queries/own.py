"""The trip a person means, theirs and nobody else's."""

import uuid

from django.db.models import QuerySet

from bookings.trips.models import Trip
from mobility.core.prepared import prepared


@prepared
def own_trip(*, user_id: int, public_id: uuid.UUID) -> QuerySet[Trip]:
    """A person's own trip with its story; asked for many times a ride."""
    return Trip.objects.with_story().filter(user=user_id, public_id=public_id)
