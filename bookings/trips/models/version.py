"""What a trip was taken to be, and each correction of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bookings.trips.states import VERSION_MOVES, VersionState, Waiver
from mobility.accounts.states import Role

if TYPE_CHECKING:
    from mobility.accounts.models import User


class TripVersionQuerySet(models.QuerySet["TripVersion"]):
    """Versions by who may see them."""

    def visible_to(self, user: User) -> Self:
        """Those of a person's own trips, and for operators those on their vehicles."""
        if user.is_superuser:
            return self
        operated = user.organisations_as(Role.FLEET_OPERATOR)
        return self.filter(Q(trip__user=user) | Q(trip__organisation__in=operated))

    def run_by(self, user: User, *roles: str) -> Self:
        """Those on the vehicles that the person runs: theirs to decide."""
        if user.is_superuser:
            return self
        return self.filter(trip__organisation__in=user.organisations_as(*roles))


class TripVersion(models.Model):
    """The facts and the price of a trip at one time; number 1 is what was first charged.

    Written when a trip is first corrected: one that nobody touches has its receipt and no version.
    """

    moves: ClassVar = {"state": VERSION_MOVES}

    trip = models.ForeignKey(
        "bookings.Trip", models.PROTECT, related_name="versions", verbose_name=_("trip")
    )
    number = models.PositiveSmallIntegerField(_("version"))
    state = models.CharField(_("state"), max_length=10, choices=VersionState)
    at = models.DateTimeField(_("at"))
    by = models.CharField(_("by"), max_length=100)
    reason = models.CharField(_("reason"), max_length=200)
    started_at = models.DateTimeField(_("started at"))
    ended_at = models.DateTimeField(_("ended at"))
    stretches = models.JSONField(_("stretches"))
    distance_m = models.PositiveIntegerField(_("distance"))
    waiver = models.CharField(_("waived"), max_length=8, choices=Waiver, blank=True, default="")
    lines = models.JSONField(_("price lines"))
    total_cents = models.PositiveIntegerField(_("price"))
    # What goes back by it; a second person who refuses that, withdraws the version.
    refund = models.ForeignKey(
        "bookings.Refund",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("refund"),
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decided_by = models.CharField(_("decided by"), max_length=100, blank=True)

    objects = TripVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("trip version")
        verbose_name_plural = _("trip versions")
        ordering = ("trip", "number")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["trip", "number"], name="trip_version_once"),
            models.CheckConstraint(
                condition=Q(ended_at__gte=models.F("started_at")),
                name="trip_version_ends_after_it_began",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["-at"],
                name="trip_version_proposed",
                condition=Q(state=VersionState.PROPOSED),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.trip_id} v{self.number}"
