"""What maintenance does when others report a fact."""

from __future__ import annotations

import datetime

from fleet.maintenance import services
from fleet.telematics.events import AlarmClosed, AlarmOpened
from fleet.vehicles.events import LifeChanged
from fleet.vehicles.states import LifeState
from mobility.core.outbox import handles


@handles(AlarmOpened)
def on_alarm_opened(event: AlarmOpened, *, at: datetime.datetime) -> None:
    """An alarm that somebody has to go and look at becomes a report."""
    services.report_alarm(
        alarm_id=event.alarm_id,
        vehicle_id=event.vehicle_id,
        kind=event.kind,
        details=event.details,
        at=at,
    )


@handles(AlarmClosed)
def on_alarm_closed(event: AlarmClosed, *, at: datetime.datetime) -> None:
    """It went away by itself before anybody had taken it up."""
    services.withdraw_alarm(alarm_id=event.alarm_id, vehicle_id=event.vehicle_id, at=at)


@handles(LifeChanged, when=lambda event: event.after == LifeState.RETIRED)
def on_life_changed(event: LifeChanged, *, at: datetime.datetime) -> None:
    """Nobody repairs what is no longer there."""
    services.drop_work(vehicle_id=event.vehicle_id, at=at)
