"""What a session costs by its tariff version: while it runs, and in the end."""

from __future__ import annotations

from datetime import datetime

from charging.sessions.models import ChargingSession
from charging.sessions.rules import idle_seconds
from charging.tariffs.rules import SessionFigures, price_session, read_components
from mobility.core.money import PriceLine, total_cents


def price_lines(
    session: ChargingSession,
    *,
    energy_wh: int,
    until: datetime,
    charging_ended_at: datetime | None,
) -> list[PriceLine]:
    """The lines for a session with a tariff version, as if it had ended at `until`."""
    # Callers price only sessions that began and have a tariff; this narrows the types.
    assert session.tariff_version is not None
    assert session.started_at is not None
    figures = SessionFigures(
        energy_wh=energy_wh,
        connected_s=int(max((until - session.started_at).total_seconds(), 0)),
        idle_s=idle_seconds(
            started_at=session.started_at,
            ended_at=until,
            charging_ended_at=charging_ended_at,
        ),
    )
    components = read_components(session.tariff_version.components)
    return price_session(components=components, figures=figures)


def running_cost(session: ChargingSession, *, until: datetime) -> int | None:
    """Cents a session has cost by its live figures; None without a tariff or a beginning."""
    if session.tariff_version_id is None or session.started_at is None:
        return None
    lines = price_lines(
        session,
        energy_wh=session.energy_wh,
        until=until,
        charging_ended_at=session.charged_until,
    )
    return total_cents(lines)
