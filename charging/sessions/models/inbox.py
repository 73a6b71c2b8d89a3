"""The inbox that makes repeats harmless."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from charging.stations.scoping import operated_by

if TYPE_CHECKING:
    from mobility.accounts.scoping import Person


class InboxQuerySet(models.QuerySet["InboxMessage"]):
    """Messages by operator."""

    def visible_to(self, user: Person) -> Self:
        """Operators see the messages of their own stations."""
        return self.filter(operated_by(user, site="station__site"))


class InboxMessage(models.Model):
    """One business fact from a station and the answer it got; a repeat gets the same answer.

    The unique key is the fact's own identity (what happened, when, where), not the message's:
    stations repeat facts under new message ids after a reconnect.
    """

    station = models.ForeignKey(
        "charging.ChargingStation",
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("station"),
    )
    business_key = models.CharField(_("business key"), max_length=200)
    action = models.CharField(_("action"), max_length=30)
    payload = models.JSONField(_("payload"))
    answer = models.JSONField(_("answer"))
    at = models.DateTimeField(_("received at"))
    problem = models.CharField(
        _("problem"),
        max_length=200,
        blank=True,
        help_text=_("Why this message could not be processed; empty if it was."),
    )

    objects = InboxQuerySet.as_manager()

    class Meta:
        verbose_name = _("inbox message")
        verbose_name_plural = _("inbox messages")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["station", "business_key"],
                name="inbox_business_key",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["station", "-id"],
                name="inbox_unprocessed",
                condition=~Q(problem=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.business_key}"
