"""Building the rasters: cells that lie wholly in a zone answer at once, border cells test exactly.

Memory is bounded: cells start at about 45 m and double their side until there are few enough. A
zone as wide as a region would make them coarse for all, so such zones get a raster of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from fleet.zones.index import kernel
from fleet.zones.index.kernel import TILE_BITS, TILE_CELLS, Bytes, Grid, Ints, Longs, Slabs

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

E7 = 10_000_000
# 4,096 units of 1e-7 degrees: 46 m from south to north, 32 m from west to east in Milan.
SHIFT = 12
# 4 bytes a cell and as many an entry: 64 MB for a raster at the very most.
MOST_CELLS = 8_000_000
MOST_ENTRIES = 8_000_000
# Cells of the finest size in the box of a zone from which on it is wide: about 45 km square.
WIDE_CELLS = 1_000_000


@dataclass(frozen=True, slots=True)
class Raster:
    """Grid and slabs of some zones, see `kernel`; `rows` are their places among all."""

    grid: Grid
    slabs: Slabs
    rows: Ints

    @property
    def nbytes(self) -> int:
        """Memory of all arrays."""
        arrays = (*self.grid, *self.slabs, self.rows)
        return sum(array.nbytes for array in arrays if isinstance(array, np.ndarray))


@dataclass(frozen=True, slots=True)
class Box:
    """The cells of one zone: from the left column and bottom row, so many each way."""

    left: int
    bottom: int
    columns: int
    rows: int

    @property
    def cells(self) -> int:
        """How many."""
        return self.columns * self.rows


def build(shapes: Sequence[BaseGeometry]) -> list[Raster]:
    """One raster of `shapes` (areas in WGS 84 degrees), or two where some are wide."""
    edges = [edges_of(shape) for shape in shapes]
    wide = [_box(one, west=0, south=0, shift=SHIFT).cells > WIDE_CELLS for one in edges]
    groups = (
        [row for row, is_wide in enumerate(wide) if not is_wide],
        [row for row, is_wide in enumerate(wide) if is_wide],
    )
    return [_build([edges[row] for row in rows], rows) for rows in groups if rows]


def _build(edges: Sequence[Ints], rows: Sequence[int]) -> Raster:
    """A raster of some zones.

    1. Choose the finest cells that keep within the bounds of memory.
    2. Sort the edges into rows, paint each zone, and list the zones of each cell.
    """
    grid, boxes = _lay_grid(edges)
    slabs = _sort_edges(grid, edges, boxes)
    painted = []
    touched = np.zeros(grid.columns * grid.rows, np.int32)
    for zone, (lines, box) in enumerate(zip(edges, boxes, strict=True)):
        status: Bytes = np.zeros((box.rows, box.columns), np.uint8)
        kernel.paint(grid, slabs, zone, lines, box.left, status)
        kernel.touch_tiles(box.left, box.bottom, grid.columns, status, touched)
        painted.append(status)
    grid = _list_zones(grid, boxes, painted, touched)
    return Raster(grid=grid, slabs=slabs, rows=np.array(rows, np.int32))


def edges_of(shape: BaseGeometry) -> Ints:
    """All edges of an area, holes included, as rows of (x1, y1, x2, y2) in 1e-7 degrees.

    An area smaller than that is a single point, kept as an edge without length.
    """
    rings = shapely.get_rings(shapely.get_parts(shape))
    spots, ring = shapely.get_coordinates(rings, return_index=True)
    corners = np.rint(spots * E7).astype(np.int32)
    lines = np.concatenate((corners[:-1], corners[1:]), axis=1)
    real = (ring[:-1] == ring[1:]) & (lines[:, :2] != lines[:, 2:]).any(axis=1)
    return np.ascontiguousarray(lines[real] if real.any() else lines[:1])


def _lay_grid(edges: Sequence[Ints]) -> tuple[Grid, list[Box]]:
    lines = np.concatenate(edges).astype(np.int64)
    west, south = int(lines[:, 0::2].min()) - 1, int(lines[:, 1::2].min()) - 1
    east, north = int(lines[:, 0::2].max()) + 1, int(lines[:, 1::2].max()) + 1
    shift = SHIFT
    while True:
        boxes = [_box(one, west=west, south=south, shift=shift) for one in edges]
        side = shift + TILE_BITS
        columns, rows = ((east - west) >> side) + 1, ((north - south) >> side) + 1
        if _fits(boxes, columns=columns, rows=rows):
            break
        shift += 1
    grid = Grid(
        west=west,
        south=south,
        shift=shift,
        columns=columns,
        rows=rows,
        tiles=np.full(columns * rows, -1, np.int32),
        cells=np.zeros(1, np.int32),
        entries=np.zeros(0, np.int32),
    )
    return grid, boxes


def _box(lines: Ints, *, west: int, south: int, shift: int) -> Box:
    # A unit more each way, as `kernel.columns_in_row` and `rows_of_edges` round outwards.
    left = (int(lines[:, 0::2].min()) - 1 - west) >> shift
    right = (int(lines[:, 0::2].max()) + 1 - west) >> shift
    bottom = (int(lines[:, 1::2].min()) - 1 - south) >> shift
    top = (int(lines[:, 1::2].max()) + 1 - south) >> shift
    return Box(left, bottom, right - left + 1, top - bottom + 1)


def _fits(boxes: Sequence[Box], *, columns: int, rows: int) -> bool:
    """Whether tiles, cells and entries keep within their bounds."""
    if columns * rows > MOST_CELLS or sum(box.cells for box in boxes) > MOST_ENTRIES:
        return False
    near = np.zeros((rows, columns), np.bool_)
    for box in boxes:
        top, right = box.bottom + box.rows - 1, box.left + box.columns - 1
        near[
            box.bottom >> TILE_BITS : (top >> TILE_BITS) + 1,
            box.left >> TILE_BITS : (right >> TILE_BITS) + 1,
        ] = True
    return int(near.sum()) * TILE_CELLS <= MOST_CELLS


def _sort_edges(grid: Grid, edges: Sequence[Ints], boxes: Sequence[Box]) -> Slabs:
    height = np.array([box.rows for box in boxes], np.int32)
    first: Longs = np.concatenate(([0], np.cumsum(height[:-1], dtype=np.int64)))[: len(boxes)]
    counts: Longs = np.zeros(int(height.sum()), np.int64)
    for lines, box, start in zip(edges, boxes, first, strict=True):
        kernel.rows_of_edges(grid, lines, box.bottom, counts[start : start + box.rows])
    starts: Longs = np.concatenate(([0], np.cumsum(counts)))
    sorted_edges: Ints = np.zeros((int(starts[-1]), 4), np.int32)
    places = starts[:-1].copy()
    for lines, box, start in zip(edges, boxes, first, strict=True):
        kernel.sort_edges(grid, lines, box.bottom, places[start : start + box.rows], sorted_edges)
    return Slabs(
        bottom=np.array([box.bottom for box in boxes], np.int32),
        height=height,
        first=first,
        starts=starts,
        edges=sorted_edges,
    )


def _list_zones(grid: Grid, boxes: Sequence[Box], painted: Sequence[Bytes], touched: Ints) -> Grid:
    tiles = np.where(touched > 0, np.cumsum(touched) - 1, -1).astype(np.int32)
    grid = grid._replace(tiles=tiles)
    counts: Longs = np.zeros(int(touched.sum()) * TILE_CELLS, np.int64)
    for box, status in zip(boxes, painted, strict=True):
        kernel.count_cells(grid, box.left, box.bottom, status, counts)
    cells = np.concatenate(([0], np.cumsum(counts)))
    grid = grid._replace(cells=cells.astype(np.int32), entries=np.zeros(int(cells[-1]), np.int32))
    places = cells[:-1].copy()
    for zone, (box, status) in enumerate(zip(boxes, painted, strict=True)):
        kernel.enter_cells(grid, box.left, box.bottom, status, zone, places)
    return grid
