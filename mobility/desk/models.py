"""What members of staff keep for themselves: the ways they like to look at the map."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from mobility.accounts.models import User
from mobility.core.models import PublicModel


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    """Views by whose they are."""

    def visible_to(self, user: User) -> "SavedViewQuerySet":
        """A person's own, and nobody else's."""
        return self.filter(user=user)


class SavedView(PublicModel):
    """A named way to look at the live map: what is asked for and which layers lie on it."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("person")
    )
    name = models.CharField(_("name"), max_length=60)
    filters = models.JSONField(_("filters"), default=dict)
    created_at = models.DateTimeField(_("created"))

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "name"], name="saved_view_name_once"),
        ]

    def __str__(self) -> str:
        return self.name
