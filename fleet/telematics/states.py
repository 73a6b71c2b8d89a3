"""Words of telematics: why a report is put aside, crossings of zones, alarms and their moves."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Protocol(models.TextChoices):
    """How a device reaches us, and commands reach it."""

    HTTP = "http", _("HTTPS")
    MQTT = "mqtt", _("MQTT")
    TELTONIKA = "teltonika", _("Teltonika TCP")
    INTEGRATION = "integration", _("The operator's backend")


class QuarantineReason(models.TextChoices):
    """Why a report cannot be true, or cannot be placed."""

    FUTURE = "future", _("In the future")
    TOO_OLD = "too_old", _("Too old")
    ZERO_FIX = "zero_fix", _("No position (0, 0)")
    OUT_OF_RANGE = "out_of_range", _("Out of range")
    UNASSIGNED = "unassigned", _("Device in no vehicle")
    IMPOSSIBLE_SPEED = "impossible_speed", _("Impossible speed")


class CrossingKind(models.TextChoices):
    """How a vehicle met the border of a zone."""

    ENTER = "enter", _("Entered")
    LEAVE = "leave", _("Left")
    # In and out again without staying: one point inside, or none between two outside.
    PASSED = "passed", _("Passed through")


class AlarmKind(models.TextChoices):
    """What staff must hear of at once."""

    MOVED_WITHOUT_TRIP = "moved_without_trip", _("Moved without a trip")
    TILT = "tilt", _("Fallen over")
    LOW_BATTERY = "low_battery", _("Low battery")
    SILENCE = "silence", _("Silent")
    LEFT_SERVICE_AREA = "left_service_area", _("Left the service area")
    SPEED_VIOLATION = "speed_violation", _("Too fast for its zone")
    REPORTING_AGAIN = "reporting_again", _("Missing vehicle reports again")


class AlarmSeverity(models.TextChoices):
    """How much it hurries."""

    INFO = "info", _("Information")
    WARNING = "warning", _("Warning")
    CRITICAL = "critical", _("Critical")


SEVERITIES: dict[str, AlarmSeverity] = {
    AlarmKind.MOVED_WITHOUT_TRIP: AlarmSeverity.CRITICAL,
    AlarmKind.TILT: AlarmSeverity.INFO,
    AlarmKind.LOW_BATTERY: AlarmSeverity.INFO,
    AlarmKind.SILENCE: AlarmSeverity.WARNING,
    AlarmKind.LEFT_SERVICE_AREA: AlarmSeverity.CRITICAL,
    AlarmKind.SPEED_VIOLATION: AlarmSeverity.WARNING,
    AlarmKind.REPORTING_AGAIN: AlarmSeverity.CRITICAL,
}


class AlarmState(models.TextChoices):
    """How far an alarm has come."""

    OPEN = "open", _("Open")
    ACKNOWLEDGED = "acknowledged", _("Acknowledged")
    CLOSED = "closed", _("Closed")


ALARM_MOVES: dict[str, frozenset[str]] = {
    AlarmState.OPEN: frozenset({AlarmState.ACKNOWLEDGED, AlarmState.CLOSED}),
    AlarmState.ACKNOWLEDGED: frozenset({AlarmState.CLOSED}),
    AlarmState.CLOSED: frozenset(),
}


class RetentionKind(models.TextChoices):
    """What was removed or packed away."""

    CLOSE_DAY = "close_day", _("Day packed into chunks")
    DROP_DAY = "drop_day", _("Empty day dropped")
    COUNT_CELLS = "count_cells", _("Day counted by cells")
    DROP_MONTH = "drop_month", _("Chunks of a month dropped")
    CUT_LINKS = "cut_links", _("Links to trips cut")
    QUARANTINE = "quarantine", _("Quarantined points forgotten")
    CROSSINGS = "crossings", _("Zone crossings forgotten")
    SPEED_ORDERS = "speed_orders", _("Speed limit orders forgotten")
    ALARMS = "alarms", _("Closed alarms forgotten")
