"""The life of a tariff version: written, put into force, taken back before it ever was in force."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from mobility.core.transitions import Moves


class TariffState(models.TextChoices):
    """Only a draft may be edited; what riders were quoted stays as it was."""

    DRAFT = "draft", _("draft")
    PUBLISHED = "published", pgettext_lazy("tariff version", "published")
    WITHDRAWN = "withdrawn", _("withdrawn")


TARIFF_MOVES: Moves = {
    TariffState.DRAFT: frozenset({TariffState.PUBLISHED, TariffState.WITHDRAWN}),
    TariffState.PUBLISHED: frozenset({TariffState.WITHDRAWN}),
    TariffState.WITHDRAWN: frozenset(),
}
