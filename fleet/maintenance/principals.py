"""In whose name maintenance acts by itself."""

from mobility.core.principals import system_principal

# Places and lifts the blocks that faults and checks ask for; staff's own blocks it leaves alone.
KEEPER = system_principal("maintenance")
ALARMS = system_principal("alarms")
