"""Register of the admin pages of this app's features."""

from charging.certificates import admin as certificates
from charging.desk import admin as desk
from charging.devices import admin as devices
from charging.energy import admin as energy
from charging.frames import admin as frames
from charging.sessions import admin as sessions
from charging.statements import admin as statements
from charging.stations import admin as stations
from charging.tariffs import admin as tariffs
from charging.tickets import admin as tickets

__all__ = [
    "certificates",
    "desk",
    "devices",
    "energy",
    "frames",
    "sessions",
    "statements",
    "stations",
    "tariffs",
    "tickets",
]
