"""Links by which a debt is paid without an account."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from bookings.payments.models.payments import Payment


class PayLink(models.Model):
    """A secret address that pays one payment, known to us only by its hash."""

    payment = models.ForeignKey(
        Payment, models.PROTECT, related_name="links", verbose_name=_("payment")
    )
    token_hash = models.CharField(_("token hash"), max_length=64, unique=True)
    created_at = models.DateTimeField(_("created at"))
    expires_at = models.DateTimeField(_("expires at"))

    class Meta:
        verbose_name = _("payment link")
        verbose_name_plural = _("payment links")
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="pay_link_expires")]

    def __str__(self) -> str:
        return f"{self.payment_id} {self.expires_at:%Y-%m-%d}"
