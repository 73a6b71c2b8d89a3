"""From the log into the tables: whole batches, one transaction each, once whatever is killed when.

For a batch of log entries:
1. Leave out entries at or below the stored offset: a predecessor stored them and died before it
   could acknowledge them (`loop`).
2. Find the vehicle in which each device sat at each point's own time; put aside what cannot be
   true; sort the others and drop repetitions (`intake`).
3. Split them by what is already stored of their vehicle (`known`): fresh ones are written without
   looking, late ones are compared. Late points never touch the latest state.
4. Leave fixes out of account that cannot be believed, write the latest state, and what follows
   from it: vehicles heard again, batteries, crossings of zones, speed limits, alarms (`batch`).
5. Write the offset, commit, and only then acknowledge and trim the log (`loop`).
"""

from fleet.telematics.services.drain.batch import Drained
from fleet.telematics.services.drain.loop import drain, drain_all, store_entries

__all__ = ["Drained", "drain", "drain_all", "store_entries"]
