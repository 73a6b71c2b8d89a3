"""What telematics does when others report a fact."""

import datetime

from fleet.telematics.events import AlarmClosed, AlarmOpened
from fleet.telematics.services import alarms, release_devices, speed, tracks
from fleet.telematics.states import AlarmKind
from fleet.vehicles.events import CommandFinished, LifeChanged, TripEnded
from fleet.vehicles.states import CommandKind, LifeState
from mobility.core.outbox import handles
from mobility.core.principals import system_principal


@handles(TripEnded)
def record_track(event: TripEnded, *, at: datetime.datetime) -> None:
    """A trip is over: its track is computed from the points that are stored by now."""
    tracks.record_track(
        trip_ref=event.trip_ref,
        vehicle_id=event.vehicle_id,
        started_at=event.started_at,
        ended_at=event.ended_at,
        at=at,
    )


@handles(CommandFinished, when=lambda event: event.kind == CommandKind.SET_SPEED_LIMIT)
def note_speed_limit(event: CommandFinished, *, at: datetime.datetime) -> None:
    """The answer to a speed limit is the proof that it was applied."""
    speed.note_outcome(command_public_id=event.command_id, result=event.result)


@handles(AlarmOpened, when=lambda event: event.kind == AlarmKind.MOVED_WITHOUT_TRIP)
def withdraw_moved(event: AlarmOpened, *, at: datetime.datetime) -> None:
    """Nobody is offered, or left waiting for, a vehicle that is being carried off."""
    alarms.withdraw_moved(alarm_id=event.alarm_id, vehicle_id=event.vehicle_id, at=at)


@handles(AlarmClosed, when=lambda event: event.kind == AlarmKind.MOVED_WITHOUT_TRIP)
def offer_again(event: AlarmClosed, *, at: datetime.datetime) -> None:
    """It stands again, or it is ridden: whoever comes next may have it."""
    alarms.offer_again(vehicle_id=event.vehicle_id, at=at)


@handles(LifeChanged, when=lambda event: event.after != LifeState.IN_SERVICE)
def close_alarms_of_life(event: LifeChanged, *, at: datetime.datetime) -> None:
    """A vehicle that left service may never report again; nobody else would end its alarms."""
    alarms.close_for_life(vehicle_id=event.vehicle_id, at=at)


@handles(LifeChanged, when=lambda event: event.after == LifeState.RETIRED)
def release_unit(event: LifeChanged, *, at: datetime.datetime) -> None:
    """A vehicle is retired: its unit speaks for nobody until it sits in another one."""
    release_devices(vehicle_id=event.vehicle_id, at=at, by=system_principal("telematics"))
