"""Register: what the fleet's features do when others report a fact."""

from fleet.energy import handlers as energy
from fleet.maintenance import handlers as maintenance
from fleet.telematics import handlers as telematics
from fleet.vehicles import handlers as vehicles

__all__ = ["energy", "maintenance", "telematics", "vehicles"]
