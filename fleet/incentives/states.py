"""What is offered to riders, why, and what became of it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from mobility.core.transitions import Moves


class Direction(models.TextChoices):
    """At which end of a ride it is earned."""

    END = "end", _("End a ride here")
    START = "start", _("Take this vehicle")


class Need(models.TextChoices):
    """What the fleet gets out of it."""

    STOCK = "stock", _("A vehicle where it is missed")
    CHARGE = "charge", _("A weak battery at a charging hub")


class OfferState(models.TextChoices):
    """Only an open one can be accepted; what was accepted before stays promised."""

    OPEN = "open", _("Open")
    TAKEN = "taken", _("All places taken")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class CloseReason(models.TextChoices):
    """Why nobody can accept it any more."""

    NOT_NEEDED = "not_needed", _("No longer needed")
    REPRICED = "repriced", _("Worth something else by now")
    VEHICLE_GONE = "vehicle_gone", _("The vehicle is no longer there")
    OVER = "over", _("Its time is over")
    SWITCHED_OFF = "switched_off", _("Offers are switched off")


OFFER_MOVES: Moves = {
    OfferState.OPEN: frozenset({OfferState.TAKEN, OfferState.WITHDRAWN}),
    # Somebody who had accepted did something else.
    OfferState.TAKEN: frozenset({OfferState.OPEN, OfferState.WITHDRAWN}),
    OfferState.WITHDRAWN: frozenset(),
}
# Those that a new look at the city keeps or withdraws.
STANDING = (OfferState.OPEN, OfferState.TAKEN)
