"""Which vehicles have fallen silent."""

from __future__ import annotations

import datetime

from fleet.vehicles.models import Vehicle
from fleet.vehicles.services import set_link_state
from fleet.vehicles.states import LinkState
from mobility.core.principals import system_principal

# Parked vehicles report every few seconds; after this no resident should count on an unlock.
LATE_AFTER = datetime.timedelta(minutes=2)
# After this the city is told that we have lost contact.
LOST_AFTER = datetime.timedelta(minutes=15)

BY = system_principal("telematics")


def age_links(*, at: datetime.datetime) -> int:
    """Move vehicles not heard for too long from online to late to lost; returns how many.

    Only those whose link is not yet what it should be are touched: in quiet times that is none.
    """
    heard = Vehicle.objects.exclude(latest=None)
    lost = heard.exclude(link_state=LinkState.LOST).filter(
        latest__received_at__lte=at - LOST_AFTER,
    )
    late = heard.filter(
        link_state=LinkState.ONLINE,
        latest__received_at__lte=at - LATE_AFTER,
        latest__received_at__gt=at - LOST_AFTER,
    )
    changed = 0
    for silent, state in ((lost, LinkState.LOST), (late, LinkState.LATE)):
        ids = list(silent.values_list("pk", flat=True))
        changed += len(set_link_state(vehicle_ids=ids, to=state, at=at, by=BY))
    return changed
