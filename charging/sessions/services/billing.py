"""What an ended session comes to: its energy by the meter, its course, and its price lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from charging.sessions.models import ChargingSession, MeterReading
from charging.sessions.rules import (
    FALLBACK_POWER_W,
    BillableEnergy,
    RegisterPoint,
    billable_energy,
    charged_until,
    delivered_nothing,
    is_stuck,
)
from charging.sessions.services.pricing import course_points, session_figures
from charging.sessions.states import Doubt, Flag, SignatureState
from charging.tariffs.models import TariffVersion
from charging.tariffs.queries import version_for_connector
from charging.tariffs.rules import PriceList, SessionFigures, price_periods, price_session
from mobility.core.money import PriceLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """A session's final figures; `flags` say what staff should know of them."""

    energy: BillableEnergy
    figures: SessionFigures
    version: TariffVersion | None
    prices: PriceList | None
    lines: tuple[PriceLine, ...]
    flags: tuple[Flag, ...]

    def periods(self) -> list[dict[str, Any]]:
        """The session in OCPI's charging periods; empty where nothing priced it."""
        if self.prices is None:
            return []
        return price_periods(prices=self.prices, figures=self.figures)

    @property
    def charging_ended_at(self) -> datetime | None:
        """When parking began; None if the vehicle charged to the end, or nobody can tell."""
        return self.figures.charging_ended_at


@dataclass(frozen=True, slots=True)
class _Story:
    """The stored readings of a session, those under a wrong signature left out."""

    registers: list[RegisterPoint]
    intervals: list[RegisterPoint]
    powers: dict[datetime, int]
    currents: dict[datetime, int]


def bill_session(session: ChargingSession, *, energy_wh: int | None = None) -> Bill:
    """Work out what an ended session comes to; `energy_wh` replaces what the meter says.

    1. Energy by what the meter supports; a doubtful one is flagged and never more than plausible.
       A reading whose signature does not verify counts for nothing by itself.
    2. Priced by the version frozen at the start; an offline start of the past by the version that
       was valid then.
    3. Below 100 Wh nothing flowed, and a charger that gave nothing earns neither start fee nor
       idle fee.
    """
    # Billed are only sessions that began and ended; this narrows the types.
    assert session.started_at is not None
    assert session.ended_at is not None
    story = _story(session)
    energy = _energy(session, story)
    if energy_wh is not None:
        energy = BillableEnergy(energy_wh, suspect=False, course=energy.course)
    figures = session_figures(
        session,
        energy_wh=energy.energy_wh,
        until=session.ended_at,
        charging_ended_at=_parked_from(session, story),
        points=course_points(energy.course, currents=story.currents),
    )
    version = frozen_version(session)
    prices = version.prices(time_zone=session.station.site.time_zone) if version else None
    lines: tuple[PriceLine, ...] = ()
    if prices is not None and not delivered_nothing(energy.energy_wh):
        lines = tuple(price_session(prices=prices, figures=figures))
    return Bill(
        energy=energy,
        figures=figures,
        version=version,
        prices=prices,
        lines=lines,
        flags=tuple(_flags(session, energy, story, version)),
    )


def join_readings(session: ChargingSession) -> None:
    """Make readings of the connector without a transaction, that fall into the session, its own."""
    if session.connector_id is not None and session.started_at and session.ended_at:
        MeterReading.objects.filter(
            session__isnull=True,
            connector_id=session.connector_id,
            at__range=(session.started_at, session.ended_at),
        ).update(session=session)


def frozen_version(session: ChargingSession) -> TariffVersion | None:
    """The tariff version that prices the session: the one of its start."""
    if session.tariff_version is not None or session.connector_id is None:
        return session.tariff_version
    if session.started_at is None:
        return None
    return version_for_connector(connector_id=session.connector_id, at=session.started_at)


def _story(session: ChargingSession) -> _Story:
    rows = (
        MeterReading.objects.filter(session=session)
        .exclude(doubt=Doubt.SIGNATURE)
        .order_by("at", "id")
        .values_list("at", "register_wh", "interval_wh", "power_w", "current_ma")
    )
    story = _Story([], [], {}, {})
    for at, register_wh, interval_wh, power_w, current_ma in rows:
        if register_wh is not None:
            story.registers.append(RegisterPoint(at, register_wh))
        elif interval_wh is not None:
            story.intervals.append(RegisterPoint(at, interval_wh))
        if power_w is not None:
            story.powers[at] = power_w
        if current_ma is not None:
            story.currents[at] = current_ma
    return story


def _energy(session: ChargingSession, story: _Story) -> BillableEnergy:
    return billable_energy(
        start=_point(session.started_at, session.meter_start_wh),
        stop=_point(session.ended_at, _signed_off(session)),
        between=story.registers,
        intervals=story.intervals,
        max_power_w=session.connector.max_power_w if session.connector else FALLBACK_POWER_W,
    )


def _signed_off(session: ChargingSession) -> int | None:
    """The register of the end, unless it stands on a reading whose signature is wrong."""
    if session.signature != SignatureState.INVALID:
        return session.meter_stop_wh
    refuted = session.readings.filter(
        doubt=Doubt.SIGNATURE, register_wh=session.meter_stop_wh, context="Transaction.End"
    )
    # An OCPP 1.6 stop tells its register by itself; only 2.x takes it from a reading.
    if session.seq_first is not None and refuted.exists():
        return None
    return session.meter_stop_wh


def _parked_from(session: ChargingSession, story: _Story) -> datetime | None:
    start = _point(session.started_at, session.meter_start_wh)
    if story.registers:
        return charged_until([*([start] if start else []), *story.registers])
    return max((point.at for point in story.intervals if point.register_wh > 0), default=None)


def _flags(
    session: ChargingSession,
    energy: BillableEnergy,
    story: _Story,
    version: TariffVersion | None,
) -> Sequence[Flag]:
    flags = []
    if not session.complete:
        flags.append(Flag.ESTIMATED)
    if energy.suspect:
        flags.append(Flag.SUSPECT_METER)
    if is_stuck(story.registers, powers=story.powers):
        flags.append(Flag.STUCK_METER)
    if version is None:
        flags.append(Flag.NO_TARIFF)
    elif delivered_nothing(energy.energy_wh):
        flags.append(Flag.NO_ENERGY)
    return flags


def _point(at: datetime | None, register_wh: int | None) -> RegisterPoint | None:
    if at is None or register_wh is None:
        return None
    return RegisterPoint(at, register_wh)
