"""What a zone is for."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ZoneKind(models.TextChoices):
    """The rule that a zone carries."""

    OPERATING = "operating", _("Service area")
    NO_RIDE = "no_ride", _("No riding")
    NO_PARK = "no_park", _("No parking")
    SLOW = "slow", _("Slow")
    BAY = "bay", _("Parking bay")
