"""The last word on a session: its energy, its price, and what to do when the end never came."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db import DatabaseError, transaction
from django.db.models import Exists, F, OuterRef, Q

from charging.sessions.events import SessionPriced
from charging.sessions.models import ChargingSession, MeterReading
from charging.sessions.rules import (
    FALLBACK_POWER_W,
    BillableEnergy,
    RegisterPoint,
    billable_energy,
    charged_until,
    delivered_nothing,
    not_ahead,
)
from charging.sessions.services.flags import add_flag
from charging.sessions.services.pricing import price_lines
from charging.sessions.services.starts import station_identities
from charging.sessions.services.stops import end_moved
from charging.sessions.states import Flag, SessionState
from charging.stations.states import ConnectorStatus
from charging.tariffs.models import TariffVersion
from charging.tariffs.queries import version_for_connector
from mobility.core import outbox
from mobility.core.errors import DomainError
from mobility.core.money import PriceLine, total_cents, vat_split
from mobility.core.principals import system_principal
from mobility.core.transitions import move

log = structlog.get_logger(__name__)

SETTLEMENT: Final = system_principal("settlement")
# How long a session with gaps may wait for its missing messages.
WAIT_FOR_GAPS: Final = timedelta(minutes=15)
# An open session is given up when it is silent this long and its connector is evidently free,
# or silent for this many days whatever the connector says.
_FREED: Final = timedelta(hours=1)
_SILENT: Final = timedelta(days=2)


@transaction.atomic
def settle_session(*, session_id: int, at: datetime) -> bool:
    """Price an ended session once and for all; False if it is not ended or still waits for data.

    1. Lock it. A session with gaps waits 15 minutes for its missing messages, then is settled on
       what there is and flagged as estimated.
    2. Join readings of its connector that came without a transaction and fall into its time.
    3. Energy by what the meter supports; a doubtful one is flagged and never more than plausible.
    4. Price by the tariff version valid when it started; below 100 Wh nothing flowed, and a
       charger that gave nothing earns neither start fee nor idle fee.
    5. Move it to settled and publish SessionPriced, in the same transaction.
    """
    session = (
        ChargingSession.objects.select_for_update(of=("self",))
        .select_related("connector", "station__site")
        .get(pk=session_id)
    )
    if session.state != SessionState.ENDED or _waits(session, at=at):
        return False
    points = _register_points(session)
    energy = _energy(session, points)
    _note_flags(session, energy)
    session.tariff_version = _tariff_version(session)
    lines = _lines(session, energy, points)
    _settle(session, energy, lines, at=at)
    return True


def settle_due(*, at: datetime, limit: int = 200) -> int:
    """Settle what is due and was not settled by its event; returns how many.

    A session that cannot be settled is logged and does not keep the others waiting.
    """
    due = ChargingSession.objects.to_settle(before=at - WAIT_FOR_GAPS)
    settled = 0
    for session_id in list(due.order_by("end_reported_at").values_list("pk", flat=True)[:limit]):
        try:
            settled += settle_session(session_id=session_id, at=at)
        except (DomainError, DatabaseError, ArithmeticError, ValueError):
            log.exception("charging.settlement_failed", session_id=session_id)
    return settled


@transaction.atomic
def close_lost_sessions(*, at: datetime, limit: int = 200) -> int:
    """End sessions whose stations will not end them any more; returns how many.

    Given up is an open session that was silent for an hour while its connector is free again or
    has a newer session, or that was silent for two days. It ends at its last believable reading.
    A stop that comes after all replaces the guess, see `stop_sessions`.
    """
    newer = ChargingSession.objects.filter(
        connector_id=OuterRef("connector_id"),
        started_at__gt=OuterRef("started_at"),
    )
    freed = Q(connector__status=ConnectorStatus.AVAILABLE) & Q(
        connector__status_at__gt=F("heard_at"),
    )
    lost = list(
        ChargingSession.objects.silent_since(at - _FREED)
        .filter(freed | Q(Exists(newer)) | Q(heard_at__lt=at - _SILENT))
        .select_for_update(of=("self",), skip_locked=True)
        .order_by("pk")[:limit],
    )
    for session in lost:
        _give_up(session, at=at)
    identities = station_identities({session.station_id for session in lost})
    end_moved(lost, identities=identities, at=at)
    return len(lost)


def _give_up(session: ChargingSession, *, at: datetime) -> None:
    candidates = [session.last_register_at, session.started_at]
    session.ended_at = not_ahead(max(filter(None, candidates), default=session.heard_at), at=at)
    session.meter_stop_wh = session.last_register_wh
    session.end_reported_at = at
    session.stop_reason = "Lost"
    session.power_w = 0
    add_flag(session, Flag.LOST)
    session.save(
        update_fields=[
            "ended_at",
            "meter_stop_wh",
            "end_reported_at",
            "stop_reason",
            "power_w",
            "flags",
        ],
    )


def _waits(session: ChargingSession, *, at: datetime) -> bool:
    if session.complete or session.end_reported_at is None:
        return False
    return at - session.end_reported_at < WAIT_FOR_GAPS


def _register_points(session: ChargingSession) -> list[RegisterPoint]:
    if session.connector_id is not None and session.started_at and session.ended_at:
        MeterReading.objects.filter(
            session__isnull=True,
            connector_id=session.connector_id,
            at__range=(session.started_at, session.ended_at),
        ).update(session=session)
    rows = MeterReading.objects.filter(session=session, register_wh__isnull=False)
    values = rows.order_by("at", "id").values_list("at", "register_wh")
    return [RegisterPoint(at, wh) for at, wh in values if wh is not None]


def _energy(session: ChargingSession, points: Sequence[RegisterPoint]) -> BillableEnergy:
    return billable_energy(
        start=_point(session.started_at, session.meter_start_wh),
        stop=_point(session.ended_at, session.meter_stop_wh),
        between=points,
        max_power_w=session.connector.max_power_w if session.connector else FALLBACK_POWER_W,
    )


def _point(at: datetime | None, register_wh: int | None) -> RegisterPoint | None:
    if at is None or register_wh is None:
        return None
    return RegisterPoint(at, register_wh)


def _note_flags(session: ChargingSession, energy: BillableEnergy) -> None:
    if not session.complete:
        add_flag(session, Flag.ESTIMATED)
    if energy.suspect:
        add_flag(session, Flag.SUSPECT_METER)


def _tariff_version(session: ChargingSession) -> TariffVersion | None:
    if session.connector_id is None or session.started_at is None:
        return session.tariff_version
    return session.tariff_version or version_for_connector(
        connector_id=session.connector_id,
        at=session.started_at,
    )


def _lines(
    session: ChargingSession,
    energy: BillableEnergy,
    points: Sequence[RegisterPoint],
) -> list[PriceLine]:
    # Settled are only sessions that ended; this narrows the type.
    assert session.ended_at is not None
    if session.tariff_version is None:
        add_flag(session, Flag.NO_TARIFF)
        return []
    if delivered_nothing(energy.energy_wh):
        add_flag(session, Flag.NO_ENERGY)
        return []
    start = _point(session.started_at, session.meter_start_wh)
    return price_lines(
        session,
        energy_wh=energy.energy_wh,
        until=session.ended_at,
        charging_ended_at=charged_until([*([start] if start else []), *points]),
    )


def _settle(
    session: ChargingSession,
    energy: BillableEnergy,
    lines: Sequence[PriceLine],
    *,
    at: datetime,
) -> None:
    tariff = session.tariff_version.tariff if session.tariff_version else None
    move(
        session,
        to=SessionState.SETTLED,
        at=at,
        by=SETTLEMENT,
        energy_wh=energy.energy_wh,
        flags=session.flags,
        tariff_version=session.tariff_version,
        price_cents=total_cents(lines),
        currency=tariff.currency if tariff else session.currency,
        lines=[line.as_json() for line in lines],
        vat=[part.as_json() for part in vat_split(lines)],
        settled_at=at,
    )
    outbox.publish(_priced(session), at=at)


def _priced(session: ChargingSession) -> SessionPriced:
    # A settled session has all of these; this narrows the types.
    assert session.started_at is not None
    assert session.ended_at is not None
    assert session.price_cents is not None
    return SessionPriced(
        session_id=str(session.public_id),
        station_identity=session.station.identity,
        connector_id=str(session.connector.public_id) if session.connector else None,
        operator_id=session.station.site.organisation_id,
        token_uid=session.token_uid,
        owner_ref=session.owner_ref,
        purpose_ref=session.purpose_ref,
        energy_wh=session.energy_wh,
        started_at=session.started_at,
        ended_at=session.ended_at,
        price_cents=session.price_cents,
        currency=session.currency,
        lines=session.lines,
        vat=session.vat,
        flags=session.flags,
    )
