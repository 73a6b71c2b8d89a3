"""A street-like mesh: the Delaunay edges between the places the city publishes.

No street map is needed: 300 to 800 m between neighbours is what a real network looks like from
a vehicle's points, and routes bend and meet as they would on streets.
"""

import heapq
from collections import defaultdict

import shapely

from mobility.simulator.geometry import Place, distance_m

LONGEST_EDGE_M = 1_500.0
FEWEST_NODES = 8


class Streets:
    """Routes over a mesh of nodes; with too few nodes every route is one bend."""

    def __init__(self, nodes: list[Place]) -> None:
        self._nodes = sorted(set(nodes))
        self._edges = _mesh(self._nodes) if len(self._nodes) >= FEWEST_NODES else {}

    def route(self, start: Place, goal: Place) -> list[Place]:
        """Way points after ``start`` up to and with ``goal``; never longer than three times
        the direct way, because people do not ride such detours."""
        way = self._over_mesh(start, goal) if self._edges else [_bend(start, goal)]
        route = [*way, goal]
        if length_m(start, route) > 3 * distance_m(start, goal) + 200:
            return [goal]
        return route

    def _over_mesh(self, start: Place, goal: Place) -> list[Place]:
        enter = min(self._edges, key=lambda node: distance_m(start, node))
        leave = min(self._edges, key=lambda node: distance_m(goal, node))
        return _shortest(self._edges, enter, leave)


def length_m(start: Place, route: list[Place]) -> float:
    """Metres from ``start`` along ``route``."""
    total, here = 0.0, start
    for place in route:
        total += distance_m(here, place)
        here = place
    return total


def _bend(start: Place, goal: Place) -> Place:
    return Place(goal.lon, start.lat)


def _mesh(nodes: list[Place]) -> dict[Place, list[Place]]:
    lines = shapely.get_parts(
        shapely.delaunay_triangles(shapely.multipoints([tuple(n) for n in nodes]), only_edges=True)
    )
    edges: dict[Place, list[Place]] = defaultdict(list)
    for line in lines:
        a, b = (Place(*xy) for xy in line.coords)
        if distance_m(a, b) <= LONGEST_EDGE_M:
            edges[a].append(b)
            edges[b].append(a)
    return dict(edges)


def _shortest(edges: dict[Place, list[Place]], start: Place, goal: Place) -> list[Place]:
    """A* over the mesh; empty when the two ends are not connected."""
    came: dict[Place, Place | None] = {start: None}
    cost = {start: 0.0}
    queue = [(distance_m(start, goal), start)]
    while queue:
        _, here = heapq.heappop(queue)
        if here == goal:
            return _walk_back(came, goal)
        for there in edges[here]:
            total = cost[here] + distance_m(here, there)
            if total < cost.get(there, float("inf")):
                cost[there], came[there] = total, here
                heapq.heappush(queue, (total + distance_m(there, goal), there))
    return []


def _walk_back(came: dict[Place, Place | None], goal: Place) -> list[Place]:
    way: list[Place] = []
    here: Place | None = goal
    while here is not None:
        way.append(here)
        here = came[here]
    return way[::-1]
