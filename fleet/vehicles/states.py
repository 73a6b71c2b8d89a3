"""The three axes of a vehicle, the reasons that block it, and the states of its commands.

The axes are independent: where the vehicle stands in its life, who has it now, and whether we
hear it. What the city's feeds call "the state" is derived from them (see `mds.py`), never stored
by hand.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    """What a resident would call the vehicle."""

    BICYCLE = "bicycle", _("E-bike")
    SCOOTER = "scooter", _("E-scooter")
    CAR = "car", _("E-car")


class Propulsion(models.TextChoices):
    """GBFS propulsion types we run."""

    ELECTRIC_ASSIST = "electric_assist", _("Electric assist")
    ELECTRIC = "electric", _("Electric")
    HUMAN = "human", _("Human")


class FormFactor(models.TextChoices):
    """GBFS form factors we run: finer than `Kind`, which decides the tariff."""

    BICYCLE = "bicycle", _("Bicycle")
    CARGO_BICYCLE = "cargo_bicycle", _("Cargo bike")
    SCOOTER_STANDING = "scooter_standing", _("Standing scooter")
    SCOOTER_SEATED = "scooter_seated", _("Seated scooter")
    MOPED = "moped", _("Moped")
    CAR = "car", _("Car")


USUAL_FORM: dict[str, FormFactor] = {
    Kind.BICYCLE: FormFactor.BICYCLE,
    Kind.SCOOTER: FormFactor.SCOOTER_STANDING,
    Kind.CAR: FormFactor.CAR,
}


class Equipment(models.TextChoices):
    """What a vehicle carries besides itself."""

    CHILD_SEAT = "child_seat", _("Child seat")
    HELMET_BOX = "helmet_box", _("Box with helmet")
    PHONE_HOLDER = "phone_holder", _("Phone holder")
    PHONE_CHARGER = "phone_charger", _("Phone charger")
    FRONT_BASKET = "front_basket", _("Front basket")
    CARGO_BOX = "cargo_box", _("Cargo box")
    WINTER_TYRES = "winter_tyres", _("Winter tyres")
    SNOW_CHAINS = "snow_chains", _("Snow chains")
    ROOF_RACK = "roof_rack", _("Roof rack")
    TOLL_TRANSPONDER = "toll_transponder", _("Toll transponder")
    WHEELCHAIR_ACCESS = "wheelchair_access", _("Wheelchair access")


class DocumentKind(models.TextChoices):
    """Papers that a vehicle may need before anybody rides it."""

    TARGHINO = "targhino", _("Number sticker (targhino)")
    INSURANCE = "insurance", _("Insurance")
    INSPECTION = "inspection", _("Inspection")
    REGISTRATION = "registration", _("Registration")


class LifeState(models.TextChoices):
    """Where the vehicle stands in its life with the operator."""

    DRAFT = "draft", _("Being prepared")
    IN_SERVICE = "in_service", _("In service")
    WORKSHOP = "workshop", _("In the workshop")
    STORAGE = "storage", _("In storage")
    MISSING = "missing", _("Missing")
    STOLEN = "stolen", _("Stolen")
    IMPOUNDED = "impounded", _("Impounded")
    RETIRED = "retired", _("Retired")


class RentalState(models.TextChoices):
    """Who has the vehicle now."""

    FREE = "free", _("Free")
    HELD = "held", _("Held for a rider")
    STARTING = "starting", _("Unlocking")
    ON_TRIP = "on_trip", _("On a trip")
    PAUSED = "paused", _("Paused")
    ENDING = "ending", _("Ending")
    STAFF = "staff", _("With staff")


class LinkState(models.TextChoices):
    """Whether we hear the vehicle."""

    ONLINE = "online", _("Online")
    LATE = "late", _("Late")
    LOST = "lost", _("Lost")


class BlockReason(models.TextChoices):
    """Why a vehicle in service is not offered; several can hold at once."""

    LOW_BATTERY = "low_battery", _("Low battery")
    MAINTENANCE = "maintenance", _("Maintenance")
    OFF_HOURS = "off_hours", _("Outside service hours")
    SUSPENDED = "suspended", _("Suspended")
    DAMAGE = "damage", _("Damaged")
    DOCUMENT_EXPIRED = "document_expired", _("Document expired")
    ZONE = "zone", _("In a closed zone")
    INSPECTION = "inspection", _("Waits for its check")


# Facts place and lift these; a person who could lift one by hand would overrule the fact.
AUTOMATIC_BLOCKS = frozenset(
    {
        BlockReason.LOW_BATTERY,
        BlockReason.DOCUMENT_EXPIRED,
        BlockReason.ZONE,
        BlockReason.INSPECTION,
    },
)
HAND_BLOCKS = tuple(reason for reason in BlockReason if reason not in AUTOMATIC_BLOCKS)


class HoldPurpose(models.TextChoices):
    """What a hold of a vehicle is for."""

    RIDE = "ride", _("Ride")
    BOOKING = "booking", _("Booking")
    CREW = "crew", _("Crew")
    SERVICE = "service", _("Service")


STAFF_PURPOSES = frozenset({HoldPurpose.CREW, HoldPurpose.SERVICE})


class CommandKind(models.TextChoices):
    """What a vehicle can be told to do."""

    LOCK = "lock", _("Lock")
    UNLOCK = "unlock", _("Unlock")
    LOCATE = "locate", _("Ring and flash")
    IMMOBILISE = "immobilise", _("Immobilise")
    RELEASE = "release", _("Release")
    OPEN_HATCH = "open_hatch", _("Open the battery hatch")
    REFRESH = "refresh", _("Report now")
    # Parameters {"max_kmh": 6}, or None to lift the limit again.
    SET_SPEED_LIMIT = "set_speed_limit", _("Limit the speed")


# The newer command makes these older ones pointless: within a pair whichever they are, and a limit
# of speed by the next one.
OPPOSITES: dict[str, frozenset[str]] = {
    CommandKind.LOCK: frozenset({CommandKind.UNLOCK}),
    CommandKind.UNLOCK: frozenset({CommandKind.LOCK}),
    CommandKind.IMMOBILISE: frozenset({CommandKind.RELEASE}),
    CommandKind.RELEASE: frozenset({CommandKind.IMMOBILISE}),
    CommandKind.SET_SPEED_LIMIT: frozenset({CommandKind.SET_SPEED_LIMIT}),
}
# What opens a vehicle, and what closes it again.
OPENERS: dict[str, CommandKind] = {CommandKind.UNLOCK: CommandKind.LOCK}


class CommandState(models.TextChoices):
    """How far a command to a vehicle has come; `accepted` is not yet done."""

    QUEUED = "queued", _("Queued")
    SENT = "sent", _("Sent")
    ACCEPTED = "accepted", _("Accepted")
    CONFIRMED = "confirmed", _("Confirmed")
    REJECTED = "rejected", _("Rejected")
    UNKNOWN = "unknown", _("Outcome unknown")
    EXPIRED = "expired", _("Expired")
    SUPERSEDED = "superseded", _("Superseded")


class TripMark(models.TextChoices):
    """What the owner of a hold tells the fleet about its trip."""

    STARTING = "starting", _("Starting")
    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused")
    RESUMED = "resumed", _("Resumed")
    ENDING = "ending", _("Ending")
    ENDED = "ended", _("Ended")
    START_FAILED = "start_failed", _("Start failed")


TRIP_MARKS: dict[str, RentalState] = {
    TripMark.STARTING: RentalState.STARTING,
    TripMark.RUNNING: RentalState.ON_TRIP,
    TripMark.PAUSED: RentalState.PAUSED,
    TripMark.RESUMED: RentalState.ON_TRIP,
    TripMark.ENDING: RentalState.ENDING,
    TripMark.ENDED: RentalState.FREE,
    TripMark.START_FAILED: RentalState.FREE,
}

_AWAY = frozenset(
    {
        LifeState.WORKSHOP,
        LifeState.STORAGE,
        LifeState.MISSING,
        LifeState.STOLEN,
        LifeState.IMPOUNDED,
    },
)

LIFE_MOVES: dict[str, frozenset[str]] = {
    LifeState.DRAFT: frozenset({LifeState.IN_SERVICE, LifeState.STORAGE, LifeState.RETIRED}),
    LifeState.IN_SERVICE: _AWAY | {LifeState.RETIRED},
    LifeState.WORKSHOP: (_AWAY - {LifeState.WORKSHOP}) | {LifeState.IN_SERVICE, LifeState.RETIRED},
    LifeState.STORAGE: (_AWAY - {LifeState.STORAGE}) | {LifeState.IN_SERVICE, LifeState.RETIRED},
    LifeState.MISSING: (_AWAY - {LifeState.MISSING}) | {LifeState.IN_SERVICE, LifeState.RETIRED},
    LifeState.STOLEN: (_AWAY - {LifeState.STOLEN}) | {LifeState.IN_SERVICE, LifeState.RETIRED},
    LifeState.IMPOUNDED: (_AWAY - {LifeState.IMPOUNDED})
    | {LifeState.IN_SERVICE, LifeState.RETIRED},
    LifeState.RETIRED: frozenset(),
}

RENTAL_MOVES: dict[str, frozenset[str]] = {
    RentalState.FREE: frozenset({RentalState.HELD, RentalState.STAFF}),
    RentalState.HELD: frozenset({RentalState.STARTING, RentalState.FREE}),
    RentalState.STARTING: frozenset({RentalState.ON_TRIP, RentalState.FREE}),
    RentalState.ON_TRIP: frozenset({RentalState.PAUSED, RentalState.ENDING, RentalState.FREE}),
    RentalState.PAUSED: frozenset({RentalState.ON_TRIP, RentalState.ENDING, RentalState.FREE}),
    RentalState.ENDING: frozenset({RentalState.ON_TRIP, RentalState.PAUSED, RentalState.FREE}),
    RentalState.STAFF: frozenset({RentalState.FREE}),
}

LINK_MOVES: dict[str, frozenset[str]] = {
    LinkState.ONLINE: frozenset({LinkState.LATE, LinkState.LOST}),
    LinkState.LATE: frozenset({LinkState.ONLINE, LinkState.LOST}),
    LinkState.LOST: frozenset({LinkState.ONLINE, LinkState.LATE}),
}

_ENDS = frozenset({CommandState.CONFIRMED, CommandState.REJECTED})

COMMAND_MOVES: dict[str, frozenset[str]] = {
    # A vehicle may answer before we have noted that the command left.
    CommandState.QUEUED: _ENDS
    | {
        CommandState.SENT,
        CommandState.ACCEPTED,
        CommandState.EXPIRED,
        CommandState.SUPERSEDED,
    },
    # A newer order stops one that travels still: not every unit compares sequence numbers.
    CommandState.SENT: _ENDS
    | {CommandState.ACCEPTED, CommandState.UNKNOWN, CommandState.SUPERSEDED},
    CommandState.ACCEPTED: _ENDS | {CommandState.UNKNOWN},
    # The answer can come after we stopped waiting: then we know after all.
    CommandState.UNKNOWN: _ENDS,
    CommandState.CONFIRMED: frozenset(),
    CommandState.REJECTED: frozenset(),
    CommandState.EXPIRED: frozenset(),
    CommandState.SUPERSEDED: frozenset(),
}

OPEN_COMMANDS = frozenset({CommandState.QUEUED, CommandState.SENT, CommandState.ACCEPTED})


class BatteryState(models.TextChoices):
    """Where a swappable battery stands in its use."""

    STORAGE = "storage", _("In storage")
    CHARGING = "charging", _("Charging")
    IN_VEHICLE = "in_vehicle", _("In a vehicle")
    RETIRED = "retired", _("Retired")


BATTERY_MOVES: dict[str, frozenset[str]] = {
    BatteryState.STORAGE: frozenset(
        {BatteryState.CHARGING, BatteryState.IN_VEHICLE, BatteryState.RETIRED}
    ),
    BatteryState.CHARGING: frozenset(
        {BatteryState.STORAGE, BatteryState.IN_VEHICLE, BatteryState.RETIRED}
    ),
    BatteryState.IN_VEHICLE: frozenset({BatteryState.STORAGE, BatteryState.CHARGING}),
    BatteryState.RETIRED: frozenset(),
}


class CaseKind(models.TextChoices):
    """Why a vehicle is not where it should be; each is also a place in its life."""

    MISSING = LifeState.MISSING.value, _("Missing")
    STOLEN = LifeState.STOLEN.value, _("Stolen")
    IMPOUNDED = LifeState.IMPOUNDED.value, _("Impounded")


class CaseOutcome(models.TextChoices):
    """How a case was closed."""

    RECOVERED = "recovered", _("Recovered")
    OTHER_CASE = "other_case", _("Became another case")
    WRITTEN_OFF = "written_off", _("Written off")


class ServiceReason(models.TextChoices):
    """Why staff drive a vehicle."""

    RELOCATION = "relocation", _("Moved to another place")
    CHARGING = "charging", _("Taken to charge")
    REPAIR = "repair", _("Taken to repair")
    TEST = "test", _("Test ride")
    RECOVERY = "recovery", _("Brought back")
    OTHER = "other", _("Something else")
