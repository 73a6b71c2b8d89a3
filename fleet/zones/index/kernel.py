"""The compiled part of the zone index: which zones cover a point, which a segment passes through.

Everything is an integer of 1e-7 degrees, so every answer is exact: no rounding decides on which
side of a line a point lies. The border belongs to the zone. A product of two differences must fit
into 64 bits, which holds for zones up to 150 degrees wide.

Only arrays cross this border. All compiled code stands in this one file: numba's cache looks at the
file of the function that is called, and would run a stale copy of anything it calls in another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Compiled = TypeVar("Compiled", bound=Callable[..., object])
Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Bytes = NDArray[np.uint8]
Bools = NDArray[np.bool_]

compiled = cast(
    Callable[[Compiled], Compiled],
    numba.njit(cache=True, nogil=True, boundscheck=False, error_model="numpy"),
)

# numba reads it as the type, mypy as what it does.
wide = cast("Callable[[Any], int]", np.int64)

TILE_BITS = 6  # a tile is 64 by 64 cells
TILE_SIDE = 1 << TILE_BITS
TILE_CELLS = TILE_SIDE * TILE_SIDE
OUTSIDE, INSIDE, BORDER = 0, 1, 2


class Grid(NamedTuple):
    """Cells over all zones, kept only in tiles that any zone touches.

    `cells[number] : cells[number + 1]` are the entries of a cell: zone row times two, plus one
    where the zone's border passes through the cell.
    """

    west: int
    south: int
    shift: int
    columns: int  # of tiles
    rows: int
    tiles: Ints
    cells: Ints
    entries: Ints


class Slabs(NamedTuple):
    """The edges of every zone by row of cells: `edges` (x1, y1, x2, y2) of row `r` of zone `z` are
    `starts[first[z] + r - bottom[z]]` to the next. A long edge stands in each row it passes."""

    bottom: Ints
    height: Ints
    first: Longs
    starts: Longs
    edges: Ints


@compiled
def covers(slabs: Slabs, zone: int, row: int, x: int, y: int) -> bool:
    """Whether the zone covers the point, which lies in this row of cells: even-odd rule, exact.

    Even-odd makes holes and several polygons need no care. Touching any edge is inside.
    """
    slab = row - slabs.bottom[zone]
    if slab < 0 or slab >= slabs.height[zone]:
        return False
    inside = False
    number = slabs.first[zone] + slab
    for edge in range(slabs.starts[number], slabs.starts[number + 1]):
        y1 = wide(slabs.edges[edge, 1])
        y2 = wide(slabs.edges[edge, 3])
        if (y1 > y) == (y2 > y):
            if touches_level(slabs.edges[edge], x, y):
                return True
            continue
        x1 = wide(slabs.edges[edge, 0])
        x2 = wide(slabs.edges[edge, 2])
        turn = (x2 - x1) * (y - y1) - (x - x1) * (y2 - y1)
        if turn == 0:
            return True
        if (turn > 0) == (y2 > y1):
            inside = not inside
    return inside


@compiled
def touches_level(edge: Ints, x: int, y: int) -> bool:
    """Whether an edge that lies below or on the level of the point has the point on it."""
    x1, y1, x2, y2 = edge[0], edge[1], edge[2], edge[3]
    if y1 == y and y2 == y:
        return bool(min(x1, x2) <= x <= max(x1, x2))
    return bool((y1 == y and x1 == x) or (y2 == y and x2 == x))


@compiled
def cell_number(grid: Grid, column: int, row: int) -> int:
    """Where the cell stands in `grid.cells`; -1 where no zone is near."""
    across, up = column >> TILE_BITS, row >> TILE_BITS
    if across < 0 or up < 0 or across >= grid.columns or up >= grid.rows:
        return -1
    tile = wide(grid.tiles[up * grid.columns + across])
    if tile < 0:
        return -1
    mask = TILE_SIDE - 1
    return tile * TILE_CELLS + ((row & mask) << TILE_BITS) + (column & mask)


@compiled
def locate(grid: Grid, slabs: Slabs, lon: Ints, lat: Ints, point_of: Longs, zone_of: Ints) -> int:
    """Write the pairs (point, zone row) as far as there is room; return how many there are."""
    found = 0
    for point in range(lon.size):
        x, y = wide(lon[point]), wide(lat[point])
        row = (y - grid.south) >> grid.shift
        cell = cell_number(grid, (x - grid.west) >> grid.shift, row)
        if cell < 0:
            continue
        for number in range(grid.cells[cell], grid.cells[cell + 1]):
            entry = grid.entries[number]
            zone = entry >> 1
            if (entry & 1) == 1 and not covers(slabs, zone, row, x, y):
                continue
            if found < point_of.size:
                point_of[found] = point
                zone_of[found] = zone
            found += 1
    return found


@compiled
def crossed(
    grid: Grid,
    slabs: Slabs,
    wanted: Bools,
    lon0: Ints,
    lat0: Ints,
    lon1: Ints,
    lat1: Ints,
    segment_of: Longs,
    zone_of: Ints,
) -> int:
    """Write the pairs (segment, wanted zone row) as far as there is room; return how many there are."""
    found = 0
    asked = np.full(slabs.bottom.size, -1, np.int64)
    segment = np.zeros(4, np.int64)
    for number in range(lon0.size):
        segment[0], segment[1] = lon0[number], lat0[number]
        segment[2], segment[3] = lon1[number], lat1[number]
        start = found
        bottom = max((min(segment[1], segment[3]) - grid.south) >> grid.shift, 0)
        top = min(
            (max(segment[1], segment[3]) - grid.south) >> grid.shift,
            (grid.rows << TILE_BITS) - 1,
        )
        for row in range(bottom, top + 1):
            found = cross_row(
                grid, slabs, wanted, row, number, segment, asked, segment_of, zone_of, found
            )
        if found <= segment_of.size:
            zone_of[start:found].sort()
    return found


@compiled
def cross_row(
    grid: Grid,
    slabs: Slabs,
    wanted: Bools,
    row: int,
    number: int,
    segment: Longs,
    asked: Longs,
    segment_of: Longs,
    zone_of: Ints,
    found: int,
) -> int:
    """Try the zones of the cells that a segment touches in one row; each zone once a segment."""
    x1, y1, x2, y2 = segment[0], segment[1], segment[2], segment[3]
    left, right = columns_in_row(grid, row, x1, y1, x2, y2)
    for column in range(max(left, 0), min(right, (grid.columns << TILE_BITS) - 1) + 1):
        cell = cell_number(grid, column, row)
        if cell < 0:
            continue
        for place in range(grid.cells[cell], grid.cells[cell + 1]):
            zone = grid.entries[place] >> 1
            if not wanted[zone] or asked[zone] == number:
                continue
            asked[zone] = number
            if not passes_through(grid, slabs, zone, x1, y1, x2, y2):
                continue
            if found < segment_of.size:
                segment_of[found] = number
                zone_of[found] = zone
            found += 1
    return found


@compiled
def passes_through(grid: Grid, slabs: Slabs, zone: int, x1: int, y1: int, x2: int, y2: int) -> bool:
    """Whether a segment begins in the zone or meets one of its edges; touching counts."""
    if covers(slabs, zone, (y1 - grid.south) >> grid.shift, x1, y1):
        return True
    lowest = ((min(y1, y2) - grid.south) >> grid.shift) - slabs.bottom[zone]
    highest = ((max(y1, y2) - grid.south) >> grid.shift) - slabs.bottom[zone]
    first = slabs.first[zone]
    for slab in range(max(lowest, 0), min(highest, slabs.height[zone] - 1) + 1):
        for number in range(slabs.starts[first + slab], slabs.starts[first + slab + 1]):
            if meet(slabs.edges[number], x1, y1, x2, y2):
                return True
    return False


@compiled
def meet(edge: Ints, x1: int, y1: int, x2: int, y2: int) -> bool:
    """Whether an edge and a segment share a point."""
    x3, y3 = wide(edge[0]), wide(edge[1])
    x4, y4 = wide(edge[2]), wide(edge[3])
    if max(x3, x4) < min(x1, x2) or min(x3, x4) > max(x1, x2):
        return False
    if max(y3, y4) < min(y1, y2) or min(y3, y4) > max(y1, y2):
        return False
    # The boxes meet; so do the segments, unless one lies wholly on one side of the other's line.
    side3 = (x2 - x1) * (y3 - y1) - (y2 - y1) * (x3 - x1)
    side4 = (x2 - x1) * (y4 - y1) - (y2 - y1) * (x4 - x1)
    if (side3 > 0 and side4 > 0) or (side3 < 0 and side4 < 0):
        return False
    side1 = (x4 - x3) * (y1 - y3) - (y4 - y3) * (x1 - x3)
    side2 = (x4 - x3) * (y2 - y3) - (y4 - y3) * (x2 - x3)
    return not ((side1 > 0 and side2 > 0) or (side1 < 0 and side2 < 0))


@compiled
def columns_in_row(grid: Grid, row: int, x1: int, y1: int, x2: int, y2: int) -> tuple[int, int]:
    """The first and last column that a segment touches in a row of cells, or one more each side.

    Rounded outwards by a unit of 1e-7 degrees: a cell too many costs a test, one too few an answer.
    """
    low, high = min(x1, x2), max(x1, x2)
    if y1 != y2:
        bottom = grid.south + (wide(row) << grid.shift)
        top = bottom + (wide(1) << grid.shift)
        slope = (x2 - x1) / (y2 - y1)
        below, above = min(y1, y2), max(y1, y2)
        at_bottom = x1 + slope * (min(max(bottom, below), above) - y1)
        at_top = x1 + slope * (max(min(top, above), below) - y1)
        low = max(low, wide(np.floor(min(at_bottom, at_top))))
        high = min(high, wide(np.ceil(max(at_bottom, at_top))))
    return (low - 1 - grid.west) >> grid.shift, (high + 1 - grid.west) >> grid.shift


@compiled
def rows_of_edges(grid: Grid, edges: Ints, bottom: int, counts: Longs) -> None:
    """Count the edges in each row of cells from `bottom` on; an edge on a line is in both rows."""
    for number in range(edges.shape[0]):
        low = min(edges[number, 1], edges[number, 3])
        high = max(edges[number, 1], edges[number, 3])
        for row in range(
            (low - 1 - grid.south) >> grid.shift, ((high - grid.south) >> grid.shift) + 1
        ):
            if 0 <= row - bottom < counts.size:
                counts[row - bottom] += 1


@compiled
def sort_edges(grid: Grid, edges: Ints, bottom: int, places: Longs, sorted_edges: Ints) -> None:
    """Copy each edge into every row that `rows_of_edges` counted it in."""
    for number in range(edges.shape[0]):
        low = min(edges[number, 1], edges[number, 3])
        high = max(edges[number, 1], edges[number, 3])
        for row in range(
            (low - 1 - grid.south) >> grid.shift, ((high - grid.south) >> grid.shift) + 1
        ):
            slab = row - bottom
            if 0 <= slab < places.size:
                sorted_edges[places[slab]] = edges[number]
                places[slab] += 1


@compiled
def paint(grid: Grid, slabs: Slabs, zone: int, edges: Ints, left: int, status: Bytes) -> None:
    """Tell for each cell of a zone's box whether it lies outside, inside or on the border.

    Cells of a row that no edge touches, side by side, have the same answer: one test for each run.
    """
    bottom = slabs.bottom[zone]
    for number in range(edges.shape[0]):
        x1, y1 = wide(edges[number, 0]), wide(edges[number, 1])
        x2, y2 = wide(edges[number, 2]), wide(edges[number, 3])
        low = ((min(y1, y2) - 1 - grid.south) >> grid.shift) - bottom
        high = ((max(y1, y2) - grid.south) >> grid.shift) - bottom
        for row in range(max(low, 0), min(high, status.shape[0] - 1) + 1):
            first, last = columns_in_row(grid, row + bottom, x1, y1, x2, y2)
            for column in range(max(first - left, 0), min(last - left, status.shape[1] - 1) + 1):
                status[row, column] = BORDER
    for row in range(status.shape[0]):
        y = grid.south + (wide(row + bottom) << grid.shift)
        known = -1
        for column in range(status.shape[1]):
            if status[row, column] == BORDER:
                known = -1
                continue
            if known < 0:
                x = grid.west + (wide(column + left) << grid.shift)
                known = INSIDE if covers(slabs, zone, row + bottom, x, y) else OUTSIDE
            status[row, column] = known


@compiled
def touch_tiles(left: int, bottom: int, columns: int, status: Bytes, touched: Ints) -> None:
    """Mark the tiles in which a zone has any cell."""
    for row in range(status.shape[0]):
        for column in range(status.shape[1]):
            if status[row, column] != OUTSIDE:
                up, across = (row + bottom) >> TILE_BITS, (column + left) >> TILE_BITS
                touched[up * columns + across] = 1


@compiled
def count_cells(grid: Grid, left: int, bottom: int, status: Bytes, counts: Longs) -> None:
    """Count one more zone in each of its cells."""
    for row in range(status.shape[0]):
        for column in range(status.shape[1]):
            if status[row, column] != OUTSIDE:
                counts[cell_number(grid, column + left, row + bottom)] += 1


@compiled
def enter_cells(
    grid: Grid, left: int, bottom: int, status: Bytes, zone: int, places: Longs
) -> None:
    """Write a zone into each of its cells, behind the zones before it."""
    for row in range(status.shape[0]):
        for column in range(status.shape[1]):
            kind = status[row, column]
            if kind != OUTSIDE:
                cell = cell_number(grid, column + left, row + bottom)
                grid.entries[places[cell]] = (zone << 1) | (kind == BORDER)
                places[cell] += 1
