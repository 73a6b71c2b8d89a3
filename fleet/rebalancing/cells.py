"""The grid of demand: H3 cells of resolution 8, about 460 m from centre to corner."""

from __future__ import annotations

import h3.api.basic_int as h3
import numpy as np
from numpy.typing import NDArray

RESOLUTION = 8
# No cell: of a point that nobody knows.
NOWHERE = -1


def cell_at(*, lon: float, lat: float) -> int:
    """The cell of a point, as an integer that fits a signed bigint."""
    return int(h3.latlng_to_cell(lat, lon, RESOLUTION))


def cells_at(*, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.int64]:
    """The cells of many points, each different one looked up once; `NOWHERE` for what is not a
    number."""
    cells = np.full(lon.shape, NOWHERE, dtype=np.int64)
    known = ~(np.isnan(lon) | np.isnan(lat))
    points, which = np.unique(lon[known] + 1j * lat[known], return_inverse=True)
    found = [cell_at(lon=each.real, lat=each.imag) for each in points.tolist()]
    cells[known] = np.array(found, dtype=np.int64)[which]
    return cells


def centre_of(cell: int) -> tuple[float, float]:
    """Longitude and latitude of a cell's centre."""
    lat, lon = h3.cell_to_latlng(cell)
    return lon, lat


def parent_of(cell: int) -> int:
    """The coarser cell around it (seven times the area), whose level it falls back on."""
    return int(h3.cell_to_parent(cell, RESOLUTION - 1))
