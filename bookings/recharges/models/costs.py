"""What the fleets' own vehicles charge: nobody's purchase, a cost of their organisation."""

from typing import TYPE_CHECKING, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from mobility.accounts.states import Role
from mobility.core.models import PublicModel
from mobility.core.money import EUR, PriceLine, format_money

if TYPE_CHECKING:
    from mobility.accounts.models import User


class VehicleChargeQuerySet(models.QuerySet["VehicleCharge"]):
    """Costs by who bears and who earns them."""

    def visible_to(self, user: "User") -> Self:
        """For both sides of it."""
        if user.is_superuser:
            return self
        bears = user.organisations_as(Role.FLEET_OPERATOR)
        earns = user.organisations_as(Role.CHARGE_POINT_OPERATOR)
        return self.filter(Q(organisation__in=bears) | Q(operator__in=earns))


class VehicleCharge(PublicModel):
    """One session of one vehicle's own token."""

    organisation = models.ForeignKey(
        "mobility.Organisation", models.PROTECT, related_name="+", verbose_name=_("borne by")
    )
    operator = models.ForeignKey(
        "mobility.Organisation", models.PROTECT, related_name="+", verbose_name=_("operator")
    )
    session = models.OneToOneField(
        "charging.ChargingSession",
        models.PROTECT,
        related_name="+",
        verbose_name=_("charging session"),
    )
    owner_ref = models.CharField(_("vehicle"), max_length=100)
    energy_wh = models.PositiveBigIntegerField(_("energy (Wh)"))
    cents = models.PositiveIntegerField(_("cost"))
    currency = models.CharField(_("currency"), max_length=3, default=EUR)
    lines = models.JSONField(_("price lines"), default=list)
    at = models.DateTimeField(_("ended at"))

    objects = VehicleChargeQuerySet.as_manager()

    class Meta:
        verbose_name = _("charge of a vehicle")
        verbose_name_plural = _("charges of vehicles")
        indexes: ClassVar = [
            models.Index(fields=["organisation", "-at"], name="vehicle_charge_of_fleet"),
        ]

    def __str__(self) -> str:
        return f"{self.owner_ref} {format_money(self.cents, self.currency)}"

    @property
    def price_lines(self) -> list[PriceLine]:
        """What it is made of."""
        return [PriceLine.from_json(line) for line in self.lines]
