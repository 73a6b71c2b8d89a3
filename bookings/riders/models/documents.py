"""Identity documents and driving licences: what was shown, and what came of it."""

import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bookings.riders.states import (
    DOCUMENT_MOVES,
    DocumentState,
    IdentityPaper,
    PaperKind,
    RejectionReason,
)
from mobility.accounts.states import Role
from mobility.core.models import PublicModel

if TYPE_CHECKING:
    from mobility.accounts.models import User

Document = TypeVar("Document", bound="RiderDocument")


class DocumentQuerySet(models.QuerySet[Document]):
    """Documents by who may see them and what is to be done about them."""

    def visible_to(self, user: "User") -> Self:
        """A person's own, and those that the person's organisation was asked to review."""
        if user.is_superuser:
            return self
        reviewed = user.organisations_as(Role.FLEET_OPERATOR)
        return self.filter(Q(user=user) | Q(organisation__in=reviewed))

    def run_by(self, user: "User", *roles: str) -> Self:
        """Those to review for the organisations in which one has one of `roles`; never one's own."""
        if user.is_superuser:
            return self
        return self.filter(organisation__in=user.organisations_as(*roles)).exclude(user=user)

    def waiting(self) -> Self:
        """To be reviewed."""
        return self.filter(state=DocumentState.SUBMITTED)

    def unasked(self, since: datetime.datetime) -> Self:
        """Given to a checker before `since`, who never was asked or never answered."""
        return self.waiting().exclude(checker="").filter(submitted_at__lte=since, checked_at=None)

    def verified(self) -> Self:
        """In force, unless their last day is over."""
        return self.filter(state=DocumentState.VERIFIED)


class RiderDocument(PublicModel):
    """What identity documents and licences have in common.

    One operator reviews it and sees the pictures; the others profit from the verdict alone.
    """

    kind: ClassVar[PaperKind]
    moves: ClassVar = {"state": DOCUMENT_MOVES}

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("person")
    )
    organisation = models.ForeignKey(
        "mobility.Organisation", models.PROTECT, related_name="+", verbose_name=_("reviewed by")
    )
    state = models.CharField(
        _("state"), max_length=12, choices=DocumentState, default=DocumentState.SUBMITTED
    )
    country = models.CharField(_("country"), max_length=2)
    valid_until = models.DateField(_("valid until"))
    front = models.ForeignKey(
        "mobility.StoredFile",
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("front"),
    )
    back = models.ForeignKey(
        "mobility.StoredFile",
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("back"),
    )
    submitted_at = models.DateTimeField(_("submitted at"))
    decided_at = models.DateTimeField(_("decided at"), null=True)
    decided_by = models.CharField(_("decided by"), max_length=100, blank=True)
    reason = models.CharField(_("reason"), max_length=16, choices=RejectionReason, blank=True)
    note = models.CharField(_("note for staff"), max_length=300, blank=True)
    # Which automatic checker looks at it first; empty: people only.
    checker = models.CharField(_("automatic check by"), max_length=20, blank=True)
    checker_ref = models.CharField(_("reference of the check"), max_length=80, blank=True)
    checked_at = models.DateTimeField(_("checked at"), null=True)
    # The nearest of the warnings before the last day that has gone out, in days.
    warned_days = models.PositiveSmallIntegerField(_("warned, days before"), null=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.get_state_display()}: {self.user}"

    @property
    def pictures(self) -> list[Any]:
        """Those that were sent along."""
        return [file for file in (self.front, self.back) if file is not None]


class IdentityCheck(RiderDocument):
    """That a person is who the account says."""

    kind = PaperKind.IDENTITY

    paper = models.CharField(_("document"), max_length=20, choices=IdentityPaper)
    selfie = models.ForeignKey(
        "mobility.StoredFile",
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("picture of the person"),
    )

    objects = DocumentQuerySet["IdentityCheck"].as_manager()

    class Meta:
        verbose_name = _("identity check")
        verbose_name_plural = _("identity checks")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(state="submitted"), name="one_identity_in_review"
            ),
            models.UniqueConstraint(
                fields=["user"], condition=Q(state="verified"), name="one_identity_in_force"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["valid_until"], name="identity_until", condition=Q(state="verified")
            ),
        ]

    @property
    def pictures(self) -> list[Any]:
        """Document and person."""
        return [*super().pictures, *([self.selfie] if self.selfie is not None else [])]


class DrivingLicence(RiderDocument):
    """That a person may drive. Of the number only a keyed hash and its last three signs are kept."""

    kind = PaperKind.LICENCE

    number_hash = models.CharField(_("hash of the number"), max_length=64)
    number_last3 = models.CharField(_("last signs of the number"), max_length=3)
    categories = ArrayField(
        models.CharField(max_length=3), verbose_name=_("categories"), default=list
    )
    held_since = models.DateField(_("held since"))

    objects = DocumentQuerySet["DrivingLicence"].as_manager()

    class Meta:
        verbose_name = _("driving licence")
        verbose_name_plural = _("driving licences")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(state="submitted"), name="one_licence_in_review"
            ),
            models.UniqueConstraint(
                fields=["user"], condition=Q(state="verified"), name="one_licence_in_force"
            ),
            # One licence opens one account: the second is a duplicate or somebody else's.
            models.UniqueConstraint(
                fields=["number_hash"], condition=Q(state="verified"), name="one_account_a_licence"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["valid_until"], name="licence_until", condition=Q(state="verified")
            ),
        ]
