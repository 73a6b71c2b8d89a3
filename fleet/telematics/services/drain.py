"""From the log into the tables: whole batches, one transaction each, once whatever is killed when.

For a batch of log entries:
1. Leave out entries at or below the stored offset: a predecessor stored them and died before it
   could acknowledge them.
2. Put aside points that cannot be true; sort the others and drop repetitions.
3. Split them by what is already stored of their vehicle: fresh ones are written without looking,
   late ones are compared. Late points never touch the latest state.
4. Write the latest state, and what follows from it: vehicles heard again, batteries low or charged.
5. Write the offset, commit, and only then acknowledge and trim the log.
"""

from __future__ import annotations

import struct
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef

from fleet.telematics import records, rules
from fleet.telematics.log import Entry, PointLog, entry_order, point_log
from fleet.telematics.models import IngestOffset, QuarantinedPoint
from fleet.telematics.services import latest, owners
from fleet.telematics.services.links import LATE_AFTER
from fleet.telematics.services.partitions import prepare_days
from fleet.telematics.store import point_store
from fleet.vehicles.models import Vehicle, VehicleBlock
from fleet.vehicles.services import block_vehicles, lift_blocks, set_link_state
from fleet.vehicles.states import BlockReason, LinkState
from mobility.core import locks
from mobility.core.principals import system_principal

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from fleet.telematics.records import Points

log = structlog.get_logger(__name__)

BY = system_principal("telematics")

_ENTRIES_AT_ONCE = 500
_WAIT_MS = 1_000
# A little patience turns a trickle of single reports into a few transactions a second.
_LINGER_S = 0.1


