"""Charges that people buy at a charger."""

from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bookings.recharges.states import ACTIVE, RECHARGE_MOVES, Origin, RechargeState
from mobility.accounts.states import Role
from mobility.core.models import PublicModel

if TYPE_CHECKING:
    import datetime

    from mobility.accounts.models import User


class RechargeQuerySet(models.QuerySet["Recharge"]):
    """Recharges by who may see them and what is to be done about them."""

    def visible_to(self, user: "User") -> Self:
        """A person's own, and for operators those at their chargers."""
        if user.is_superuser:
            return self
        operated = user.organisations_as(Role.CHARGE_POINT_OPERATOR)
        return self.filter(Q(user=user) | Q(organisation__in=operated))

    def with_story(self) -> Self:
        """Recharges with all that their page shows, in one query."""
        return self.select_related(
            "connector__evse__station__site",
            "session",
            "payment__organisation",
            "user",
        )

    def active(self) -> Self:
        """Not over yet."""
        return self.filter(state__in=ACTIVE)

    def waiting(self, state: RechargeState, *, since: "datetime.datetime") -> Self:
        """Those that have waited in `state` for the charger's word since before `since`."""
        return self.filter(state=state, waiting_since__lte=since)

    def to_stop(self, at: "datetime.datetime") -> Self:
        """Those whose charger has to be asked (again) to stop, the longest overdue first."""
        return self.filter(stop_due_at__lte=at).order_by("stop_due_at", "id")

    def flowing(self) -> Self:
        """Charging now, with the figures that tell what it costs so far, oldest first."""
        return (
            self.filter(state=RechargeState.CHARGING, session__isnull=False)
            .select_related("session", "connector", "payment__organisation", "user")
            .order_by("pk")
        )


class Recharge(PublicModel):
    """One charge of one person at one connector."""

    moves: ClassVar = {"state": RECHARGE_MOVES}

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="recharges",
        verbose_name=_("person"),
    )
    organisation = models.ForeignKey(
        "mobility.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    connector = models.ForeignKey(
        "charging.Connector", models.PROTECT, related_name="+", verbose_name=_("connector")
    )
    session = models.OneToOneField(
        "charging.ChargingSession",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("charging session"),
    )
    payment = models.OneToOneField(
        "bookings.Payment",
        models.PROTECT,
        null=True,
        related_name="recharge",
        verbose_name=_("payment"),
    )
    state = models.CharField(
        _("state"), max_length=12, choices=RechargeState, default=RechargeState.STARTING
    )
    origin = models.CharField(
        _("bought with"), max_length=8, choices=Origin, default=Origin.APP, editable=False
    )
    token_uid = models.CharField(_("token"), max_length=64)
    # The most that is ever charged; 0 for a card's session, which nobody promised money for.
    limit_cents = models.PositiveIntegerField(_("spending limit"), default=0)
    # What was shown before the start, for the person's page; the charger's tariff decides.
    terms = models.JSONField(_("quoted prices"), default=dict)
    requested_at = models.DateTimeField(_("requested at"))
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    waiting_since = models.DateTimeField(_("waiting since"), null=True, blank=True)
    # When, at what cost and why the charger was first asked to stop, and when it is asked again.
    stop_wished_at = models.DateTimeField(_("stop wished at"), null=True, blank=True)
    stop_wished_cents = models.PositiveIntegerField(_("cost at that time"), null=True, blank=True)
    stop_reason = models.CharField(_("reason of the stop"), max_length=20, blank=True)
    stop_refused = models.BooleanField(_("charger refused to stop"), default=False)
    stop_due_at = models.DateTimeField(_("ask again at"), null=True, blank=True)
    faulted_at = models.DateTimeField(_("charger failed at"), null=True, blank=True)
    commands = models.PositiveSmallIntegerField(_("commands sent"), default=0)
    failure = models.CharField(_("failure"), max_length=40, blank=True)
    energy_wh = models.PositiveBigIntegerField(_("energy (Wh)"), null=True, blank=True)
    price_cents = models.PositiveIntegerField(_("price"), null=True, blank=True)

    objects = RechargeQuerySet.as_manager()

    class Meta:
        verbose_name = _("recharge")
        verbose_name_plural = _("recharges")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(state__in=ACTIVE) & ~Q(origin=Origin.CARD),
                name="one_active_recharge",
            ),
            # A card at the charger needs no leave of ours: its session is there when we hear of it.
            models.UniqueConstraint(
                fields=["connector"],
                condition=Q(state__in=ACTIVE) & ~Q(origin=Origin.CARD),
                name="one_recharge_a_connector",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "-id"], name="recharge_by_user"),
            models.Index(
                fields=["state", "waiting_since"],
                name="recharge_waiting",
                condition=Q(state__in=["starting", "stopping"]),
            ),
            models.Index(
                fields=["stop_due_at"],
                name="recharge_stop_due",
                condition=Q(stop_due_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.connector_id} {self.state}"

    @property
    def half_started(self) -> bool:
        """Claimed, but its charger was not asked yet: the money was still to be promised."""
        return self.state == RechargeState.STARTING and self.commands == 0
