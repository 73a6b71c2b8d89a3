"""Zones in memory: which zones cover a point, which a segment passes through, and what holds there.

    zones = index.current(at=at)
    points, rows = zones.locate(lon_e7, lat_e7)      # pairs, exact
    zones.zones[rows[0]].kind
    zones.rules_at(rows=(3, 17), subject=..., organisation_id=..., city_id=..., at=at)

`current` asks the database once for the versions in force and builds only when one has changed.
"""

from fleet.zones.index.loading import current, forget, jurisdictions
from fleet.zones.index.lookup import Pairs, ZoneIndex

__all__ = ["Pairs", "ZoneIndex", "current", "forget", "jurisdictions"]
