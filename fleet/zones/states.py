"""What a zone is for, and the life of a set of zones: drafted, in force, superseded."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from mobility.core.transitions import Moves


class ZoneKind(models.TextChoices):
    """What a zone is for; it gives the rule that holds where the zone has none of its own."""

    OPERATING = "operating", _("Service area")
    NO_RIDE = "no_ride", _("No riding")
    NO_PARK = "no_park", _("No parking")
    SLOW = "slow", _("Slow")
    BAY = "bay", _("Parking bay")


class SetState(models.TextChoices):
    """Only a draft may be edited: what was in force stays answerable."""

    DRAFT = "draft", pgettext_lazy("zone set", "draft")
    PUBLISHED = "published", pgettext_lazy("zone set", "published")
    SUPERSEDED = "superseded", pgettext_lazy("zone set", "superseded")


SET_MOVES: Moves = {
    SetState.DRAFT: frozenset({SetState.PUBLISHED}),
    SetState.PUBLISHED: frozenset({SetState.SUPERSEDED}),
    SetState.SUPERSEDED: frozenset(),
}
