"""Register: the models of the fleet's features."""

from fleet.energy import models as energy
from fleet.incentives import models as incentives
from fleet.maintenance import models as maintenance
from fleet.rebalancing import models as rebalancing
from fleet.telematics import models as telematics
from fleet.vans import models as vans
from fleet.vehicles import models as vehicles
from fleet.zones import models as zones

__all__ = [
    "energy",
    "incentives",
    "maintenance",
    "rebalancing",
    "telematics",
    "vans",
    "vehicles",
    "zones",
]
