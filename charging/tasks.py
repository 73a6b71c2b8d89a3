"""Register of the Celery tasks of this app's features."""

from charging.certificates import tasks as certificates
from charging.devices import tasks as devices
from charging.energy import tasks as energy
from charging.frames import tasks as frames
from charging.sessions import tasks as sessions
from charging.stations import tasks as stations
from charging.tickets import tasks as tickets

__all__ = ["certificates", "devices", "energy", "frames", "sessions", "stations", "tickets"]
