"""Endpoints and their secrets, facts as they are told, and every delivery of one to the other."""

import datetime
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from mobility.accounts.scoping import OrganisationScoped
from mobility.accounts.states import Role
from mobility.core.courier import Failure
from mobility.core.models import PublicModel
from mobility.webhooks.states import (
    ENDPOINT_MOVES,
    DeliveryState,
    EndpointState,
)

KEEPERS: frozenset[str] = frozenset({Role.FLEET_OPERATOR, Role.CHARGE_POINT_OPERATOR})


class EndpointQuerySet(OrganisationScoped["WebhookEndpoint"]):
    """Endpoints by whose they are."""

    staff_roles = KEEPERS

    def wanting(self, kind: str) -> "EndpointQuerySet":
        """Those that asked for facts of this kind."""
        return self.filter(kinds__contains=[kind])


class WebhookEndpoint(PublicModel):
    """An address at which an organisation's program wants to hear of facts."""

    moves: ClassVar = {"state": ENDPOINT_MOVES}

    organisation = models.ForeignKey(
        "mobility.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    url = models.CharField(_("address"), max_length=500)
    description = models.CharField(_("description"), max_length=200, blank=True)
    kinds: ArrayField[list[str], list[str]] = ArrayField(
        models.CharField(max_length=60), verbose_name=_("kinds of facts")
    )
    state = models.CharField(
        _("state"), max_length=10, choices=EndpointState, default=EndpointState.ACTIVE
    )
    created_at = models.DateTimeField(_("created at"))
    # How many attempts in a row came to nothing, and since when.
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)
    disabled_reason = models.CharField(_("disabled because"), max_length=40, blank=True)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook endpoint")
        verbose_name_plural = _("webhook endpoints")

    def __str__(self) -> str:
        return self.url


class SecretQuerySet(OrganisationScoped["WebhookSecret"]):
    """Secrets by whether they still sign."""

    organisation_path = "endpoint__organisation"
    staff_roles = KEEPERS

    def valid_at(self, at: datetime.datetime) -> "SecretQuerySet":
        """Those that have not run out."""
        return self.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=at))


class WebhookSecret(models.Model):
    """What one secret of an endpoint is derived from; the secret itself is nowhere."""

    endpoint = models.ForeignKey(
        WebhookEndpoint, models.CASCADE, related_name="secrets", verbose_name=_("endpoint")
    )
    salt = models.CharField(_("salt"), max_length=64, unique=True)
    # Of the secret, to find the key it was derived with after keys have changed.
    fingerprint = models.CharField(_("fingerprint"), max_length=64)
    created_at = models.DateTimeField(_("created at"))
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)

    objects = SecretQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook secret")
        verbose_name_plural = _("webhook secrets")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["endpoint"],
                condition=Q(expires_at__isnull=True),
                name="webhook_one_lasting_secret",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.endpoint_id} {self.created_at:%Y-%m-%d}"


class MessageQuerySet(OrganisationScoped["WebhookMessage"]):
    """Facts by whose they are."""

    staff_roles = KEEPERS


class WebhookMessage(models.Model):
    """A fact as receivers read it; stored once, however many hear of it."""

    id = models.BigAutoField(primary_key=True)
    # The outbox event's id, which goes out as `webhook-id`.
    event_id = models.UUIDField(_("event id"), unique=True)
    organisation = models.ForeignKey(
        "mobility.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    kind = models.CharField(_("kind"), max_length=60)
    at = models.DateTimeField(_("at"))
    data = models.JSONField(_("data"))

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook message")
        verbose_name_plural = _("webhook messages")
        indexes: ClassVar = [
            models.Index(fields=["organisation", "at"], name="webhook_message_org_at"),
            models.Index(fields=["at"], name="webhook_message_at"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.event_id}"

    def body(self) -> dict[str, Any]:
        """What goes out: kind, instant and data (Standard Webhooks)."""
        return {"type": self.kind, "timestamp": self.at.isoformat(), "data": self.data}


class DeliveryQuerySet(OrganisationScoped["WebhookDelivery"]):
    """Deliveries by whose they are and what became of them."""

    organisation_path = "endpoint__organisation"
    staff_roles = KEEPERS

    def in_state(self, state: str) -> "DeliveryQuerySet":
        """Those that stand so; see `WebhookDelivery.state`."""
        over = Q(delivered_at__isnull=True, given_up_at__isnull=True)
        return self.filter(
            {
                DeliveryState.DELIVERED: Q(delivered_at__isnull=False),
                DeliveryState.GIVEN_UP: Q(given_up_at__isnull=False),
                DeliveryState.PENDING: over & Q(last_failure=""),
                DeliveryState.FAILED: over & ~Q(last_failure=""),
            }[DeliveryState(state)]
        )


class WebhookDelivery(PublicModel):
    """One fact on its way to one endpoint. Its columns are its log; a state would say nothing more."""

    endpoint = models.ForeignKey(
        WebhookEndpoint, models.CASCADE, related_name="deliveries", verbose_name=_("endpoint")
    )
    message = models.ForeignKey(
        WebhookMessage, models.CASCADE, related_name="deliveries", verbose_name=_("message")
    )
    created_at = models.DateTimeField(_("created at"))
    # While an attempt is under way: when it is taken for lost. None: nothing more to do.
    next_attempt_at = models.DateTimeField(_("next attempt at"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    last_attempt_at = models.DateTimeField(_("last attempt at"), null=True, blank=True)
    last_status = models.PositiveSmallIntegerField(_("last status"), null=True, blank=True)
    last_failure = models.CharField(
        _("last failure"), max_length=20, choices=Failure, blank=True, default=""
    )
    last_ms = models.PositiveIntegerField(_("last took (ms)"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)
    given_up_at = models.DateTimeField(_("given up at"), null=True, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["endpoint", "message"], name="webhook_message_once_an_endpoint"
            ),
            models.CheckConstraint(
                condition=Q(delivered_at__isnull=True) | Q(given_up_at__isnull=True),
                name="webhook_delivered_or_given_up",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["endpoint", "next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False),
                name="webhook_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.message_id} → {self.endpoint_id}"

    @property
    def state(self) -> DeliveryState:
        """Where it stands."""
        if self.delivered_at is not None:
            return DeliveryState.DELIVERED
        if self.given_up_at is not None:
            return DeliveryState.GIVEN_UP
        return DeliveryState.FAILED if self.last_failure else DeliveryState.PENDING
