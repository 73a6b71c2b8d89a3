"""Riders' objections."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bookings.trips.states import DISPUTE_MOVES, DisputeReason, DisputeState
from mobility.accounts.states import Role
from mobility.core import ids
from mobility.core.models import PublicModel

if TYPE_CHECKING:
    import datetime

    from mobility.accounts.models import User


def case_number() -> str:
    """What a person can read to us on the telephone; not counted up, so it tells nobody anything."""
    return ids.short_code(8)


class DisputeQuerySet(models.QuerySet["TripDispute"]):
    """Disputes by who may see them and how late they are."""

    def visible_to(self, user: User) -> Self:
        """A person's own, and for operators those about their vehicles."""
        if user.is_superuser:
            return self
        operated = user.organisations_as(Role.FLEET_OPERATOR)
        return self.filter(Q(user=user) | Q(trip__organisation__in=operated))

    def run_by(self, user: User, *roles: str) -> Self:
        """Those about vehicles that the person runs: theirs to decide."""
        if user.is_superuser:
            return self
        return self.filter(trip__organisation__in=user.organisations_as(*roles))

    def overdue(self, at: datetime.datetime) -> Self:
        """Those that should have been answered by now."""
        return self.filter(state=DisputeState.OPEN, due_at__lte=at)


class TripDispute(PublicModel):
    """A rider objects to a trip, with a number to refer to and a time by which staff answer."""

    moves: ClassVar = {"state": DISPUTE_MOVES}

    case_number = models.CharField(
        _("case number"), max_length=8, unique=True, default=case_number, editable=False
    )
    trip = models.ForeignKey(
        "bookings.Trip", models.PROTECT, related_name="disputes", verbose_name=_("trip")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("person")
    )
    reason = models.CharField(_("reason"), max_length=16, choices=DisputeReason)
    text = models.CharField(_("what was said"), max_length=2000, blank=True)
    # Public ids of pictures in the private store, in the order given.
    photos = models.JSONField(_("photos"), default=list, blank=True)
    state = models.CharField(
        _("state"), max_length=10, choices=DisputeState, default=DisputeState.OPEN
    )
    opened_at = models.DateTimeField(_("opened at"))
    due_at = models.DateTimeField(_("answer due"))
    # That the answer is late was told once.
    reminded_at = models.DateTimeField(_("reminded at"), null=True, blank=True, editable=False)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decided_by = models.CharField(_("decided by"), max_length=100, blank=True)
    answer = models.CharField(_("answer"), max_length=2000, blank=True)
    version = models.OneToOneField(
        "bookings.TripVersion",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="dispute",
        verbose_name=_("correction"),
    )

    objects = DisputeQuerySet.as_manager()

    class Meta:
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")
        ordering = ("-id",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["trip"], condition=Q(state="open"), name="one_open_dispute_per_trip"
            ),
            models.CheckConstraint(
                condition=Q(state="open", decided_at__isnull=True)
                | (~Q(state="open") & Q(decided_at__isnull=False)),
                name="dispute_decided_with_a_date",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], name="dispute_due", condition=Q(state="open")),
        ]

    def __str__(self) -> str:
        return f"{self.case_number} {self.reason}"
