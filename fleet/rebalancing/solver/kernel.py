"""Ruin and recreate for one-commodity (or few-commodity) pick-up and delivery, compiled by numba.

Sources: the search is SISR, "slack induction by string removals" (Christiaens and Vanden Berghe,
Transportation Science 54(2), 2020), re-derived for signed loads. The load test uses prefix and
suffix extremes of the running load, which decide in O(1) whether some start load carries a route
(cf. Hernandez-Perez and Salazar-Gonzalez 2004 for one commodity). Capacity and shift are soft with
adaptive penalties, because single insertions rarely see that a pick-up enables a later drop.
Between two ruins a few arcs are changed at random among near stops: a part of a route is turned
(2-opt) or swapped with its neighbour (or-opt), parts or the rests of two routes are swapped (2-opt*,
cross exchange; cf. Savelsbergh, ORSA Journal on Computing 4(2), 1992). Where the load is tight these
keep long parts, which carry themselves, whole; a string of ten stops that is put in one by one does not.
Where stops or depots have hours, being late is paid as time warp (Nagata, Braysy and Dullaert,
Computers & Operations Research 37, 2010), and the latest punctual arrival at each stop, which holds
for several windows too, keeps an insertion O(1).

Only arrays cross this border, so that the file can be exchanged for a C extension; it releases the
GIL. All compiled code stands in this one file: numba's cache looks at the file of the function that
is called, and would run a stale copy of anything it calls in another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba
import numpy as np

from fleet.rebalancing.solver.arrays import State, Task, Totals
from fleet.rebalancing.solver.problem import Floats, Ints

Compiled = TypeVar("Compiled", bound=Callable[..., object])

compiled = cast(
    Callable[[Compiled], Compiled],
    numba.njit(cache=True, nogil=True, boundscheck=False, error_model="numpy"),
)

STRING = 10.0  # SISR: average number of stops removed
LONGEST = 10.0  # SISR: longest string
BLINK = 0.01  # SISR: share of positions overlooked
EXTRA = 12  # unserved stops near the seed that are offered again
NEAR = 16  # stops by distance, itself first, with which a stop may be rejoined
REJOINS = 10  # tries of each round
NO_ROUTE = -1
ROUNDING = 1e-7


@compiled
def seed_random(seed: int) -> None:
    """Numba keeps one generator per thread."""
    np.random.seed(seed)


@compiled
def excess_of(task: Task, van: int, peak: int, low: Ints) -> int:
    """Vehicles by which the route overflows or underruns at its best start load."""
    aboard = 0
    over = 0
    for kind in range(low.size):
        given = task.start_load[kind, van]
        if given < 0:
            aboard -= low[kind] * task.room[kind, van]
        else:
            aboard += given * task.room[kind, van]
            over += max(0, -low[kind] - given)
    over += max(0, int(aboard + peak - task.capacity[van]))
    return over


@compiled
def begin_of(task: Task, stop: int, now: float) -> float:
    """When service begins for who comes at `now`; before `now` for who comes too late."""
    first, behind = task.first_window[stop], task.first_window[stop + 1]
    if first == behind:
        return now
    for at in range(first, behind):
        if now <= task.closes[at]:
            return max(now, float(task.opens[at]))
    return float(task.closes[behind - 1])


@compiled
def latest_of(task: Task, stop: int, limit: float) -> float:
    """The latest arrival whose service begins by `limit`, or the first opening when there is none."""
    first, behind = task.first_window[stop], task.first_window[stop + 1]
    if first == behind:
        return limit
    for at in range(behind - 1, first - 1, -1):
        if task.opens[at] <= limit:
            return min(float(task.closes[at]), limit)
    return float(task.opens[first])


@compiled
def reschedule(task: Task, state: State, van: int) -> None:
    """Recompute when the van is where, by how much it is late, and how late it may be."""
    size, end = state.size[van], task.end_node[van]
    last = task.start_node[van]
    now, late = task.begins[van], 0.0
    state.leaves[van, 0] = now
    state.late_before[van, 0] = 0.0
    for i in range(size):
        stop = state.stops[van, i]
        now += task.minutes[last, stop]
        begin = begin_of(task, stop, now)
        late += max(0.0, now - begin)
        now = begin + task.service[stop]
        state.leaves[van, i + 1] = now
        state.late_before[van, i + 1] = late
        last = stop
    if size > 0 or task.at_rest[van] == 0:
        late += max(0.0, now + task.minutes[last, end] - task.ends[van])
    state.over[van] = late
    state.latest[van, size] = task.ends[van]
    state.late_after[van, size] = 0.0
    following = end
    for i in range(size - 1, -1, -1):
        stop = state.stops[van, i]
        limit = state.latest[van, i + 1] - task.minutes[stop, following] - task.service[stop]
        latest = latest_of(task, stop, limit)
        state.latest[van, i] = latest
        state.late_after[van, i] = state.late_after[van, i + 1] + max(0.0, latest - limit)
        following = stop


@compiled
def reckon_time(task: Task, state: State, van: int, last: int, length: float) -> None:
    """Drive home from the last stop; the minutes of the route, and how many are too many."""
    home = 0.0
    if state.size[van] > 0 or task.at_rest[van] == 0:
        home = task.minutes[last, task.end_node[van]]
    length += home
    state.arc[van, state.size[van]] = home
    state.length[van] = length
    if task.limits[2] > 0.0:
        reschedule(task, state, van)
    else:
        state.over[van] = max(0.0, length - task.shift[van])


@compiled
def rebuild(task: Task, state: State, van: int) -> None:
    """Recompute every sum of one route."""
    size = state.size[van]
    kinds = state.low_before.shape[0]
    length = task.spent_minutes[van]
    prize = 0.0
    packs = task.spent_packs[van]
    last = task.start_node[van]
    total = 0
    state.peak_before[van, 0] = state.peak_after[van, 0] = 0
    for kind in range(kinds):
        state.low_before[kind, van, 0] = state.low_after[kind, van, 0] = 0
    for i in range(size):
        stop = state.stops[van, i]
        state.route_of[stop] = van
        state.place_of[stop] = i
        arc = task.minutes[last, stop]
        state.arc[van, i] = arc
        length += arc + task.service[stop]
        prize += task.prize[stop]
        packs += task.packs[stop]
        change = task.change[stop]
        total += change * task.room[task.commodity[stop], van]
        state.peak_before[van, i + 1] = max(state.peak_before[van, i], total)
        state.peak_after[van, i + 1] = total
        for kind in range(kinds):
            load = state.low_after[kind, van, i]
            if kind == task.commodity[stop]:
                load += change
            state.low_before[kind, van, i + 1] = min(state.low_before[kind, van, i], load)
            state.low_after[kind, van, i + 1] = load
        last = stop
    for i in range(size - 1, -1, -1):
        state.peak_after[van, i] = max(state.peak_after[van, i], state.peak_after[van, i + 1])
        for kind in range(kinds):
            state.low_after[kind, van, i] = min(
                state.low_after[kind, van, i], state.low_after[kind, van, i + 1]
            )
    reckon_time(task, state, van, last, length)
    state.raw[van] = (state.length[van] - task.spent_minutes[van]) * task.limits[0] - prize
    state.packs[van] = packs
    state.excess[van] = excess_of(
        task, van, state.peak_before[van, size], state.low_before[:, van, size]
    )


@compiled
def copy_stops(source: Ints, target: Ints, van: int, size: int) -> None:
    """Copy a route; a slice would do, at two more seconds of compilation."""
    for i in range(size):
        target[van, i] = source[van, i]


@compiled
def touch(state: State, totals: Totals, van: int) -> None:
    """Keep a copy of the route before its first change, and take it out of the sums."""
    if state.touched[van] == 1:
        return
    state.touched[van] = 1
    size = state.size[van]
    state.old_size[van] = size
    copy_stops(state.stops, state.old_stops, van, size)
    totals.current[0] -= state.raw[van]
    totals.current[1] -= state.excess[van]
    totals.current[2] -= state.over[van]


@compiled
def add_to_totals(state: State, totals: Totals, van: int) -> None:
    """Put a route back into the sums."""
    totals.current[0] += state.raw[van]
    totals.current[1] += state.excess[van]
    totals.current[2] += state.over[van]


@compiled
def take_out(
    task: Task, state: State, van: int, first: int, count: int, kept: int, out: Ints, used: int
) -> int:
    """Remove `count` stops of the `count + kept` from `first`, sparing `kept` in a random middle
    and those that are fixed."""
    spare_from = first + (np.random.randint(1, count) if kept > 0 and count > 1 else count)
    size = state.size[van]
    write = first
    for i in range(first, size):
        stop = state.stops[van, i]
        inside = i < first + count + kept
        spared = inside and spare_from <= i < spare_from + kept
        if inside and not spared and task.fixed[stop] == 0:
            out[used] = stop
            used += 1
            state.route_of[stop] = NO_ROUTE
        else:
            state.stops[van, write] = stop
            write += 1
    state.size[van] = write
    return used


@compiled
def remove_string(task: Task, state: State, stop: int, longest: float, out: Ints, used: int) -> int:
    """Remove a string of random length around a stop from its route, half the time split in two."""
    van = state.route_of[stop]
    size = state.size[van]
    count = min(size, int(np.random.random() * min(float(size), longest) + 1.0))
    kept = 0
    if 1 < count < size and np.random.random() < 0.5:
        kept = 1
        while count + kept < size and np.random.random() < 0.01:
            kept += 1
    place = state.place_of[stop]
    lowest = max(0, place - count - kept + 1)
    highest = min(place, size - count - kept)
    first = np.random.randint(lowest, highest + 1)
    used = take_out(task, state, van, first, count, kept, out, used)
    rebuild(task, state, van)
    return used


@compiled
def ruin(task: Task, state: State, totals: Totals, out: Ints) -> tuple[int, int]:
    """Remove strings of stops near a random seed; answer the seed and how many were removed."""
    seed = np.random.randint(1, int(task.limits[3]))
    used = 0
    served = 0
    routes = 0
    for van in range(state.size.size):
        served += state.size[van]
        routes += min(1, state.size[van])
    if served == 0:
        return seed, used
    longest = min(LONGEST, served / routes)
    strings = int(np.random.random() * (4.0 * STRING / (1.0 + longest) - 1.0) + 1.0)
    for at in range(task.near.shape[1]):
        if strings == 0:
            break
        stop = task.near[seed, at]
        van = state.route_of[stop]
        if van == NO_ROUTE or state.touched[van] == 1:
            continue
        touch(state, totals, van)
        used = remove_string(task, state, stop, longest, out, used)
        strings -= 1
    return seed, used


@compiled
def offer_unserved(task: Task, state: State, seed: int, out: Ints, used: int) -> int:
    """Add up to EXTRA stops near the seed that no van serves."""
    removed = used
    for at in range(task.near.shape[1]):
        if used - removed >= EXTRA:
            break
        stop = task.near[seed, at]
        if state.route_of[stop] != NO_ROUTE:
            continue
        known = False
        for i in range(removed):
            known = known or out[i] == stop
        if not known:
            out[used] = stop
            used += 1
    return used


@compiled
def sort_key(task: Task, stop: int, order: int) -> float:
    """The four orders of insertion: random, large first, far first (or dear first), near first."""
    if order == 0:
        return np.random.random()
    if order == 1:
        return -float(abs(task.change[stop])) + 0.01 * np.random.random()
    far = float(task.minutes[0, stop])
    if order == 3:
        return far
    if task.limits[1] > 0.0:
        return -far
    return -float(task.prize[stop]) / (float(task.service[stop]) + 1.0)


@compiled
def sort_out(task: Task, out: Ints, used: int) -> None:
    """Insertion sort by one of the orders, drawn 4:4:2:1."""
    draw = np.random.randint(0, 11)
    order = 0 if draw < 4 else (1 if draw < 8 else (2 if draw < 10 else 3))
    keys = np.empty(used)
    for i in range(used):
        keys[i] = sort_key(task, out[i], order)
    for i in range(1, used):
        key, stop, j = keys[i], out[i], i - 1
        while j >= 0 and keys[j] > key:
            keys[j + 1] = keys[j]
            out[j + 1] = out[j]
            j -= 1
        keys[j + 1] = key
        out[j + 1] = stop


@compiled
def draw_blink() -> int:
    """Positions until the next one that is overlooked (geometric; cheaper than a draw for each)."""
    return int(np.log(np.random.random()) / np.log(1.0 - BLINK))


@compiled
def others_aboard(task: Task, state: State, van: int, kind: int) -> tuple[int, int]:
    """Start load of all other commodities of a route, and by how much they underrun."""
    aboard = 0
    under = 0
    for other in range(state.low_before.shape[0]):
        if other != kind:
            low = state.low_before[other, van, state.size[van]]
            given = task.start_load[other, van]
            if given < 0:
                aboard -= low * task.room[other, van]
            else:
                aboard += given * task.room[other, van]
                under += max(0, -low - given)
    return aboard, under


@compiled
def late_with(
    task: Task, state: State, stop: int, van: int, at: int, there: float, onwards: float
) -> float:
    """Minutes late of a route, hours counting, with a stop put in at a position."""
    arrives = state.leaves[van, at] + there
    begin = begin_of(task, stop, arrives)
    late = max(0.0, arrives - begin)
    late += max(0.0, begin + task.service[stop] + onwards - state.latest[van, at])
    return float(late + state.late_before[van, at] + state.late_after[van, at])


@compiled
def best_in_route(
    task: Task, state: State, stop: int, van: int, penalties: Floats, until_blink: int
) -> tuple[int, float, int]:
    """Position and cost of the cheapest insertion into one route, and the blink countdown.

    The cost leaves out the service at the stop, which is the same everywhere.
    """
    money, timed = task.limits[0], task.limits[2] > 0.0
    kind, change = task.commodity[stop], task.change[stop]
    capacity, room = task.capacity[van], task.room[kind, van]
    aboard, under = others_aboard(task, state, van, kind)
    given = task.start_load[kind, van]
    size = state.size[van]
    length = state.length[van] + task.service[stop] - task.shift[van]
    before = penalties[0] * state.excess[van] + penalties[1] * state.over[van]
    best, best_at = np.inf, 0
    last = task.start_node[van]
    towards, away = task.minutes_to[stop], task.minutes[stop]
    stops, arcs = state.stops[van], state.arc[van]
    for at in range(size + 1):
        following = stops[at] if at < size else task.end_node[van]
        there, onwards = towards[last], away[following]
        detour = there + onwards - arcs[at]
        last = following
        until_blink -= 1
        if until_blink < 0:
            until_blink = draw_blink()
            continue
        if detour * money >= best:
            continue
        peak = max(state.peak_before[van, at], state.peak_after[van, at] + change * room)
        low = min(state.low_before[kind, van, at], state.low_after[kind, van, at] + change)
        start = -low if given < 0 else given
        over = under + max(0, -low - start) + max(0, aboard + start * room + peak - capacity)
        late = max(0.0, length + detour)
        if timed:
            late = late_with(task, state, stop, van, at, there, onwards)
        cost = detour * money + penalties[0] * over + penalties[1] * late
        if cost < best:
            best, best_at = cost, at
    return best_at, best - before, until_blink


@compiled
def best_place(task: Task, state: State, stop: int, penalties: Floats) -> tuple[int, int, float]:
    """Van, position and cost of the cheapest insertion over all vans, blinks aside."""
    best, best_van, best_at = np.inf, NO_ROUTE, 0
    empty_seen = -1
    until_blink = draw_blink()
    for van in range(state.size.size):
        if state.size[van] == 0:
            # Vans that are alike are alike while empty.
            if empty_seen == task.alike[van]:
                continue
            empty_seen = task.alike[van]
        if state.packs[van] + task.packs[stop] > task.pack_capacity[van]:
            continue
        at, cost, until_blink = best_in_route(task, state, stop, van, penalties, until_blink)
        if cost < best:
            best, best_van, best_at = cost, van, at
    return best_van, best_at, best + task.service[stop] * task.limits[0]


@compiled
def recreate(
    task: Task, state: State, totals: Totals, penalties: Floats, heat: float, out: Ints, used: int
) -> None:
    """Insert each stop where it is cheapest, if it pays, or nearly so while it is still hot."""
    for i in range(used):
        stop = out[i]
        van, at, cost = best_place(task, state, stop, penalties)
        hope = -heat * np.log(np.random.random())
        if van == NO_ROUTE or cost >= task.prize[stop] + hope:
            continue
        touch(state, totals, van)
        for j in range(state.size[van], at, -1):
            state.stops[van, j] = state.stops[van, j - 1]
        state.stops[van, at] = stop
        state.size[van] += 1
        rebuild(task, state, van)


@compiled
def restore(task: Task, state: State) -> None:
    """Undo every touched route."""
    for van in range(state.size.size):
        if state.touched[van] == 1:
            for i in range(state.size[van]):
                state.route_of[state.stops[van, i]] = NO_ROUTE
    for van in range(state.size.size):
        if state.touched[van] == 1:
            size = state.old_size[van]
            state.size[van] = size
            copy_stops(state.old_stops, state.stops, van, size)
            rebuild(task, state, van)


@compiled
def recount(task: Task, state: State, totals: Totals) -> None:
    """Compute all sums afresh, so that rounding never piles up."""
    totals.current[:] = 0.0
    for van in range(state.size.size):
        rebuild(task, state, van)
        add_to_totals(state, totals, van)


@compiled
def keep_best(state: State, totals: Totals) -> None:
    """Copy the current routes when they are the best feasible ones so far."""
    if totals.current[1] > 0.5 or totals.current[2] > ROUNDING:
        return
    if totals.current[0] >= totals.best[0] - ROUNDING:
        return
    totals.best[0] = totals.current[0]
    for van in range(state.size.size):
        size = state.size[van]
        state.best_size[van] = size
        copy_stops(state.stops, state.best_stops, van, size)


@compiled
def settle(
    task: Task, state: State, totals: Totals, before: Floats, penalties: Floats, hope: float
) -> None:
    """Accept what was changed if it costs less than `hope` more, else undo it."""
    fits = True
    for van in range(state.size.size):
        if state.touched[van] == 1:
            add_to_totals(state, totals, van)
            fits = fits and state.packs[van] <= task.pack_capacity[van]
    rise = totals.current[0] - before[0] + penalties[0] * (totals.current[1] - before[1])
    rise += penalties[1] * (totals.current[2] - before[2])
    if fits and rise < hope:
        keep_best(state, totals)
    else:
        restore(task, state)
        for i in range(3):
            totals.current[i] = before[i]
    state.touched[:] = 0


@compiled
def drive(task: Task, state: State, van: int, at: int, other: int, to: int) -> float:
    """Minutes from a place of a route (-1: its start) to one of another (behind all: its end)."""
    last = task.start_node[van] if at < 0 else state.stops[van, at]
    following = state.stops[other, to] if to < state.size[other] else task.end_node[other]
    return float(task.minutes[last, following])


@compiled
def any_fixed(task: Task, state: State, van: int, first: int, behind: int) -> bool:
    """Whether a part of a route holds a stop that stays where it is."""
    found = 0
    for i in range(first, behind):
        found += task.fixed[state.stops[van, i]]
    return found > 0


@compiled
def put_part(state: State, van: int, first: int, behind: int, other: int, at: int) -> int:
    """Put a part of a route, as it was, into another; answer the place behind it."""
    for i in range(first, behind):
        state.stops[other, at] = state.old_stops[van, i]
        at += 1
    return at


@compiled
def turn(
    task: Task, state: State, totals: Totals, most: float, van: int, first: int, last: int
) -> bool:
    """Drive a part of a route the other way round, if the new arcs cost less than `most`."""
    rise = drive(task, state, van, first - 1, van, last)
    rise += drive(task, state, van, first, van, last + 1)
    rise -= drive(task, state, van, first - 1, van, first)
    rise -= drive(task, state, van, last, van, last + 1)
    if rise >= most or any_fixed(task, state, van, first, last + 1):
        return False
    touch(state, totals, van)
    for i in range(first, last + 1):
        state.stops[van, i] = state.old_stops[van, first + last - i]
    return True


@compiled
def exchange(
    task: Task,
    state: State,
    totals: Totals,
    most: float,
    van: int,
    first: int,
    second: int,
    behind: int,
) -> bool:
    """Swap two parts of a route that follow one another, if the new arcs cost less than `most`."""
    rise = drive(task, state, van, first - 1, van, second)
    rise += drive(task, state, van, behind - 1, van, first)
    rise += drive(task, state, van, second - 1, van, behind)
    rise -= drive(task, state, van, first - 1, van, first)
    rise -= drive(task, state, van, second - 1, van, second)
    rise -= drive(task, state, van, behind - 1, van, behind)
    if rise >= most or any_fixed(task, state, van, first, behind):
        return False
    touch(state, totals, van)
    at = put_part(state, van, second, behind, van, first)
    put_part(state, van, first, second, van, at)
    return True


@compiled
def joints(
    task: Task, state: State, van: int, first: int, behind: int, other: int, begin: int, end: int
) -> float:
    """Minutes of the arcs around a part of a route when a part of another takes its place."""
    if begin == end:
        return drive(task, state, van, first - 1, van, behind)
    there = drive(task, state, van, first - 1, other, begin)
    return there + drive(task, state, other, end - 1, van, behind)


@compiled
def cross(
    task: Task,
    state: State,
    totals: Totals,
    most: float,
    van: int,
    first: int,
    behind: int,
    other: int,
    begin: int,
    end: int,
) -> bool:
    """Swap parts of two routes (either may be empty), if the new arcs cost less than `most`."""
    rise = joints(task, state, van, first, behind, other, begin, end)
    rise += joints(task, state, other, begin, end, van, first, behind)
    rise -= joints(task, state, van, first, behind, van, first, behind)
    rise -= joints(task, state, other, begin, end, other, begin, end)
    if rise >= most:
        return False
    if any_fixed(task, state, van, first, behind) or any_fixed(task, state, other, begin, end):
        return False
    touch(state, totals, van)
    touch(state, totals, other)
    at = put_part(state, other, begin, end, van, first)
    state.size[van] = put_part(state, van, behind, state.old_size[van], van, at)
    at = put_part(state, van, first, behind, other, begin)
    state.size[other] = put_part(state, other, end, state.old_size[other], other, at)
    return True


@compiled
def rejoin_one(
    task: Task, state: State, totals: Totals, most: float, van: int, i: int, j: int
) -> bool:
    """Bring places i and j of a route together: turn what lies between, or swap it with a part
    beyond."""
    if abs(i - j) < 2:
        return False
    if np.random.random() < 0.5:
        if i < j:
            return turn(task, state, totals, most, van, i + 1, j)
        return turn(task, state, totals, most, van, j, i - 1)
    if i > j:
        second = np.random.randint(j + 1, i + 1)
        return exchange(task, state, totals, most, van, j, second, i + 1)
    furthest = state.size[van]
    if np.random.random() < 0.5:
        furthest = min(furthest, j + int(LONGEST))
    behind = np.random.randint(j + 1, furthest + 1)
    return exchange(task, state, totals, most, van, i + 1, j, behind)


@compiled
def rejoin_two(
    task: Task, state: State, totals: Totals, most: float, van: int, i: int, other: int, j: int
) -> bool:
    """Bring place j of one route behind place i of another: with all that follows in exchange for
    all that followed there (half the time), or a part of it for a part or for nothing."""
    size, length = state.size[van], state.size[other]
    draw = np.random.random()
    if draw < 0.5:
        return cross(task, state, totals, most, van, i + 1, size, other, j, length)
    end = min(length, j + 1 + int(LONGEST * np.random.random()))
    behind = i + 1
    if draw < 0.75:
        behind = min(size, i + 1 + int(LONGEST * np.random.random()))
    return cross(task, state, totals, most, van, i + 1, behind, other, j, end)


@compiled
def rejoin(task: Task, state: State, totals: Totals, penalties: Floats, hope: float) -> bool:
    """Bring a random stop and one near it together by changing two to four arcs.

    What cannot pay by its arcs, even if it healed its routes, is dropped before any sum is made.
    """
    choices = min(NEAR, task.near.shape[1])
    if choices < 2:
        return False
    stop = np.random.randint(1, int(task.limits[3]))
    near = task.near[stop, np.random.randint(1, choices)]
    van, other = state.route_of[stop], state.route_of[near]
    if min(van, other) == NO_ROUTE:
        return False
    i, j = state.place_of[stop], state.place_of[near]
    most = hope + penalties[0] * state.excess[van] + penalties[1] * state.over[van]
    if van == other:
        if not rejoin_one(task, state, totals, most / task.limits[0], van, i, j):
            return False
    else:
        most += penalties[0] * state.excess[other] + penalties[1] * state.over[other]
        if not rejoin_two(task, state, totals, most / task.limits[0], van, i, other, j):
            return False
        rebuild(task, state, other)
    rebuild(task, state, van)
    return True


@compiled
def ruin_and_recreate(
    task: Task, state: State, totals: Totals, penalties: Floats, heat: float, out: Ints
) -> None:
    """Take out stops near one another, and put them and unserved ones in again."""
    seed, used = ruin(task, state, totals, out)
    used = offer_unserved(task, state, seed, out, used)
    sort_out(task, out, used)
    recreate(task, state, totals, penalties, heat, out, used)


@compiled
def count_seen(state: State, totals: Totals) -> None:
    """Count a visited state, and whether it is within capacity and within the shifts."""
    excess, over = totals.current[1], totals.current[2]
    for van in range(state.size.size):
        if state.touched[van] == 1:
            excess += state.excess[van]
            over += state.over[van]
    totals.seen[0] += 1.0
    totals.seen[1] += 1.0 if excess < 0.5 else 0.0
    totals.seen[2] += 1.0 if over < ROUNDING else 0.0


@compiled
def anneal(
    task: Task, state: State, totals: Totals, penalties: Floats, heat: float, rounds: int
) -> None:
    """Run `rounds` at one temperature, each of some rejoinings and one ruin and recreate; remember
    the best feasible routes."""
    out = np.empty(task.change.size + EXTRA, np.int64)
    before = np.zeros(3)
    recount(task, state, totals)
    totals.seen[:] = 0.0
    for _ in range(rounds):
        for step in range(REJOINS + 1):
            for i in range(3):
                before[i] = totals.current[i]
            hope = -heat * np.log(np.random.random())
            if step < REJOINS:
                if not rejoin(task, state, totals, penalties, hope):
                    continue
            else:
                ruin_and_recreate(task, state, totals, penalties, heat, out)
                count_seen(state, totals)
            settle(task, state, totals, before, penalties, hope)
