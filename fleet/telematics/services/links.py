"""Which vehicles have fallen silent, and the alarm about it."""

from __future__ import annotations

import datetime

import redis
import structlog
from django.db import transaction

from fleet.telematics.log import point_log
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

log = structlog.get_logger(__name__)

BY = system_principal("telematics")


def age_links(*, at: datetime.datetime) -> int:
    """Move vehicles not heard for too long from online to late to lost; returns how many.

    Only those whose link is not yet what it should be are touched: in quiet times that is none.
    What waits in the log was heard and is not stored yet: silence is judged as of the oldest
    report that waits. While the log cannot be asked nobody is called silent.
    """
    try:
        heard_until = at - _waiting(at=at)
    except redis.RedisError as reason:
        log.warning("telematics.links_not_judged", reason=repr(reason))
        return 0
    heard = Vehicle.objects.exclude(latest=None)
    lost = heard.exclude(link_state=LinkState.LOST).filter(
        latest__received_at__lte=heard_until - LOST_AFTER,
    )
    late = heard.filter(
        link_state=LinkState.ONLINE,
        latest__received_at__lte=heard_until - LATE_AFTER,
        latest__received_at__gt=heard_until - LOST_AFTER,
    )
    changed = 0
    # Each by itself: whoever holds locks of many vehicles must not wait for others meanwhile.
    for silent, state in ((lost, LinkState.LOST), (late, LinkState.LATE)):
        with transaction.atomic():
            ids = list(silent.order_by("pk").values_list("pk", flat=True))
            changed += len(set_link_state(vehicle_ids=ids, to=state, at=at, by=BY))
    with transaction.atomic():
        alarms.write_alarms(_silences(at=at), at=at)
    return changed


def _waiting(*, at: datetime.datetime) -> datetime.timedelta:
    """How long the oldest report of the log has been waiting to be stored."""
    source = point_log()
    oldest = [source.oldest_ms(shard=shard) for shard in source.shards()]
    since = min((ms for ms in oldest if ms is not None), default=None)
    if since is None:
        return datetime.timedelta()
    waits = datetime.timedelta(seconds=at.timestamp() - since / 1000)
    return max(waits, datetime.timedelta())


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