@dataclass(kw_only=True)
class Drained:
    """What a drain did."""

    entries: int = 0
    stored: int = 0
    quarantined: int = 0


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What is stored of the vehicles of a batch."""

    watermarks: dict[int, int] = field(default_factory=dict)
    silent: frozenset[int] = frozenset()
    withdrawn: frozenset[int] = frozenset()


def drain(*, shard: int, budget_s: float, now: Callable[[], datetime.datetime]) -> Drained:
    """Store what waits in a shard of the log, for about `budget_s` seconds.

    One at a time: whoever does not get the shard's lock returns at once. `now` is asked once per
    batch, because a drain outlives the moment at which its door was opened.
    """
    drained = Drained()
    with locks.try_advisory(f"fleet.telematics.drain.{shard}") as held:
        if not held:
            return drained
        source = point_log()
        deadline = time.monotonic() + budget_s
        while True:
            entries = source.read(shard=shard, count=_ENTRIES_AT_ONCE, wait_ms=_wait_ms(deadline))
            if entries:
                _store_entries(entries, shard=shard, source=source, drained=drained, at=now())
            if time.monotonic() >= deadline:
                return drained
            if entries and len(entries) < _ENTRIES_AT_ONCE:
                time.sleep(_LINGER_S)


def drain_all(*, shard: int, at: datetime.datetime) -> Drained:
    """Store everything that waits in a shard and return; for tests and tools."""
    drained = Drained()
    source = point_log()
    while source.backlog(shard=shard):
        entries = source.read(shard=shard, count=_ENTRIES_AT_ONCE, wait_ms=1)
        if entries:
            _store_entries(entries, shard=shard, source=source, drained=drained, at=at)
    return drained


def store_entries(*, shard: int, entries: Sequence[Entry], at: datetime.datetime) -> Drained:
    """Store a batch of log entries in one transaction, together with how far the log is stored."""
    drained = Drained(entries=len(entries))
    with transaction.atomic():
        offset = IngestOffset.objects.select_for_update().filter(pk=shard).first()
        done = entry_order(offset.last_id) if offset else (-1, -1)
        new = [(entry_id, payload) for entry_id, payload in entries if entry_order(entry_id) > done]
        if not new:
            return drained
        _store_points(_owned(_unpack(new)), at=at, drained=drained)
        last_id = max((entry_id for entry_id, _payload in new), key=entry_order)
        stored = IngestOffset(shard=shard, last_id=last_id, updated_at=at)
        stored.save(force_insert=offset is None, force_update=offset is not None)
    return drained


def _store_entries(
    entries: list[Entry],
    *,
    shard: int,
    source: PointLog,
    drained: Drained,
    at: datetime.datetime,
) -> None:
    stored = store_entries(shard=shard, entries=entries, at=at)
    source.acknowledge(shard=shard, entry_ids=[entry_id for entry_id, _payload in entries])
    drained.entries += stored.entries
    drained.stored += stored.stored
    drained.quarantined += stored.quarantined


def _wait_ms(deadline: float) -> int:
    """How long to wait for the first entry: never zero, which would mean for ever."""
    return max(1, min(_WAIT_MS, int((deadline - time.monotonic()) * 1000)))


def _unpack(entries: Sequence[Entry]) -> Points:
    """The points of all entries; one that cannot be read is logged, or it would block the rest."""
    batches = []
    for entry_id, payload in entries:
        try:
            batches.append(records.unpack_entry(payload))
        except (ValueError, struct.error):
            log.error("telematics.entry_unreadable", entry_id=entry_id, size=len(payload))
    return records.join(batches)


def _owned(points: Points) -> Points:
    """The points with their vehicles; those of devices that sat in none are told and left out."""
    vehicles = owners.vehicles_of(points)
    placed = vehicles != owners.NOBODY
    if not placed.all():
        log.error("telematics.device_unassigned", points=int((~placed).sum()))
    return records.owned(points[placed], vehicle_id=vehicles[placed])


def _store_points(points: Points, *, at: datetime.datetime, drained: Drained) -> None:
    known = _known(points)
    points = points[_of_known_vehicles(points, known)]
    reasons = rules.quarantine_reasons(points)
    _quarantine(points[reasons > 0], reasons[reasons > 0].tolist())
    good = rules.in_order_once(points[reasons == 0])
    fresh, late = rules.split_fresh(good, watermarks=known.watermarks)
    prepare_days(good["at_us"])
    point_store().append(fresh=fresh, late=late)
    newest = rules.newest(fresh)
    latest.write_latest(newest)
    _hear(newest, known, at=at)
    _judge_batteries(newest, known, at=at)
    drained.stored += len(good)
    drained.quarantined += int((reasons > 0).sum())


def _known(points: Points) -> _Known:
    """Watermark, link and battery block of every vehicle in the batch, in one query."""
    ids = np.unique(points["vehicle_id"]).tolist()
    low = VehicleBlock.objects.active().filter(
        vehicle=OuterRef("pk"),
        reason=BlockReason.LOW_BATTERY,
    )
    rows = (
        Vehicle.objects.filter(pk__in=ids)
        .annotate(withdrawn=Exists(low))
        .values_list("pk", "link_state", "withdrawn", "latest__at")
    )
    before_all = -(2**63)
    newest_at: datetime.datetime | None  # None for a vehicle that never spoke
    watermarks, silent, withdrawn = {}, set(), set()
    for pk, link, is_withdrawn, newest_at in rows:
        watermarks[pk] = records.to_us(newest_at) if newest_at else before_all
        silent |= {pk} if link != LinkState.ONLINE else set()
        withdrawn |= {pk} if is_withdrawn else set()
    return _Known(
        watermarks=watermarks,
        silent=frozenset(silent),
        withdrawn=frozenset(withdrawn),
    )


def _of_known_vehicles(points: Points, known: _Known) -> NDArray[np.bool_]:
    """Which points belong to vehicles that exist; the others are told once per batch."""
    belongs = np.isin(points["vehicle_id"], list(known.watermarks))
    if not belongs.all():
        log.error("telematics.vehicle_unknown", points=int((~belongs).sum()))
    return belongs


def _quarantine(points: Points, codes: list[int]) -> None:
    QuarantinedPoint.objects.bulk_create(
        [
            QuarantinedPoint(
                device_id=int(point["device_id"]),
                vehicle_id=int(point["vehicle_id"]),
                reason=rules.reason_of(code),
                at_us=int(point["at_us"]),
                received_at=records.from_us(int(point["received_us"])),
                lon_e7=int(point["lon_e7"]),
                lat_e7=int(point["lat_e7"]),
            )
            for point, code in zip(points, codes, strict=True)
        ],
        ignore_conflicts=True,
    )


def _hear(newest: Points, known: _Known, *, at: datetime.datetime) -> None:
    """Vehicles that were silent and have just reported are online again."""
    recent = newest[newest["received_us"] > records.to_us(at - LATE_AFTER)]
    heard = known.silent & set(recent["vehicle_id"].tolist())
    set_link_state(vehicle_ids=sorted(heard), to=LinkState.ONLINE, at=at, by=BY)


def _judge_batteries(newest: Points, known: _Known, *, at: datetime.datetime) -> None:
    changes = rules.battery_changes(newest, blocked=known.withdrawn)
    reason = BlockReason.LOW_BATTERY
    if changes.low:
        block_vehicles(vehicle_ids=changes.low, reason=reason, at=at, by=BY)
    if changes.charged:
        lift_blocks(vehicle_ids=changes.charged, reason=reason, at=at, by=BY)
