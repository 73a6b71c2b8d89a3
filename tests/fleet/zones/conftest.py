"""Rules on the map of Milan, as people know them."""

import datetime

from tests.fleet.zones.drawing import START, Box, MakeZone

__all__ = ["AT", "OPERATING", "START", "Box", "MakeZone"]

AT = datetime.datetime(2026, 5, 4, 12, 0, tzinfo=datetime.UTC)

# Around Porta Romana. Here 0.0001 degrees are 7.8 m from west to east and 11.1 m from south to north.
OPERATING: Box = (9.18, 45.44, 9.22, 45.46)
