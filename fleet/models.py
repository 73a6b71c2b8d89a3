"""Register: the models of the fleet's features."""

from fleet.maintenance import models as maintenance
from fleet.rebalancing import models as rebalancing
from fleet.telematics import models as telematics
from fleet.vehicles import models as vehicles
from fleet.zones import models as zones

__all__ = ["maintenance", "rebalancing", "telematics", "vehicles", "zones"]
