"""What a reading does to its session: the live figures, and whether it can be believed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from charging.sessions.facts import Reading
from charging.sessions.models import ChargingSession
from charging.sessions.rules import (
    FALLBACK_POWER_W,
    RISE_WH,
    MeterPicture,
    RegisterPoint,
    is_plausible_step,
    meter_picture,
    reading_fingerprint,
    signed_fingerprint,
)
from charging.sessions.services.rows import ReadingRow, SignedRow
from charging.sessions.states import Doubt, SessionState
from charging.stations.queries import ConnectorRow


def reading_rows(
    readings: Sequence[Reading],
    *,
    station_id: int,
    place: str,
    connector: ConnectorRow | None,
    session: ChargingSession | None,
) -> list[ReadingRow]:
    """The readings as rows, in time order, after noting each on its session if it has one.

    A settled session keeps the figures it was billed by.
    `place` names the connector for the fingerprint even where we have no such connector.
    """
    rows = []
    for reading in sorted(readings, key=lambda reading: reading.at):
        picture = meter_picture(reading.samples)
        doubt = Doubt.ABSURD.value if picture.suspect else ""
        if session is not None and session.state != SessionState.SETTLED:
            doubt = note_picture(session, picture, at=reading.at, connector=connector) or doubt
        rows.append(
            ReadingRow(
                station_id=station_id,
                connector_id=connector.pk if connector else None,
                session_id=session.pk if session is not None else None,
                at=reading.at,
                fingerprint=reading_fingerprint(place=place, reading=reading),
                context=picture.context,
                register_wh=picture.register_wh,
                power_w=picture.power_w,
                soc_pct=picture.soc_pct,
                interval_wh=picture.interval_wh,
                current_ma=picture.current_ma,
                phases=picture.phases,
                doubt=doubt,
                raw=reading.raw,
                signed=_signed(reading, place=place),
            ),
        )
    return rows


def _signed(reading: Reading, *, place: str) -> tuple[SignedRow, ...]:
    return tuple(
        SignedRow(
            context=sample.context,
            fingerprint=signed_fingerprint(place=place, at=reading.at, data=sample.signed.data),
            data=sample.signed,
        )
        for sample in reading.samples
        if sample.signed is not None
    )


def note_picture(
    session: ChargingSession,
    picture: MeterPicture,
    *,
    at: datetime,
    connector: ConnectorRow | None,
) -> str:
    """Bring the session's live figures up to date; why the register is not believed, or empty.

    A reading older than the newest one is kept as a row and changes no live figure.
    """
    newest = session.last_register_at or session.started_at
    if newest is not None and at < newest:
        _note_earlier(session, picture.register_wh, at=at)
        return ""
    if picture.power_w is not None:
        session.power_w = picture.power_w
    if picture.soc_pct is not None:
        session.soc_pct = picture.soc_pct
    if picture.register_wh is None:
        _note_interval(session, picture.interval_wh, at=at)
        return ""
    return _note_register(
        session,
        RegisterPoint(at, picture.register_wh),
        max_power_w=connector.max_power_w if connector else FALLBACK_POWER_W,
    )


def _note_interval(session: ChargingSession, interval_wh: int | None, *, at: datetime) -> None:
    """Live energy of a meter that tells only what flowed since it last spoke."""
    if interval_wh is None or session.last_register_wh is not None:
        return
    session.energy_wh += interval_wh
    if interval_wh >= RISE_WH:
        session.charged_until = at


def _note_register(session: ChargingSession, point: RegisterPoint, *, max_power_w: int) -> str:
    before = _last_point(session)
    if before is not None and not is_plausible_step(
        before=before,
        after=point,
        max_power_w=max_power_w,
    ):
        return Doubt.BACKWARDS if point.register_wh < before.register_wh else Doubt.JUMP
    if session.meter_start_wh is None and session.started_at is not None:
        session.meter_start_wh = point.register_wh
    if before and point.register_wh >= before.register_wh + RISE_WH:
        session.charged_until = point.at
    session.last_register_wh, session.last_register_at = point.register_wh, point.at
    note_energy(session)
    return ""


def note_energy(session: ChargingSession) -> None:
    """Live energy: newest believable register minus the first."""
    if session.last_register_wh is not None and session.meter_start_wh is not None:
        session.energy_wh = max(session.last_register_wh - session.meter_start_wh, 0)


def _note_earlier(session: ChargingSession, register_wh: int | None, *, at: datetime) -> None:
    """A late value of a session whose start named no register may be the better first value.

    Numbered (2.x) sessions only: an OCPP 1.6 start always names its register.
    """
    start = session.started_at
    if start is None or session.seq_first is None:
        return
    if register_wh is None or session.meter_start_wh is None:
        return
    if start <= at and register_wh < session.meter_start_wh:
        session.meter_start_wh = register_wh
        note_energy(session)


def _last_point(session: ChargingSession) -> RegisterPoint | None:
    if session.last_register_wh is not None and session.last_register_at is not None:
        return RegisterPoint(session.last_register_at, session.last_register_wh)
    if session.meter_start_wh is not None and session.started_at is not None:
        return RegisterPoint(session.started_at, session.meter_start_wh)
    return None
