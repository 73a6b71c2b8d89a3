"""What an operator asks of whoever rides its vehicles, and who has read which rules."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bookings.riders.rules import CATEGORIES
from bookings.riders.states import TextKind
from fleet.vehicles.states import Kind
from mobility.accounts.scoping import OrganisationScoped
from mobility.accounts.states import Role
from mobility.core.models import PublicModel
from mobility.core.texts import LocalizedField, pick


class AccessPolicyQuerySet(OrganisationScoped["AccessPolicy"]):
    """Policies of one's organisations."""

    staff_roles = frozenset({Role.FLEET_OPERATOR})


class AccessPolicy(models.Model):
    """What one operator asks of who rides its vehicles of one kind."""

    organisation = models.ForeignKey(
        "mobility.Organisation", models.CASCADE, related_name="+", verbose_name=_("organisation")
    )
    vehicle_kind = models.CharField(_("vehicles"), max_length=16, choices=Kind)
    identity_required = models.BooleanField(_("identity must be verified"), default=False)
    licence_category = models.CharField(
        _("licence category"),
        max_length=3,
        blank=True,
        choices=[(one, one) for one in CATEGORIES],
        help_text=_("Empty: no licence needed."),
    )
    held_at_least_months = models.PositiveSmallIntegerField(
        _("licence held for at least (months)"), default=0
    )
    minimum_age = models.PositiveSmallIntegerField(_("minimum age"), default=0)
    novice_months = models.PositiveSmallIntegerField(
        _("novice for (months)"),
        default=0,
        help_text=_("How long after the licence somebody may not drive the models below."),
    )
    novice_excluded_types = ArrayField(
        models.SlugField(max_length=50),
        verbose_name=_("models not for novices"),
        default=list,
        blank=True,
    )
    acknowledgements = ArrayField(
        models.CharField(max_length=12, choices=TextKind),
        verbose_name=_("rules to be confirmed"),
        default=list,
        blank=True,
    )

    objects = AccessPolicyQuerySet.as_manager()

    class Meta:
        verbose_name = _("access policy")
        verbose_name_plural = _("access policies")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation", "vehicle_kind"], name="one_access_policy_a_kind"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation}: {self.get_vehicle_kind_display()}"


class RuleTextQuerySet(OrganisationScoped["RuleText"]):
    """Texts of one's organisations, for staff."""

    staff_roles = frozenset({Role.FLEET_OPERATOR})

    def published(self) -> "RuleTextQuerySet":
        """Those that riders read; for ever, as somebody has confirmed them."""
        return self.filter(published_at__isnull=False)


class RuleText(PublicModel):
    """One version of what riders confirm; once published it never changes."""

    organisation = models.ForeignKey(
        "mobility.Organisation",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("organisation"),
        help_text=_("Empty: of the platform, where an operator has none of its own."),
    )
    kind = models.CharField(_("kind"), max_length=12, choices=TextKind)
    version = models.PositiveSmallIntegerField(_("version"))
    title = LocalizedField(_("title"))
    body = LocalizedField(_("text"))
    published_at = models.DateTimeField(_("published at"), null=True, editable=False)

    objects = RuleTextQuerySet.as_manager()

    class Meta:
        verbose_name = _("rules to be confirmed")
        verbose_name_plural = _("rules to be confirmed")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation", "kind", "version"],
                nulls_distinct=False,
                name="one_rule_text_a_version",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["kind", "organisation", "-version"],
                name="rule_text_newest",
                condition=Q(published_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{pick(self.title)} · {self.version}"


class Acknowledgement(models.Model):
    """That somebody has confirmed one version of a text, and when."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="acknowledgements",
        verbose_name=_("person"),
    )
    text = models.ForeignKey(
        RuleText, models.PROTECT, related_name="acknowledgements", verbose_name=_("text")
    )
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("confirmation")
        verbose_name_plural = _("confirmations")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "text"], name="acknowledged_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.text}"
