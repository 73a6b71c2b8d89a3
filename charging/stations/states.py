"""The words of stations, connectors and the commands to them, and their declared moves."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Registration(models.TextChoices):
    """Whether we serve this station; the answer to its boot."""

    PENDING = "pending", _("Pending")
    ACCEPTED = "accepted", pgettext_lazy("station", "Accepted")
    REJECTED = "rejected", pgettext_lazy("station", "Rejected")


REGISTRATION_MOVES: Final[dict[str, frozenset[str]]] = {
    Registration.PENDING: frozenset({Registration.ACCEPTED, Registration.REJECTED}),
    Registration.ACCEPTED: frozenset({Registration.PENDING, Registration.REJECTED}),
    Registration.REJECTED: frozenset({Registration.PENDING, Registration.ACCEPTED}),
}


class ConnectorStatus(models.TextChoices):
    """OCPP 2.0.1 ConnectorStatusEnumType; the finer words of 1.6 are kept as a detail."""

    UNKNOWN = "Unknown", _("Unknown")
    AVAILABLE = "Available", _("Available")
    OCCUPIED = "Occupied", _("Occupied")
    RESERVED = "Reserved", _("Reserved")
    UNAVAILABLE = "Unavailable", _("Unavailable")
    FAULTED = "Faulted", _("Faulted")


class CommandAction(models.TextChoices):
    """What can be asked of a station, with the keys of the command's payload.

    remote_start         token_uid, token_kind, remote_start_id (the evse is on the command)
    remote_stop          transaction_ref
    reset                kind: "soft" | "hard"
    unlock               –
    change_availability  operative: bool (the whole station when no connector is given)
    trigger              message: "status" | "boot" | "heartbeat" | "meter_values"
    reserve              reservation_id, token_uid, token_kind, until (ISO 8601)
    cancel_reservation   reservation_id
    """

    REMOTE_START = "remote_start", _("Start charging")
    REMOTE_STOP = "remote_stop", _("Stop charging")
    RESET = "reset", _("Restart the station")
    UNLOCK = "unlock", _("Unlock the connector")
    CHANGE_AVAILABILITY = "change_availability", _("Change availability")
    TRIGGER = "trigger", _("Ask for a message")
    RESERVE = "reserve", _("Reserve a connector")
    CANCEL_RESERVATION = "cancel_reservation", _("Cancel a reservation")


COMMAND_PRIORITY: Final[dict[str, int]] = {
    CommandAction.REMOTE_STOP: 0,
    CommandAction.REMOTE_START: 1,
}
"""Stop before start before all the rest (9)."""


class CommandState(models.TextChoices):
    """Where a command stands."""

    QUEUED = "queued", _("Queued")
    SENT = "sent", _("Sent")
    ACCEPTED = "accepted", _("Accepted")
    REJECTED = "rejected", _("Rejected")
    TIMED_OUT = "timed_out", _("No answer")
    FAILED = "failed", _("Failed")
    EXPIRED = "expired", _("Expired")


COMMAND_MOVES: Final[dict[str, frozenset[str]]] = {
    CommandState.QUEUED: frozenset(
        {CommandState.SENT, CommandState.EXPIRED, CommandState.FAILED},
    ),
    CommandState.SENT: frozenset(
        {
            CommandState.ACCEPTED,
            CommandState.REJECTED,
            CommandState.TIMED_OUT,
            CommandState.FAILED,
        },
    ),
}
COMMAND_OPEN: Final[frozenset[str]] = frozenset({CommandState.QUEUED, CommandState.SENT})
