"""Register: the models of the fleet's features."""

from fleet.rebalancing import models as rebalancing
from fleet.telematics import models as telematics
from fleet.vehicles import models as vehicles
from fleet.zones import models as zones

__all__ = ["rebalancing", "telematics", "vehicles", "zones"]
