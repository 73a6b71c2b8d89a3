"""What a session costs by its tariff version: while it runs, and in the end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from charging.sessions.models import ChargingSession, MeterReading
from charging.sessions.rules import RegisterPoint, delivered_nothing
from charging.stations.models import ChargingStation
from charging.tariffs.models import TariffVersion
from charging.tariffs.rules import (
    HOME_ZONE,
    LoadPoint,
    PriceList,
    SessionFigures,
    price_session,
)
from mobility.core.money import total_cents

_MOST_READ: Final = 1000
_READ: Final[dict[tuple[UUID, str], PriceList]] = {}


def session_figures(
    session: ChargingSession,
    *,
    energy_wh: int,
    until: datetime,
    charging_ended_at: datetime | None,
    points: Sequence[LoadPoint] = (),
) -> SessionFigures:
    """A session as if it had ended at `until`; only sessions that began have figures."""
    # Callers price only what began; this narrows the type.
    assert session.started_at is not None
    return SessionFigures(
        started_at=session.started_at,
        ended_at=max(until, session.started_at),
        energy_wh=energy_wh,
        charging_ended_at=charging_ended_at,
        points=points,
    )


class RunningCosts:
    """Cents that sessions have come to by their live figures.

    A tariff that looks at the clock, the energy or the power asks for the course of the session:
    one query for the readings and one for the sites, however many sessions; none without such a
    tariff. Build it when the readings are stored.
    """

    def __init__(self, sessions: Iterable[ChargingSession]) -> None:
        wanted = {session.pk: session for session in sessions if _looks_at_course(session)}
        self._points = _load_points(wanted)
        self._zones = dict(
            ChargingStation.objects.filter(
                pk__in={session.station_id for session in wanted.values()}
            ).values_list("pk", "site__time_zone")
            if wanted
            else ()
        )

    def of(self, session: ChargingSession, *, until: datetime) -> int | None:
        """Gross cents so far; None without a tariff or a beginning."""
        if session.tariff_version is None or session.started_at is None:
            return None
        prices = _frozen_prices(
            session.tariff_version, time_zone=self._zones.get(session.station_id, HOME_ZONE)
        )
        return running_cost(
            session, prices=prices, until=until, points=self._points.get(session.pk, ())
        )


def running_cost(
    session: ChargingSession,
    *,
    prices: PriceList,
    until: datetime,
    points: Sequence[LoadPoint] = (),
) -> int:
    """Gross cents of a session that began, by its live figures; nothing while nothing flowed."""
    if delivered_nothing(session.energy_wh):
        return 0
    figures = session_figures(
        session,
        energy_wh=session.energy_wh,
        until=until,
        charging_ended_at=None if _flows(session) else session.charged_until,
        points=points,
    )
    return total_cents(price_session(prices=prices, figures=figures))


def load_points(
    points: Iterable[tuple[datetime, int, int | None]], *, base_wh: int
) -> list[LoadPoint]:
    """Registers and currents as the price rules want them: energy since the session's start."""
    return [
        LoadPoint(at=at, energy_wh=max(register_wh - base_wh, 0), current_ma=current_ma)
        for at, register_wh, current_ma in points
    ]


def course_points(
    course: Sequence[RegisterPoint], *, currents: dict[datetime, int]
) -> list[LoadPoint]:
    """The believed course of a session's energy, with the current where the meter told one."""
    return [
        LoadPoint(at=point.at, energy_wh=point.register_wh, current_ma=currents.get(point.at))
        for point in course
    ]


def _flows(session: ChargingSession) -> bool:
    """Whether it charges by the station's own word: between two readings nobody parks then."""
    return session.charging_state == "Charging" or (session.power_w or 0) > 0


def _looks_at_course(session: ChargingSession) -> bool:
    version = session.tariff_version
    return version is not None and any(part.get("when") for part in version.components)


def _frozen_prices(version: TariffVersion, *, time_zone: str) -> PriceList:
    """A published version never changes: it is read once, not at each of a session's messages."""
    key = (version.public_id, time_zone)
    known = _READ.get(key)
    if known is None:
        if len(_READ) >= _MOST_READ:
            _READ.clear()
        known = _READ[key] = version.prices(time_zone=time_zone)
    return known


def _load_points(sessions: dict[int, ChargingSession]) -> dict[int, list[LoadPoint]]:
    if not sessions:
        return {}
    rows: defaultdict[int, list[tuple[datetime, int, int | None]]] = defaultdict(list)
    stored = MeterReading.objects.filter(
        session_id__in=sessions, register_wh__isnull=False, suspect=False
    )
    for session_id, at, register_wh, current_ma in stored.values_list(
        "session_id", "at", "register_wh", "current_ma"
    ):
        # Filtered above; this narrows the types.
        if register_wh is not None:
            rows[session_id or 0].append((at, register_wh, current_ma))
    return {
        pk: load_points(points, base_wh=sessions[pk].meter_start_wh or points[0][1])
        for pk, points in rows.items()
    }
