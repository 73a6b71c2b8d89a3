"""Where travel times come from."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class TravelSource(models.TextChoices):
    """Who said how long it takes."""

    IMPORTED = "imported", _("Imported")
    ROAD = "road", _("Road service")
