"""Connectors that are kept for somebody on the way."""

from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bookings.recharges.states import KEPT_MOVES, KeptState
from mobility.accounts.states import Role
from mobility.core.models import PublicModel

if TYPE_CHECKING:
    import datetime

    from mobility.accounts.models import User


class KeptConnectorQuerySet(models.QuerySet["KeptConnector"]):
    """By person and by time."""

    def visible_to(self, user: "User") -> Self:
        """A person's own, and for operators those at their chargers."""
        if user.is_superuser:
            return self
        theirs = user.organisations_as(Role.CHARGE_POINT_OPERATOR)
        place = "connector__evse__station__site__organisation__in"
        return self.filter(Q(user=user) | Q(**{place: theirs}))

    def over_by(self, at: "datetime.datetime") -> Self:
        """Still held although their time has run out, the longest ago first."""
        return self.filter(state=KeptState.HELD, until__lte=at).order_by("until", "id")


class KeptConnector(PublicModel):
    """A connector kept for one person for some minutes; the hold's constraint decides who is first."""

    moves: ClassVar = {"state": KEPT_MOVES}

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="kept_connectors",
        verbose_name=_("person"),
    )
    connector = models.ForeignKey(
        "charging.Connector", models.CASCADE, related_name="+", verbose_name=_("connector")
    )
    hold = models.OneToOneField(
        "charging.ConnectorHold", models.CASCADE, related_name="+", verbose_name=_("hold")
    )
    state = models.CharField(
        _("state"), max_length=10, choices=KeptState, default=KeptState.HELD, editable=False
    )
    # Whether the charger itself keeps others away; without it only the apps do.
    charger_knows = models.BooleanField(_("charger knows"), default=False)
    created_at = models.DateTimeField(_("created at"))
    until = models.DateTimeField(_("until"))

    objects = KeptConnectorQuerySet.as_manager()

    class Meta:
        verbose_name = _("kept connector")
        verbose_name_plural = _("kept connectors")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(state="held"), name="one_kept_connector"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["until"], name="kept_connector_until", condition=Q(state="held")),
        ]

    def __str__(self) -> str:
        return f"{self.connector_id} {self.state}"
