"""Admin pages of bought charges, of the codes at connectors, and of vehicles' own charges."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from bookings.recharges.models import ConnectorCode, KeptConnector, Recharge, VehicleCharge
from mobility.accounts.scoped_admin import ReadOnly, ScopedAdmin
from mobility.accounts.states import Role

OPERATORS = frozenset({Role.CHARGE_POINT_OPERATOR})


@admin.register(Recharge)
class RechargeAdmin(ReadOnly, ScopedAdmin[Recharge]):
    """Charges at the operator's own chargers, whoever bought them."""

    viewers = OPERATORS
    list_display = (
        "requested_at",
        "connector",
        "state",
        "origin",
        "energy",
        "price_cents",
        "stop_reason",
        "stop_refused",
        "failure",
        "user",
    )
    list_filter = ("state", "origin", "stop_reason", "stop_refused")
    list_select_related = ("connector__evse__station", "user")
    search_fields = ("connector__evse__station__identity", "user__email", "public_id")
    date_hierarchy = "requested_at"

    @admin.display(description=_("energy"), ordering="energy_wh")
    def energy(self, recharge: Recharge) -> str:
        """Kilowatt-hours delivered."""
        return "–" if recharge.energy_wh is None else f"{recharge.energy_wh / 1000:.2f} kWh"


@admin.register(ConnectorCode)
class ConnectorCodeAdmin(ReadOnly, ScopedAdmin[ConnectorCode]):
    """What the stickers say; a new code comes from the API."""

    viewers = OPERATORS
    list_display = ("connector", "code", "issued_at", "valid_until")
    list_select_related = ("connector__evse__station",)
    search_fields = ("code", "connector__evse__station__identity")


@admin.register(KeptConnector)
class KeptConnectorAdmin(ReadOnly, ScopedAdmin[KeptConnector]):
    """Connectors kept for people on the way."""

    viewers = OPERATORS
    list_display = ("connector", "state", "charger_knows", "created_at", "until")
    list_filter = ("state",)
    list_select_related = ("connector__evse__station",)


@admin.register(VehicleCharge)
class VehicleChargeAdmin(ReadOnly, ScopedAdmin[VehicleCharge]):
    """What vehicles charged with their own tokens, for both sides of the bill."""

    viewers = frozenset({Role.CHARGE_POINT_OPERATOR, Role.FLEET_OPERATOR})
    list_display = ("at", "owner_ref", "organisation", "operator", "energy_wh", "cents")
    list_select_related = ("organisation", "operator")
    date_hierarchy = "at"
