"""Admin pages of bought charges."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from bookings.recharges.models import Recharge
from mobility.accounts.scoped_admin import ScopedAdmin
from mobility.accounts.states import Role
from mobility.core.money import format_money


@admin.register(Recharge)
class RechargeAdmin(ScopedAdmin[Recharge]):
    """Charges bought by residents, at the operator's own chargers."""

    viewers = frozenset({Role.CHARGE_POINT_OPERATOR})
    list_display = ("requested_at", "connector", "state", "energy", "price", "failure", "user")
    list_filter = ("state",)
    list_select_related = ("connector__evse__station", "user")
    search_fields = ("connector__evse__station__identity", "user__email", "public_id")
    date_hierarchy = "requested_at"

    @admin.display(description=_("energy"), ordering="energy_wh")
    def energy(self, recharge: Recharge) -> str:
        """Kilowatt-hours delivered."""
        return "–" if recharge.energy_wh is None else f"{recharge.energy_wh / 1000:.2f} kWh"

    @admin.display(description=_("price"), ordering="price_cents")
    def price(self, recharge: Recharge) -> str:
        """The final price."""
        return "–" if recharge.price_cents is None else format_money(recharge.price_cents)
