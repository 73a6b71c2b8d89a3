"""The words of geography."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class HubKind(models.TextChoices):
    """What a hub offers first; a mobility area of the programme has bays, chargers and a totem."""

    MOBILITY_AREA = "mobility_area", _("mobility area")
    BIKE_STATION = "bike_station", _("bike station")
