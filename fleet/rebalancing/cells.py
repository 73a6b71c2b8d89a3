"""The grid of demand: H3 cells of resolution 8, about 460 m from centre to corner."""

from __future__ import annotations

import h3.api.basic_int as h3

RESOLUTION = 8


def cell_at(*, lon: float, lat: float) -> int:
    """The cell of a point, as an integer that fits a signed bigint."""
    return int(h3.latlng_to_cell(lat, lon, RESOLUTION))


def centre_of(cell: int) -> tuple[float, float]:
    """Longitude and latitude of a cell's centre."""
    lat, lon = h3.cell_to_latlng(cell)
    return lon, lat


def parent_of(cell: int) -> int:
    """The coarser cell around it (seven times the area), whose level it falls back on."""
    return int(h3.cell_to_parent(cell, RESOLUTION - 1))
