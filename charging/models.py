"""Register: the models of this app's features."""

from charging.certificates import models as certificates
from charging.frames import models as frames
from charging.sessions import models as sessions
from charging.stations import models as stations
from charging.tariffs import models as tariffs

__all__ = ["certificates", "frames", "sessions", "stations", "tariffs"]
