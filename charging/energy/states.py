"""The life of energy demands and of charging profiles on stations."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _


class DemandState(models.TextChoices):
    """Whether a demand still waits for its energy."""

    OPEN = "open", _("Open")
    MET = "met", _("Met")
    MISSED = "missed", _("Not met in time")
    WITHDRAWN = "withdrawn", _("Withdrawn")


DEMAND_MOVES: Final[dict[str, frozenset[str]]] = {
    DemandState.OPEN: frozenset({DemandState.MET, DemandState.MISSED, DemandState.WITHDRAWN}),
    # The energy came after all, only late.
    DemandState.MISSED: frozenset({DemandState.MET, DemandState.WITHDRAWN}),
}
DEMAND_WAITING: Final[frozenset[str]] = frozenset({DemandState.OPEN, DemandState.MISSED})


class ProfilePurpose(models.TextChoices):
    """What a charging profile is for; we never pose as the grid (external constraints)."""

    STATION_MAX = "ChargingStationMaxProfile", _("Limit of the station")
    TX_DEFAULT = "TxDefaultProfile", _("Limit without our word")
    TX = "TxProfile", _("Plan of a session")


class ProfileState(models.TextChoices):
    """Whether a station has a profile."""

    ASKED = "asked", _("Being sent")
    SET = "set", _("In force")
    REJECTED = "rejected", _("Not taken")
    CLEARED = "cleared", _("Cleared")


PROFILE_MOVES: Final[dict[str, frozenset[str]]] = {
    state: frozenset(set(ProfileState) - {state}) for state in ProfileState
}
