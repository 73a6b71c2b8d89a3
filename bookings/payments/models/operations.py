"""What the local provider remembers."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from bookings.payments.states import Outcome


class ProviderOperation(models.Model):
    """What the local provider did under one key; a repeated key gets the same answer."""

    key = models.CharField(_("key"), max_length=120, unique=True)
    deed = models.CharField(_("deed"), max_length=12)
    reference = models.CharField(_("reference"), max_length=80, db_index=True)
    token = models.CharField(_("token"), max_length=80)
    cents = models.PositiveIntegerField(_("cents"))
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("provider operation")
        verbose_name_plural = _("provider operations")

    def __str__(self) -> str:
        return f"{self.deed} {self.reference} {self.outcome}"
