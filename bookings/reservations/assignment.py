"""Which car serves which booking: enough range at every start, and as few moves as possible. Pure.

1. Bookings that overlap at one moment need different cars, so who of them gets which one is an
   assignment problem, solved exactly (shortest augmenting paths: Kuhn 1955, Jonker and Volgenant
   1987), every car's further bookings staying as they are.
2. One moment after the other is solved so, each by itself exactly; then any two bookings, and any
   two cars from a moment on, change places where that helps. So until nothing improves: the whole
   never gets worse, and what a car has left for a later booking counts in every step.
3. Where some start still lacks its charge, the whole day is shared out anew in the order of time (a
   beam search, exact on small days), and taken if it is better.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

# A start without enough charge outweighs any number of moves, and a move any waste of range.
SHORT = 1e6
MOVE = 1e3
# Not possible at all.
NEVER = 1e12
MOST_ROUNDS = 6
# Beginnings of a day that are looked at side by side; fewer where cars and rides are many.
BEAM, WORK = 200, 100_000
# A ride whose rider did not say how far it goes: so far an hour, and not further than that.
METRES_AN_HOUR = 10_000
LONGEST_M = 120_000


# Of a car: metres left, minute from which it is free, metres it gains a minute.
_State = tuple[float, float, float]
# What it costs so far, how the cars stand, who got which.
_Beginning = tuple[float, tuple[_State, ...], tuple[tuple[int, int], ...]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ride:
    """A booking in minutes from now: the range needed at its start, what it uses up.

    `fits` are the cars it may have; a `fixed` one stays with its car. `charge_m` is the range per
    minute that the car gains after it, where it is plugged in at its return.
    """

    ref: int
    car: int
    begins: float
    ends: float
    need_m: int
    fits: frozenset[int]
    fixed: bool = False
    charge_m: float = 0.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Car:
    """A car: how far it goes now and when full, what it gains per minute at its plug, when others
    have it. An unfit one serves nobody unless there is no other."""

    ref: int
    range_m: int
    full_m: int
    charge_m: float = 0.0
    busy: tuple[tuple[float, float], ...] = ()
    fit: bool = True


def expected_m(minutes: float) -> int:
    """How far a ride of so many minutes is taken to go."""
    return min(LONGEST_M, round(minutes / 60.0 * METRES_AN_HOUR))


def assign(*, cars: Sequence[Car], rides: Sequence[Ride]) -> dict[int, int]:
    """The car of each ride that is not fixed, by their refs; those it has where nothing is better.

    Every ride starts on a car of `cars` where no two overlap.
    """
    by_ref = {car.ref: car for car in cars}
    where = {ride.ref: ride.car for ride in rides}
    movable = [ride for ride in rides if not ride.fixed]
    for _round in range(MOST_ROUNDS):
        better = False
        # Where every start has its charge there is nothing to gain that is worth a move.
        for moment in sorted({ride.begins for ride in movable}):
            wave = [ride for ride in movable if ride.begins <= moment < ride.ends]
            if _short(by_ref, rides=rides, where=where) & {where[ride.ref] for ride in wave}:
                better |= _solve(wave, cars=by_ref, rides=rides, where=where)
        for ref in sorted(_short(by_ref, rides=rides, where=where)):
            for swapped in _exchanges(ref, movable=movable, where=where):
                better |= _improves(swapped, cars=by_ref, rides=rides, where=where)
        if not better:
            break
    if _short(by_ref, rides=rides, where=where):
        where = _whole_day(by_ref, rides=rides, where=where)
    return {ride.ref: where[ride.ref] for ride in movable}


def cost(*, car: Car, rides: Sequence[Ride]) -> float:
    """What it costs that a car serves these rides, `NEVER` if it cannot.

    Starts without enough range, rides moved to it, and a little for range that others could use.
    """
    total, state = 0.0, _fresh(car)
    for ride in sorted(rides, key=_in_time):
        more, state = _served(car, ride, state)
        if more >= NEVER:
            return NEVER
        total += more
    return total


def _in_time(ride: Ride) -> tuple[float, int]:
    return ride.begins, ride.ref


def _fresh(car: Car) -> _State:
    return float(car.range_m), 0.0, car.charge_m


def _served(car: Car, ride: Ride, state: _State) -> tuple[float, _State]:
    """What one more ride, later than all before, costs on a car; and how it comes back."""
    left, at, gains = state
    if ride.begins < at or any(
        ride.begins < until and since < ride.ends for since, until in car.busy
    ):
        return NEVER, state
    left = min(float(car.full_m), left + gains * (ride.begins - at))
    missing = ride.need_m - left
    total = max(0.0, -missing) / max(1, car.full_m)
    if missing > 0 or not car.fit:
        total += SHORT * (1.0 + min(1.0, max(0.0, missing) / max(1, car.full_m)))
    total += MOVE if ride.car != car.ref else 0.0
    return total, (max(0.0, left - ride.need_m), ride.ends, ride.charge_m)


def _whole_day(
    cars: Mapping[int, Car], *, rides: Sequence[Ride], where: dict[int, int]
) -> dict[int, int]:
    """All rides shared out anew, one after the other in time, if that beats what there is.

    Costs never fall and depend on what a car did before alone, so a beam of the cheapest beginnings
    of the day goes on with every car that may serve the next ride; a beginning that already costs
    as much as the whole day does now is given up.
    """
    order = sorted(cars)
    served = _by_car(rides, where=where)
    limit = sum(cost(car=cars[ref], rides=mine) for ref, mine in served.items()) - 1e-6
    width = max(BEAM // 10, min(BEAM, WORK // (len(cars) * len(rides))))
    beam: list[_Beginning] = [(0.0, tuple(_fresh(cars[ref]) for ref in order), ())]
    for ride in sorted(rides, key=_in_time):
        further: dict[tuple[_State, ...], _Beginning] = {}
        for spent, states, chosen in beam:
            for number, ref in enumerate(order):
                if ref != ride.car and (ride.fixed or ref not in ride.fits):
                    continue
                more, after = _served(cars[ref], ride, states[number])
                if spent + more >= limit:
                    continue
                then = (*states[:number], after, *states[number + 1 :])
                if then not in further or spent + more < further[then][0]:
                    further[then] = spent + more, then, (*chosen, (ride.ref, ref))
        beam = sorted(further.values())[:width]
    return dict(beam[0][2]) if beam else where


def _solve(
    wave: Sequence[Ride],
    *,
    cars: Mapping[int, Car],
    rides: Sequence[Ride],
    where: dict[int, int],
) -> bool:
    """Give the rides of one moment the best cars; whether anything got better."""
    in_wave = {ride.ref for ride in wave}
    others: dict[int, list[Ride]] = {ref: [] for ref in cars}
    for ride in rides:
        if ride.ref not in in_wave:
            others[where[ride.ref]].append(ride)
    order = sorted(cars)
    alone = {ref: cost(car=cars[ref], rides=others[ref]) for ref in order}
    table = [
        [
            _more(cars[ref], others[ref], ride, alone=alone[ref])
            if ref in ride.fits or ref == where[ride.ref]
            else NEVER
            for ref in order
        ]
        for ride in wave
    ]
    column = {ref: number for number, ref in enumerate(order)}
    before = sum(row[column[where[ride.ref]]] for ride, row in zip(wave, table, strict=True))
    chosen = cheapest_matching(table)
    after = sum(row[number] for row, number in zip(table, chosen, strict=True))
    if after >= before - 1e-6:
        return False
    for ride, number in zip(wave, chosen, strict=True):
        where[ride.ref] = order[number]
    return True


def _short(cars: Mapping[int, Car], *, rides: Sequence[Ride], where: Mapping[int, int]) -> set[int]:
    """The cars that cannot serve all of theirs."""
    served = _by_car(rides, where=where)
    return {ref for ref, mine in served.items() if cost(car=cars[ref], rides=mine) >= SHORT}


def _by_car(rides: Sequence[Ride], *, where: Mapping[int, int]) -> dict[int, list[Ride]]:
    found: dict[int, list[Ride]] = {}
    for ride in rides:
        found.setdefault(where[ride.ref], []).append(ride)
    return found


def _exchanges(
    short: int, *, movable: Sequence[Ride], where: Mapping[int, int]
) -> Iterator[list[Ride]]:
    """Rides of a short car and of another one that might change places: one of each, or all of both
    from a moment on."""
    served = _by_car(movable, where=where)
    mine = served.pop(short, [])
    for others in served.values():
        yield from ([one, two] for one in mine for two in others)
        both = [*mine, *others]
        for moment in sorted({ride.begins for ride in both}):
            yield [ride for ride in both if ride.begins >= moment]


def _improves(
    swapped: Sequence[Ride],
    *,
    cars: Mapping[int, Car],
    rides: Sequence[Ride],
    where: dict[int, int],
) -> bool:
    """Let rides on two cars change places if that costs less; whether they did."""
    two = sorted({where[ride.ref] for ride in swapped})
    if len(two) != 2:
        return False
    other = {two[0]: two[1], two[1]: two[0]}
    if any(other[where[ride.ref]] not in ride.fits for ride in swapped):
        return False
    after = {ride.ref: other[where[ride.ref]] for ride in swapped}
    involved = [ride for ride in rides if where[ride.ref] in other]
    before, then = (
        sum(
            cost(car=cars[ref], rides=[ride for ride in involved if put[ride.ref] == ref])
            for ref in two
        )
        for put in (where, {ride.ref: where[ride.ref] for ride in involved} | after)
    )
    if then >= before - 1e-6:
        return False
    where.update(after)
    return True


def _more(car: Car, others: list[Ride], ride: Ride, *, alone: float) -> float:
    together = cost(car=car, rides=[*others, ride])
    return NEVER if together >= NEVER else together - alone


def cheapest_matching(table: Sequence[Sequence[float]]) -> list[int]:
    """A column for each row, no column twice, at the least sum; at most as many rows as columns.

    Row by row the shortest augmenting path, with potentials that keep all reduced costs at or above
    nothing: O(rows² · columns).
    """
    rows, columns = len(table), len(table[0]) if table else 0
    u, v = [0.0] * (rows + 1), [0.0] * (columns + 1)
    owner = [0] * (columns + 1)  # the row of each column, counted from 1; 0: none
    for row in range(1, rows + 1):
        owner[0] = row
        way = _augmenting_way(table, owner, u, v)
        column = way.pop(-1)
        while column:
            owner[column] = owner[way[column]]
            column = way[column]
    chosen = [0] * rows
    for column in range(1, columns + 1):
        if owner[column]:
            chosen[owner[column] - 1] = column - 1
    return chosen


def _augmenting_way(
    table: Sequence[Sequence[float]], owner: list[int], u: list[float], v: list[float]
) -> dict[int, int]:
    """From which column each one is reached, and under -1 the free one at the end; moves potentials."""
    columns = len(v) - 1
    least, came, seen = [float("inf")] * (columns + 1), {}, [False] * (columns + 1)
    here = 0
    while owner[here]:
        seen[here] = True
        row, step, nearest = owner[here], float("inf"), 0
        for column in range(1, columns + 1):
            if seen[column]:
                continue
            reduced = table[row - 1][column - 1] - u[row] - v[column]
            if reduced < least[column]:
                least[column], came[column] = reduced, here
            if least[column] < step:
                step, nearest = least[column], column
        for column in range(columns + 1):
            if seen[column]:
                u[owner[column]] += step
                v[column] -= step
            else:
                least[column] -= step
        here = nearest
    came[-1] = here
    return came
