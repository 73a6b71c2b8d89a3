"""What residents ask us for help with, and what was said about it."""

from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bookings.support.states import CASE_MOVES, UNDERWAY, CaseKind, CaseState, Resolution
from mobility.accounts.states import Role
from mobility.core import ids
from mobility.core.models import PublicModel

if TYPE_CHECKING:
    import datetime

    from mobility.accounts.models import User

ANSWERERS = (Role.FLEET_OPERATOR, Role.CHARGE_POINT_OPERATOR)


def case_number() -> str:
    """What a person can read to us on the telephone; not counted up, so it tells nobody anything."""
    return ids.short_code(8)


class SupportCaseQuerySet(models.QuerySet["SupportCase"]):
    """Cases by who is in them and what they wait for."""

    def visible_to(self, user: "User") -> Self:
        """A person's own, and for staff those of the organisations they answer for."""
        if user.is_superuser:
            return self
        return self.filter(Q(user=user) | Q(organisation__in=user.organisations_as(*ANSWERERS)))

    def answered_by(self, user: "User") -> Self:
        """Those that this person may answer as staff: never their own."""
        if user.is_superuser:
            return self
        theirs = user.organisations_as(*ANSWERERS)
        return self.filter(organisation__in=theirs).exclude(user=user)

    def underway(self) -> Self:
        """Not settled yet."""
        return self.filter(state__in=UNDERWAY)

    def overdue(self, at: "datetime.datetime") -> Self:
        """Waiting for us longer than promised."""
        return self.filter(state=CaseState.OPEN, due_at__lt=at)

    def with_story(self) -> Self:
        """With all that a page of it shows."""
        return self.select_related(
            "user", "organisation", "trip__vehicle", "recharge", "payment", "fault", "refund"
        ).prefetch_related("messages")


class SupportCase(PublicModel):
    """One problem of one person, from telling it to its end."""

    moves: ClassVar = {"state": CASE_MOVES}

    case_number = models.CharField(
        _("case number"), max_length=8, unique=True, default=case_number, editable=False
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="support_cases",
        verbose_name=_("person"),
    )
    organisation = models.ForeignKey(
        "mobility.Organisation", models.PROTECT, related_name="+", verbose_name=_("answered by")
    )
    kind = models.CharField(_("kind"), max_length=16, choices=CaseKind)
    state = models.CharField(
        _("state"), max_length=10, choices=CaseState, default=CaseState.OPEN, editable=False
    )
    trip = models.ForeignKey(
        "bookings.Trip",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("trip"),
    )
    recharge = models.ForeignKey(
        "bookings.Recharge",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("recharge"),
    )
    payment = models.ForeignKey(
        "bookings.Payment",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("payment"),
    )
    fault = models.ForeignKey(
        "fleet.FaultReport",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("fault report"),
    )
    refund = models.ForeignKey(
        "bookings.Refund",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("refund"),
    )
    opened_at = models.DateTimeField(_("opened at"))
    due_at = models.DateTimeField(_("answer due"))
    answered_at = models.DateTimeField(_("first answered at"), null=True, blank=True)
    resolved_at = models.DateTimeField(_("resolved at"), null=True, blank=True)
    resolution = models.CharField(_("resolution"), max_length=12, choices=Resolution, blank=True)

    objects = SupportCaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("support case")
        verbose_name_plural = _("support cases")
        indexes: ClassVar = [
            models.Index(fields=["user", "-id"], name="case_by_user"),
            models.Index(
                fields=["organisation", "due_at"], name="case_due", condition=Q(state="open")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_number} {self.get_kind_display()}"


class CaseMessageQuerySet(models.QuerySet["CaseMessage"]):
    """What was said, by who may read the case."""

    def visible_to(self, user: "User") -> Self:
        """What was said in the cases that this person sees."""
        return self.filter(case__in=SupportCase.objects.visible_to(user))


class CaseMessage(models.Model):
    """Something that was said in a case; never changed afterwards."""

    case = models.ForeignKey(
        SupportCase, models.CASCADE, related_name="messages", verbose_name=_("case")
    )
    by = models.CharField(_("by"), max_length=100)
    from_staff = models.BooleanField(_("from staff"), default=False)
    text = models.CharField(_("text"), max_length=2000)
    # Public ids of pictures in the private store, in the order given.
    photos = models.JSONField(_("photos"), default=list, blank=True)
    at = models.DateTimeField(_("at"))

    objects = CaseMessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message in a case")
        verbose_name_plural = _("messages in cases")
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return self.text[:60]
