"""The life of a trip, from the tap on "unlock" to the money."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mobility.core.transitions import Moves


class TripState(models.TextChoices):
    """`starting` and `ending` wait for the vehicle's own word."""

    STARTING = "starting", _("unlocking")
    RUNNING = "running", _("running")
    PAUSED = "paused", _("paused")
    ENDING = "ending", _("ending")
    ENDED = "ended", _("ended")
    PRICED = "priced", _("priced")
    SETTLED = "settled", _("paid")
    PAYMENT_DUE = "payment_due", _("payment due")
    WRITTEN_OFF = "written_off", _("written off")
    START_FAILED = "start_failed", _("start failed")


TRIP_MOVES: Moves = {
    TripState.STARTING: frozenset({TripState.RUNNING, TripState.START_FAILED}),
    TripState.RUNNING: frozenset({TripState.PAUSED, TripState.ENDING}),
    TripState.PAUSED: frozenset({TripState.RUNNING, TripState.ENDING}),
    TripState.ENDING: frozenset({TripState.ENDED}),
    TripState.ENDED: frozenset({TripState.PRICED}),
    TripState.PRICED: frozenset({TripState.SETTLED, TripState.PAYMENT_DUE}),
    TripState.PAYMENT_DUE: frozenset({TripState.SETTLED, TripState.WRITTEN_OFF}),
    TripState.SETTLED: frozenset(),
    TripState.WRITTEN_OFF: frozenset(),
    TripState.START_FAILED: frozenset(),
}

RIDING = (TripState.RUNNING, TripState.PAUSED)
ACTIVE = (TripState.STARTING, *RIDING, TripState.ENDING)
OVER = (
    TripState.ENDED,
    TripState.PRICED,
    TripState.SETTLED,
    TripState.PAYMENT_DUE,
    TripState.WRITTEN_OFF,
)


class TripFlag(models.TextChoices):
    """What was out of the ordinary; for the rider's trust and the staff's eyes."""

    POSITION_UNVERIFIED = "position_unverified", _("ended without a fresh position")
    POSITION_FROM_PHONE = "position_from_phone", _("ended by the phone's position")
    LOCK_UNCONFIRMED = "lock_unconfirmed", _("the lock never answered")
    PAUSE_UNCONFIRMED = "pause_unconfirmed", _("the lock did not answer at the pause")
    ENDED_BY_STAFF = "ended_by_staff", _("ended by staff")


class Step(models.TextChoices):
    """Why a command was sent to the vehicle; travels in the command's purpose."""

    START = "start", _("start")
    PAUSE = "pause", _("pause")
    RESUME = "resume", _("resume")
    END = "end", _("end")
    END_AGAIN = "end_again", _("end, second try")
    UNDO = "undo", _("undo")
