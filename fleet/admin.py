"""Register of the admin pages of this app's features."""

from fleet.incentives import admin as incentives_admin
from fleet.maintenance import admin as maintenance_admin
from fleet.rebalancing import admin as rebalancing_admin
from fleet.rebalancing import travel_admin
from fleet.telematics import admin as telematics_admin
from fleet.telematics import device_admin
from fleet.vans import admin as vans_admin
from fleet.vehicles import admin as vehicles_admin
from fleet.zones import admin as zones_admin

__all__ = [
    "device_admin",
    "incentives_admin",
    "maintenance_admin",
    "rebalancing_admin",
    "telematics_admin",
    "travel_admin",
    "vans_admin",
    "vehicles_admin",
    "zones_admin",
]
