"""Register: the models of this app's features."""

from charging.certificates import models as certificates
from charging.devices import models as devices
from charging.energy import models as energy
from charging.frames import models as frames
from charging.sessions import models as sessions
from charging.stations import models as stations
from charging.tariffs import models as tariffs
from charging.tickets import models as tickets

__all__ = [
    "certificates",
    "devices",
    "energy",
    "frames",
    "sessions",
    "stations",
    "tariffs",
    "tickets",
]
