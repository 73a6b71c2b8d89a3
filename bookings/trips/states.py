"""The life of a trip, from the tap on "unlock" to the money, and of what may follow it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mobility.core.transitions import Moves


class TripState(models.TextChoices):
    """`starting` and `ending` wait for the vehicle's own word.

    A refused end is no state of its own: the ride goes on, pauses and all, and the trip only carries
    since when it is blocked and by what (`end_blocked_at`, `last_refusal`).
    """

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
PRICED = (
    TripState.PRICED,
    TripState.SETTLED,
    TripState.PAYMENT_DUE,
    TripState.WRITTEN_OFF,
)


class EndReason(models.TextChoices):
    """Why a trip ended when it did."""

    RIDER = "rider", _("ended by the rider")
    STAFF = "staff", _("ended by staff")
    IDLE = "idle", _("stood locked for too long")
    PAUSE_OVER = "pause_over", _("paused for longer than allowed")
    LOCK_SHUT = "lock_shut", _("the lock was shut by hand")
    BATTERY_DEAD = "battery_dead", _("the battery died")
    BROKEN = "broken", _("the vehicle was broken")
    NOT_MINE = "not_mine", _("the rider says it was not their ride")
    OUTAGE = "outage", _("ended during an outage")


class TripFlag(models.TextChoices):
    """What was out of the ordinary; for the rider's trust and the staff's eyes."""

    POSITION_UNVERIFIED = "position_unverified", _("ended without a fresh position")
    POSITION_FROM_PHONE = "position_from_phone", _("ended by the phone's position")
    POSITION_FROM_BAY = "position_from_bay", _("ended by the code of a bay")
    LOCK_UNCONFIRMED = "lock_unconfirmed", _("the lock never answered")
    PAUSE_UNCONFIRMED = "pause_unconfirmed", _("the lock did not answer at the pause")
    ENDED_BY_STAFF = "ended_by_staff", _("ended by staff")
    AUTO_PAUSED = "auto_paused", _("paused by itself")
    AUTO_ENDED = "auto_ended", _("ended by itself")
    MISPLACED = "misplaced", _("left where it may not stand")
    OUTAGE = "outage", _("ended during an outage")
    PHOTO_ASKED = "photo_asked", _("a photo of the parked vehicle was asked for")
    BATTERY_DEAD = "battery_dead", _("the battery died under way")
    BROKEN = "broken", _("the vehicle was broken")
    NOT_MINE = "not_mine", _("the rider says it was not their ride")
    UNLOCKED_LATE = "unlocked_late", _("unlocked after the start had failed")
    CHARGER_FAULTED = "charger_faulted", _("the charger of the bay does not work")
    DISPUTED = "disputed", _("disputed")
    CORRECTED = "corrected", _("corrected")


class Waiver(models.TextChoices):
    """What of the price is not asked for, because the fault was not the rider's."""

    NOTHING = "", _("nothing")
    UNLOCK = "unlock", _("the unlocking")
    ALL = "all", _("everything")


class Step(models.TextChoices):
    """Why a command was sent to the vehicle; travels in the command's purpose."""

    START = "start", _("start")
    PAUSE = "pause", _("pause")
    RESUME = "resume", _("resume")
    END = "end", _("end")
    END_AGAIN = "end_again", _("end, second try")
    UNDO = "undo", _("undo")


class Notice(models.TextChoices):
    """What a rider is told once under way."""

    IDLE_FIRST = "idle_first", _("the vehicle stands locked; do you still need it?")
    IDLE_LAST = "idle_last", _("the trip ends by itself soon")
    PAUSE_ENDS = "pause_ends", _("the pause ends soon")
    LOW_BATTERY = "low_battery", _("the battery is low")


class VersionState(models.TextChoices):
    """A version of a trip's facts and price; the last applied one holds."""

    PROPOSED = "proposed", _("proposed")
    APPLIED = "applied", _("applied")
    REJECTED = "rejected", _("rejected")
    WITHDRAWN = "withdrawn", _("withdrawn")


VERSION_MOVES: Moves = {
    VersionState.PROPOSED: frozenset({VersionState.APPLIED, VersionState.REJECTED}),
    # A second person has refused the money that goes with it.
    VersionState.APPLIED: frozenset({VersionState.WITHDRAWN}),
    VersionState.REJECTED: frozenset(),
    VersionState.WITHDRAWN: frozenset(),
}


class DisputeState(models.TextChoices):
    """A rider's objection to a trip or its price."""

    OPEN = "open", _("open")
    ACCEPTED = "accepted", _("accepted")
    REJECTED = "rejected", _("rejected")


DISPUTE_MOVES: Moves = {
    DisputeState.OPEN: frozenset({DisputeState.ACCEPTED, DisputeState.REJECTED}),
    # Opened again where a second person refuses what was to go back.
    DisputeState.ACCEPTED: frozenset({DisputeState.OPEN}),
    DisputeState.REJECTED: frozenset(),
}


class DisputeReason(models.TextChoices):
    """What the rider objects to."""

    TOO_EXPENSIVE = "too_expensive", _("the price is wrong")
    COULD_NOT_END = "could_not_end", _("I could not end the trip")
    VEHICLE_BROKEN = "vehicle_broken", _("the vehicle did not work")
    WRONG_DISTANCE = "wrong_distance", _("the distance is wrong")
    NOT_MY_RIDE = "not_my_ride", _("this was not my ride")
    OTHER = "other", _("something else")


class PhotoState(models.TextChoices):
    """What staff say about a photo of the parked vehicle."""

    WAITING = "waiting", _("to be looked at")
    GOOD = "good", _("well parked")
    UNSURE = "unsure", _("cannot be told")
    BAD = "bad", _("badly parked")
    APPEALED = "appealed", _("the rider objects")
    UPHELD = "upheld", _("badly parked, also after the objection")


PHOTO_MOVES: Moves = {
    PhotoState.WAITING: frozenset({PhotoState.GOOD, PhotoState.UNSURE, PhotoState.BAD}),
    PhotoState.UNSURE: frozenset({PhotoState.GOOD, PhotoState.BAD}),
    PhotoState.BAD: frozenset({PhotoState.APPEALED}),
    PhotoState.APPEALED: frozenset({PhotoState.GOOD, PhotoState.UPHELD}),
    PhotoState.GOOD: frozenset(),
    PhotoState.UPHELD: frozenset(),
}
BAD_PHOTOS = (PhotoState.BAD, PhotoState.APPEALED, PhotoState.UPHELD)


class PhotoRule(models.TextChoices):
    """When a photo of the parked vehicle is asked for."""

    NEVER = "never", _("never")
    UNCERTAIN = "uncertain", _("when the place is uncertain, or earlier photos were bad")
    ALWAYS = "always", _("before every end")
