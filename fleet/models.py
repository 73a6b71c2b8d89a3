"""Register: the models of the fleet's features."""

from fleet.telematics import models as telematics
from fleet.vehicles import models as vehicles
from fleet.zones import models as zones

__all__ = ["telematics", "vehicles", "zones"]
