"""Register of the event handlers of this app's features."""

from charging.certificates import handlers as certificates
from charging.devices import handlers as devices
from charging.energy import handlers as energy
from charging.sessions import handlers as sessions
from charging.stations import handlers as stations
from charging.tickets import handlers as tickets

__all__ = ["certificates", "devices", "energy", "sessions", "stations", "tickets"]
