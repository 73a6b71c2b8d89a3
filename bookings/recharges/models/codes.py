"""How somebody without an account finds a connector, and back to their own charge."""

from typing import TYPE_CHECKING, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bookings.recharges.models.recharges import Recharge
from mobility.accounts.states import Role

if TYPE_CHECKING:
    import datetime

    from mobility.accounts.models import User


class ConnectorCodeQuerySet(models.QuerySet["ConnectorCode"]):
    """Codes by whether they still lead somewhere."""

    def visible_to(self, user: "User") -> Self:
        """Those of an operator's own chargers."""
        if user.is_superuser:
            return self
        theirs = user.organisations_as(Role.CHARGE_POINT_OPERATOR)
        return self.filter(connector__evse__station__site__organisation__in=theirs)

    def valid_at(self, at: "datetime.datetime") -> Self:
        """The current ones, and replaced ones whose time has not run out."""
        return self.filter(Q(valid_until__isnull=True) | Q(valid_until__gt=at))

    def current(self) -> Self:
        """Those that nobody has replaced."""
        return self.filter(valid_until__isnull=True)


class ConnectorCode(models.Model):
    """What the sticker on a connector says. Random: it tells nothing of its neighbours' codes."""

    connector = models.ForeignKey(
        "charging.Connector", models.CASCADE, related_name="+", verbose_name=_("connector")
    )
    code = models.CharField(_("code"), max_length=16, unique=True)
    issued_at = models.DateTimeField(_("issued at"))
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)

    objects = ConnectorCodeQuerySet.as_manager()

    class Meta:
        verbose_name = _("code at a connector")
        verbose_name_plural = _("codes at connectors")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["connector"],
                condition=Q(valid_until__isnull=True),
                name="one_current_code_a_connector",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class GuestPass(models.Model):
    """The key to one charge of somebody without an account; only its hash is kept."""

    recharge = models.OneToOneField(
        Recharge, models.CASCADE, related_name="guest_pass", verbose_name=_("recharge")
    )
    secret_hash = models.CharField(_("secret hash"), max_length=64, unique=True)
    email = models.EmailField(_("e-mail address for the receipt"), blank=True)
    language = models.CharField(_("language"), max_length=2, default="it")
    created_at = models.DateTimeField(_("created at"))
    receipt_sent_at = models.DateTimeField(_("receipt sent at"), null=True, blank=True)

    class Meta:
        verbose_name = _("pass of a driver without an account")
        verbose_name_plural = _("passes of drivers without an account")

    def __str__(self) -> str:
        return str(self.recharge)
