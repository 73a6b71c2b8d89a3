"""Photos of parked vehicles and what staff said about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bookings.trips.states import BAD_PHOTOS, PHOTO_MOVES, PhotoState
from mobility.accounts.states import Role
from mobility.core.models import PublicModel

if TYPE_CHECKING:
    import datetime

    from mobility.accounts.models import User


Photo = TypeVar("Photo", bound=models.Model)


class RiderPhotoQuerySet(models.QuerySet[Photo]):
    """Photos that riders took of vehicles, by who may see them."""

    def visible_to(self, user: User) -> Self:
        """A person's own, and for operators those of their vehicles."""
        if user.is_superuser:
            return self
        operated = user.organisations_as(Role.FLEET_OPERATOR)
        return self.filter(Q(user=user) | Q(organisation__in=operated))


class EndPhotoQuerySet(RiderPhotoQuerySet["EndPhoto"]):
    """Photos by what staff think of them."""

    def run_by(self, user: User, *roles: str) -> Self:
        """Those of vehicles that the person runs: theirs to judge."""
        if user.is_superuser:
            return self
        return self.filter(organisation__in=user.organisations_as(*roles))

    def strikes(self, *, since: datetime.datetime) -> Self:
        """Those found bad, of this time."""
        return self.filter(state__in=BAD_PHOTOS, taken_at__gt=since)


class EndPhoto(PublicModel):
    """A photo that a rider took of the vehicle they parked."""

    moves: ClassVar = {"state": PHOTO_MOVES}

    trip = models.ForeignKey(
        "bookings.Trip", models.PROTECT, related_name="photos", verbose_name=_("trip")
    )
    # Again here, for the queue and for counting a person's bad ones without a join.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("person")
    )
    organisation = models.ForeignKey(
        "mobility.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    file = models.OneToOneField(
        "mobility.StoredFile", models.PROTECT, related_name="+", verbose_name=_("photo")
    )
    taken_at = models.DateTimeField(_("sent at"))
    state = models.CharField(
        _("state"), max_length=10, choices=PhotoState, default=PhotoState.WAITING
    )
    reason = models.CharField(_("what staff said"), max_length=300, blank=True)
    reviewed_at = models.DateTimeField(_("reviewed at"), null=True, blank=True)
    reviewed_by = models.CharField(_("reviewed by"), max_length=100, blank=True)
    # How many bad ones within the time of the policy this one made, and the fee it led to.
    strike = models.PositiveSmallIntegerField(_("strike"), null=True, blank=True)
    fee_ref = models.CharField(_("fee"), max_length=40, blank=True)
    appeal = models.CharField(_("objection"), max_length=1000, blank=True)
    appealed_at = models.DateTimeField(_("objected at"), null=True, blank=True)

    objects = EndPhotoQuerySet.as_manager()

    class Meta:
        verbose_name = _("photo of a parked vehicle")
        verbose_name_plural = _("photos of parked vehicles")
        ordering = ("-id",)
        indexes: ClassVar = [
            models.Index(
                fields=["organisation", "taken_at"],
                name="photo_to_review",
                condition=Q(state__in=["waiting", "appealed"]),
            ),
            models.Index(
                fields=["user", "-taken_at"],
                name="photo_strikes",
                condition=Q(state__in=["bad", "appealed", "upheld"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.trip_id} {self.state}"
