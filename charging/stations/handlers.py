"""What stations do when commands to them end, in the same transaction."""

from __future__ import annotations

from charging.stations.followers import follow
from charging.stations.services.availability import note_availability
from charging.stations.states import CommandAction

follow([CommandAction.CHANGE_AVAILABILITY], finished=note_availability)
