"""Register: the models of this app's features."""

from charging.sessions import models as sessions
from charging.stations import models as stations
from charging.tariffs import models as tariffs

__all__ = ["sessions", "stations", "tariffs"]
