"""Who could not get in."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from charging.stations.models.stations import ChargingStation
from mobility.accounts.states import Role

if TYPE_CHECKING:
    from mobility.accounts.scoping import Person


class RefusedHandshakeQuerySet(models.QuerySet["RefusedHandshake"]):
    """Refused handshakes by the operator whose station the identity names."""

    def visible_to(self, user: Person) -> Self:
        """Those naming an own station; identities nobody owns are shown to every operator.

        A charger whose identity was mistyped belongs to nobody yet, and the operator who stands
        in front of it needs to find it.
        """
        if isinstance(user, AnonymousUser) or not user.is_active:
            return self.none()
        if user.is_superuser:
            return self
        stations = ChargingStation.objects.all()
        own = stations.visible_to(user).values("identity")
        if not user.has_role(Role.CHARGE_POINT_OPERATOR):
            return self.filter(identity__in=own)
        return self.filter(
            Q(identity__in=own) | ~Q(identity__in=stations.values("identity")),
        )


class RefusedHandshake(models.Model):
    """A connection attempt that was turned away, with the reason as a code."""

    at = models.DateTimeField(_("at"))
    identity = models.CharField(_("identity"), max_length=200)
    path = models.CharField(_("path"), max_length=300, blank=True)
    reason = models.CharField(_("reason"), max_length=60)
    detail = models.CharField(_("detail"), max_length=200, blank=True)
    remote = models.CharField(_("from"), max_length=80, blank=True)

    objects = RefusedHandshakeQuerySet.as_manager()

    class Meta:
        verbose_name = _("refused handshake")
        verbose_name_plural = _("refused handshakes")
        indexes: ClassVar = [
            models.Index(fields=["-at"], name="refused_handshake_recent"),
            models.Index(fields=["identity", "-at"], name="refused_handshake_identity"),
        ]

    def __str__(self) -> str:
        return f"{self.identity}: {self.reason}"
