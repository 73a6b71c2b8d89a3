"""Where vehicles went among the zones: crossings, presence, and who left the city.

Judged are live points of vehicles that somebody moves; what a receiver wanders while a vehicle
stands parked crosses nothing. Bays and no-parking zones are asked when a ride ends, not here.
"""

from fleet.telematics.services.crossings.batch import Followed, Moved, on_the_move
from fleet.telematics.services.crossings.follow import follow

__all__ = ["Followed", "Moved", "follow", "on_the_move"]
