"""Where an offer is earned: in its cell, or at its hub, with what positions cannot tell."""

from __future__ import annotations

from itertools import pairwise

import h3.api.basic_int as h3

from fleet.rebalancing.cells import cell_at
from mobility.core.geo import haversine_m

# Positions are not better than this, and nobody sees where a cell ends.
TOLERANCE_M = 30.0
HUB_RADIUS_M = 100.0


def in_cell(*, cell: int, lon: float, lat: float) -> bool:
    """Whether a point lies in a cell, or so near to it that the position may be wrong."""
    if cell_at(lon=lon, lat=lat) == cell:
        return True
    return any(
        haversine_m(lon, lat, *near) <= TOLERANCE_M for near in _edge_points(cell, lon=lon, lat=lat)
    )


def at_place(*, cell: int, lon: float, lat: float, hub: tuple[float, float] | None = None) -> bool:
    """Whether a ride that ends at a point has ended where the offer asks for it: at its hub, if it
    names one, else anywhere in the cell."""
    if hub is not None:
        return haversine_m(lon, lat, *hub) <= HUB_RADIUS_M
    return in_cell(cell=cell, lon=lon, lat=lat)


def outline(cell: int) -> list[tuple[float, float]]:
    """The corners of a cell, longitude first, the first one repeated at the end."""
    corners = [(lon, lat) for lat, lon in h3.cell_to_boundary(cell)]
    return [*corners, corners[0]]


def _edge_points(cell: int, *, lon: float, lat: float) -> list[tuple[float, float]]:
    """The nearest point of every side, in the plane: over some hundred metres it is flat enough."""
    corners = outline(cell)
    return [_nearest_on(first, second, lon=lon, lat=lat) for first, second in pairwise(corners)]


def _nearest_on(
    first: tuple[float, float], second: tuple[float, float], *, lon: float, lat: float
) -> tuple[float, float]:
    across, up = second[0] - first[0], second[1] - first[1]
    length = across * across + up * up
    if length == 0.0:
        return first
    along = ((lon - first[0]) * across + (lat - first[1]) * up) / length
    along = min(1.0, max(0.0, along))
    return first[0] + along * across, first[1] + along * up
