"""What vehicles do when a fact is reported."""

from __future__ import annotations

import datetime

from fleet.vehicles import services
from fleet.vehicles.events import CommandFinished
from mobility.core.outbox import handles


@handles(CommandFinished, when=lambda event: services.is_lock_at_the_end(event.purpose_ref))
def on_service_lock_finished(event: CommandFinished, *, at: datetime.datetime) -> None:
    """A vehicle that staff gave back must not stand open for the next one to take."""
    services.see_lock_answered(vehicle_id=event.vehicle_id, result=event.result, at=at)
