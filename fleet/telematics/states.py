"""Words of telematics: why a report is put aside."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class QuarantineReason(models.TextChoices):
    """Why a report cannot be true."""

    FUTURE = "future", _("In the future")
    TOO_OLD = "too_old", _("Too old")
    ZERO_FIX = "zero_fix", _("No position (0, 0)")
    OUT_OF_RANGE = "out_of_range", _("Out of range")
