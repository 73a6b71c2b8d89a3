"""The life of tokens and charging sessions."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _


class TokenKind(models.TextChoices):
    """What a person or vehicle shows to a station."""

    RFID = "rfid", _("RFID card")
    APP = "app", _("App")
    VEHICLE = "vehicle", _("Vehicle")


class TokenState(models.TextChoices):
    """Whether a token may charge; expiry is a date, not a state."""

    ACCEPTED = "accepted", _("Accepted")
    BLOCKED = "blocked", _("Blocked")


TOKEN_MOVES: Final[dict[str, frozenset[str]]] = {
    TokenState.ACCEPTED: frozenset({TokenState.BLOCKED}),
    TokenState.BLOCKED: frozenset({TokenState.ACCEPTED}),
}


class SessionState(models.TextChoices):
    """Where a session stands.

    orphan      we heard of it, but not yet of its beginning
    authorised  begun, no energy flowing yet
    charging    energy flows or has flowed
    ended       the station said it is over, or we gave it up
    settled     priced; later data is flagged and changes no price
    """

    ORPHAN = "orphan", _("Beginning unknown")
    AUTHORISED = "authorised", _("Authorised")
    CHARGING = "charging", _("Charging")
    ENDED = "ended", _("Ended")
    SETTLED = "settled", _("Settled")


SESSION_MOVES: Final[dict[str, frozenset[str]]] = {
    SessionState.ORPHAN: frozenset(
        {SessionState.AUTHORISED, SessionState.CHARGING, SessionState.ENDED},
    ),
    SessionState.AUTHORISED: frozenset({SessionState.CHARGING, SessionState.ENDED}),
    SessionState.CHARGING: frozenset({SessionState.ENDED}),
    SessionState.ENDED: frozenset({SessionState.SETTLED}),
}
SESSION_OPEN: Final[frozenset[str]] = frozenset({SessionState.AUTHORISED, SessionState.CHARGING})


class Flag(models.TextChoices):
    """What staff should know before they trust a session."""

    UNAUTHORISED = "unauthorised", _("Token was not accepted")
    UNKNOWN_CONNECTOR = "unknown_connector", _("Connector is not in our records")
    UNKNOWN_TRANSACTION = "unknown_transaction", _("Ended under a transaction we never gave")
    SUSPECT_METER = "suspect_meter", _("Meter values are not plausible")
    ESTIMATED = "estimated", _("Settled without the station's full story")
    LOST = "lost", _("Given up: the station fell silent")
    LATE_DATA = "late_data", _("Data came after settlement")
    NO_TARIFF = "no_tariff", _("No tariff applied")
    SEQUENCE_JUMP = "sequence_jump", _("Message numbers jumped")
    NO_ENERGY = "no_energy", _("No energy flowed, nothing is charged")
