"""The life of tokens and charging sessions."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class TokenKind(models.TextChoices):
    """What a person or vehicle shows to a station."""

    RFID = "rfid", _("RFID card")
    APP = "app", _("App")
    VEHICLE = "vehicle", _("Vehicle")
    AD_HOC = "ad_hoc", _("Without an account")


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
    STUCK_METER = "stuck_meter", _("The register stands still while power flows")
    OFFLINE = "offline", _("Reported after the fact: the station was offline")
    BAD_SIGNATURE = "bad_signature", _("A signed meter value does not verify")
    SIGNED_MISMATCH = "signed_mismatch", _("Signed and unsigned meter values differ")
    STOPPED_BY_OTHER = "stopped_by_other", _("Stopped with a token that may not")


class Doubt(models.TextChoices):
    """Why a reading is not believed."""

    ABSURD = "absurd", _("No meter shows that")
    BACKWARDS = "backwards", _("The register ran backwards")
    JUMP = "jump", _("More energy than the connector can give")
    SIGNATURE = "signature", _("Its signature does not verify")


class SignatureState(models.TextChoices):
    """What came of verifying signed meter values.

    valid        with a key that staff entered
    own_key      with a key that only the station itself vouched for
    """

    UNCHECKED = "unchecked", _("Not verified yet")
    VALID = "valid", _("Verified")
    OWN_KEY = "own_key", _("Verified with the station's own key")
    INVALID = "invalid", _("Signature is wrong")
    UNKNOWN_KEY = "unknown_key", _("No key is known")
    UNSUPPORTED = "unsupported", _("Signed in a way we do not verify")
    UNREADABLE = "unreadable", _("Not readable")


class KeySource(models.TextChoices):
    """Who vouches for a meter's key."""

    OPERATOR = "operator", _("Operator")
    STATION = "station", _("Station")


class RecordKind(models.TextChoices):
    """A charge, or what takes one back."""

    CHARGE = "charge", _("Charge")
    CREDIT = "credit", pgettext_lazy("charge record", "Credit")


class SettlementStatus(models.TextChoices):
    """What a payment terminal says of its payment, in OCPP 2.1's words."""

    SETTLED = "Settled", _("Paid")
    CANCELED = "Canceled", _("Cancelled")
    REJECTED = "Rejected", _("Rejected")
    FAILED = "Failed", _("Failed")
