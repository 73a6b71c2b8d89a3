"""What the local provider remembers, and what it still has to say."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bookings.payments.states import Outcome
from mobility.core.money import EUR


class ProviderOperation(models.Model):
    """What the local provider did under one key; a repeated key gets the same answer."""

    key = models.CharField(_("key"), max_length=120, unique=True)
    deed = models.CharField(_("deed"), max_length=12)
    reference = models.CharField(_("reference"), max_length=80, db_index=True)
    token = models.CharField(_("token"), max_length=80)
    cents = models.PositiveIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3, default=EUR)
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome)
    failure = models.CharField(_("failure"), max_length=40, blank=True)
    at = models.DateTimeField(_("at"))
    # A promise ends then; a pending operation is done then.
    due_at = models.DateTimeField(_("due at"), null=True, blank=True)

    class Meta:
        verbose_name = _("provider operation")
        verbose_name_plural = _("provider operations")

    def __str__(self) -> str:
        return f"{self.deed} {self.reference} {self.outcome}"


class LocalNotice(models.Model):
    """A webhook that the local provider sends to our own door, over HTTP like any other."""

    event_id = models.CharField(_("event"), max_length=80)
    kind = models.CharField(_("kind"), max_length=16)
    reference = models.CharField(_("reference"), max_length=80)
    key = models.CharField(_("key"), max_length=120, blank=True)
    cents = models.PositiveIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3, default=EUR)
    at = models.DateTimeField(_("at"))
    send_at = models.DateTimeField(_("to be sent at"))
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)

    class Meta:
        verbose_name = _("webhook of the local provider")
        verbose_name_plural = _("webhooks of the local provider")
        indexes: ClassVar = [
            models.Index(
                fields=["send_at"], name="local_notice_unsent", condition=Q(sent_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"
