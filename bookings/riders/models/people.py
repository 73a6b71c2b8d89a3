"""What we know of a rider beyond the account, and what stands in their way."""

import datetime
from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from bookings.riders.states import RiderBlockReason
from mobility.accounts.states import Role
from mobility.core.models import PublicModel

if TYPE_CHECKING:
    from mobility.accounts.models import User


class RiderProfile(models.Model):
    """A rider's own particulars; nobody but they and the reviewers of their documents see them."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        primary_key=True,
        related_name="rider_profile",
        verbose_name=_("person"),
    )
    birth_date = models.DateField(_("date of birth"), null=True, blank=True)
    phone = models.CharField(_("telephone"), max_length=20, blank=True)
    # Told by the person with their consent (a fact of health); gives longer free holds.
    reduced_mobility = models.BooleanField(_("reduced mobility"), default=False)
    updated_at = models.DateTimeField(_("updated at"))

    class Meta:
        verbose_name = _("rider")
        verbose_name_plural = _("riders")

    def __str__(self) -> str:
        return str(self.user)


class RiderBlockQuerySet(models.QuerySet["RiderBlock"]):
    """Blocks by who may see them and whether they hold."""

    def visible_to(self, user: "User") -> Self:
        """A person's own, and for operators those of their organisation."""
        if user.is_superuser:
            return self
        operated = user.organisations_as(Role.FLEET_OPERATOR)
        return self.filter(Q(user=user) | Q(organisation__in=operated))

    def run_by(self, user: "User", *roles: str) -> Self:
        """Those that this person may lift: of the organisations in which they have one of `roles`."""
        if user.is_superuser:
            return self
        return self.filter(organisation__in=user.organisations_as(*roles))

    def active(self) -> Self:
        """Not lifted yet."""
        return self.filter(lifted_at__isnull=True)

    def outlived(self, at: datetime.datetime) -> Self:
        """Their time is over and nobody has closed them."""
        return self.active().filter(until__lte=at)


class RiderBlock(PublicModel):
    """A reason for which somebody may not ride, everywhere or with one operator, until when."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="rider_blocks",
        verbose_name=_("person"),
    )
    organisation = models.ForeignKey(
        "mobility.Organisation",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("organisation"),
        help_text=_("Empty: with every operator."),
    )
    reason = models.CharField(_("reason"), max_length=20, choices=RiderBlockReason)
    ref = models.CharField(_("reference"), max_length=80, blank=True)
    note = models.CharField(_("note for staff"), max_length=300, blank=True)
    since = models.DateTimeField(_("since"))
    until = models.DateTimeField(_("until"), null=True, blank=True)
    placed_by = models.CharField(_("placed by"), max_length=100)
    lifted_at = models.DateTimeField(_("lifted at"), null=True, blank=True)
    lifted_by = models.CharField(_("lifted by"), max_length=100, blank=True)

    objects = RiderBlockQuerySet.as_manager()

    class Meta:
        verbose_name = _("block of a rider")
        verbose_name_plural = _("blocks of riders")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "organisation", "reason", "ref"],
                condition=Q(lifted_at__isnull=True),
                nulls_distinct=False,
                name="one_active_block_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gt=F("since")),
                name="block_ends_after_it_begins",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["until"], name="block_until", condition=Q(lifted_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()}: {self.user}"
