"""Which vehicles have fallen silent, and the alarm about it."""

from __future__ import annotations

import datetime

from django.db import transaction

from fleet.telematics.models import Alarm
from fleet.telematics.services import alarms
from fleet.telematics.states import AlarmKind
from fleet.vehicles.models import Vehicle
from fleet.vehicles.services import set_link_state
from fleet.vehicles.states import LifeState, LinkState
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
    with transaction.atomic():
        for silent, state in ((lost, LinkState.LOST), (late, LinkState.LATE)):
            ids = list(silent.values_list("pk", flat=True))
            changed += len(set_link_state(vehicle_ids=ids, to=state, at=at, by=BY))
        alarms.write_alarms(_silences(at=at), at=at)
    return changed


def _silences(*, at: datetime.datetime) -> alarms.AlarmNews:
    """Vehicles in service that are lost and of which nobody has been told; and alarms that ended
    because the vehicle was taken out of service."""
    kind = AlarmKind.SILENCE
    news = alarms.AlarmNews()
    told = Alarm.objects.active().filter(kind=kind)
    lost = Vehicle.objects.filter(
        life_state=LifeState.IN_SERVICE,
        link_state=LinkState.LOST,
        latest__isnull=False,
    ).exclude(pk__in=told.values("vehicle"))
    for pk, heard_at in lost.values_list("pk", "latest__received_at"):
        news.open(kind, pk, heard_at=heard_at.isoformat())
    over = told.exclude(vehicle__life_state=LifeState.IN_SERVICE)
    for pk in over.values_list("vehicle", flat=True):
        news.close(kind, pk)
    return news
