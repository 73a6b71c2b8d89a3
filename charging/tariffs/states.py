"""The life of a tariff version: drafted, published, never edited again."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class VersionState(models.TextChoices):
    """Only published versions price anything; only drafts can be changed."""

    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", pgettext_lazy("tariff version", "Published")


VERSION_MOVES: Final[dict[str, frozenset[str]]] = {
    VersionState.DRAFT: frozenset({VersionState.PUBLISHED}),
}


class ComponentKind(models.TextChoices):
    """What a price component counts."""

    FLAT = "flat", _("Per session")
    ENERGY = "energy", _("Per kWh")
    TIME = "time", _("Per minute connected")
    IDLE = "idle", _("Per minute connected without charging")
