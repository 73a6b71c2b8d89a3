"""Which rule holds: GBFS's order, read naively and read by the house."""

import datetime
from zoneinfo import ZoneInfo as TimeZone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.zones.rules import (
    ATTRIBUTES,
    DEFAULTS,
    Layer,
    Rule,
    Subject,
    ZoneInfo,
    applies,
    effective,
)
from mobility.core import clock

MILAN = TimeZone("Europe/Rome")
MONDAY = datetime.datetime(2026, 5, 4, 14, 0, tzinfo=MILAN)

KINDS, TYPES, GROUPS = ["scooter", "car"], ["s2", "cargo"], ["trial", "staff"]
times = st.sampled_from([datetime.time(hour) for hour in (0, 6, 14, 22)])
some = st.sampled_from


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    start, end = draw(
        some([(None, None)]) | st.tuples(times, times).filter(lambda two: two[0] != two[1])
    )
    return Rule(
        vehicle_kinds=draw(st.frozensets(some(KINDS))),
        vehicle_types=draw(st.frozensets(some(TYPES), max_size=1)),
        user_groups=draw(st.frozensets(some(GROUPS), max_size=1)),
        weekdays=draw(st.frozensets(st.integers(1, 7), max_size=3)),
        start_time=start,
        end_time=end,
        ride_start_allowed=draw(some([None, True, False])),
        ride_end_allowed=draw(some([None, True, False])),
        ride_through_allowed=draw(some([None, True, False])),
        maximum_speed_kmh=draw(some([None, 6, 20])),
        station_parking=draw(some([None, True, False])),
    )


def zone(number: int, *rules: Rule, kind: str = "no_park") -> ZoneInfo:
    return ZoneInfo(
        zone_id=number,
        code=str(number),
        kind=kind,
        organisation_id=1,
        city_id=1,
        binds_all_operators=True,
        rules=rules,
    )


subjects = st.builds(
    Subject,
    kind=some(KINDS),
    vehicle_type=some([None, *TYPES]),
    user_group=some([None, *GROUPS]),
)
moments = st.integers(0, 7 * 24 - 1).map(lambda hour: MONDAY + datetime.timedelta(hours=hour))


def naive(layer: Layer, attribute: str, subject: Subject, local: datetime.datetime) -> object:
    """GBFS's words, one after the other, over a list of all there is."""
    everything = [(one.zone_id, rule) for one in layer.zones for rule in one.rules]
    everything += [(None, rule) for rule in layer.global_rules]
    for zone_id, rule in everything:
        for_all = not rule.vehicle_kinds and not rule.vehicle_types
        if not (
            for_all
            or subject.kind in rule.vehicle_kinds
            or subject.vehicle_type in rule.vehicle_types
        ):
            continue
        if rule.user_groups and subject.user_group not in rule.user_groups:
            continue
        if not _open(rule, local):
            continue
        if getattr(rule, attribute) is not None:
            return getattr(rule, attribute), zone_id
    return None, None


def _open(rule: Rule, local: datetime.datetime) -> bool:
    """Every day's window written out, from the day before to this one."""
    for back in (0, 1):
        day = local.date() - datetime.timedelta(days=back)
        if rule.weekdays and day.isoweekday() not in rule.weekdays:
            continue
        if rule.start_time is None or rule.end_time is None:
            if back == 0:
                return True
            continue
        start = datetime.datetime.combine(day, rule.start_time)
        end = datetime.datetime.combine(day, rule.end_time)
        if end < start:
            end += datetime.timedelta(days=1)
        if start <= local.replace(tzinfo=None) < end:
            return True
    return False


layers = st.builds(
    Layer,
    zones=st.lists(st.lists(rules(), min_size=1, max_size=2), max_size=3).map(
        lambda lists: [zone(number, *some_rules) for number, some_rules in enumerate(lists, 1)]
    ),
    global_rules=st.lists(rules(), max_size=2),
)


@settings(max_examples=60)
@given(layer=layers, subject=subjects, local=moments)
def test_the_first_that_says_something_decides(
    layer: Layer, subject: Subject, local: datetime.datetime
) -> None:
    answer = effective(layers=[layer], subject=subject, local=local)
    silent = effective(layers=[], subject=subject, local=local)
    for attribute in ATTRIBUTES:
        value, zone_id = naive(layer, attribute, subject, local)
        expected = getattr(silent, attribute) if value is None else value
        assert getattr(answer, attribute) == expected
        assert answer.decided_by.get(attribute) == zone_id


@settings(max_examples=60)
@given(one=layers, two=layers, subject=subjects, local=moments)
def test_two_sets_allow_what_both_allow(
    one: Layer, two: Layer, subject: Subject, local: datetime.datetime
) -> None:
    first, second, both = (
        effective(layers=some_layers, subject=subject, local=local)
        for some_layers in ([one], [two], [one, two])
    )
    for name in ("ride_start_allowed", "ride_end_allowed", "ride_through_allowed"):
        assert getattr(both, name) is (getattr(first, name) and getattr(second, name))
    limits = [one.maximum_speed_kmh for one in (first, second) if one.maximum_speed_kmh]
    assert both.maximum_speed_kmh == min(limits, default=None)
    assert both.station_parking is (first.station_parking or second.station_parking)


def test_each_attribute_is_decided_by_itself() -> None:
    layer = Layer(
        zones=[
            zone(1, Rule(maximum_speed_kmh=6)),
            zone(2, Rule(ride_end_allowed=False, maximum_speed_kmh=20)),
        ]
    )
    answer = effective(layers=[layer], subject=Subject(kind="scooter"), local=MONDAY)
    assert (answer.maximum_speed_kmh, answer.ride_end_allowed) == (6, False)
    assert answer.decided_by == {"maximum_speed_kmh": 1, "ride_end_allowed": 2}


def test_beyond_every_service_area_no_ride_ends_but_it_may_pass() -> None:
    outside = effective(
        layers=[Layer(has_area=True)], subject=Subject(kind="scooter"), local=MONDAY
    )
    assert (outside.ride_start_allowed, outside.ride_end_allowed) == (False, False)
    assert outside.ride_through_allowed is True


@pytest.mark.parametrize(
    ("kind", "start", "end", "through"),
    [
        ("operating", True, True, True),
        ("bay", True, True, True),
        ("no_park", True, False, True),
        ("no_ride", False, False, False),
    ],
)
def test_a_kind_is_a_rule(kind: str, start: bool, end: bool, through: bool) -> None:
    layer = Layer(zones=[zone(1, DEFAULTS[kind], kind=kind)])
    answer = effective(layers=[layer], subject=Subject(kind="car"), local=MONDAY)
    assert (
        answer.ride_start_allowed,
        answer.ride_end_allowed,
        answer.ride_through_allowed,
    ) == (start, end, through)


def test_a_night_belongs_to_the_day_on_which_it_began() -> None:
    friday_night = Rule(
        weekdays=frozenset({5}), start_time=datetime.time(22), end_time=datetime.time(5)
    )
    scooter = Subject(kind="scooter")

    def holds(day: int, hour: int) -> bool:
        local = datetime.datetime(2026, 5, day, hour, tzinfo=MILAN)  # the 8th is a Friday
        return applies(friday_night, subject=scooter, local=local)

    assert holds(8, 22)
    assert holds(9, 4)
    assert not holds(9, 5)
    assert not holds(9, 22)
    assert not holds(8, 4)


def test_hours_follow_the_wall_clock_on_both_days_of_its_change() -> None:
    early = Rule(start_time=datetime.time(2), end_time=datetime.time(3))
    scooter = Subject(kind="scooter")

    def hours(begin: datetime.datetime) -> int:
        quarters = (begin + datetime.timedelta(minutes=15 * number) for number in range(24))
        return sum(applies(early, subject=scooter, local=clock.local(at)) for at in quarters)

    assert hours(datetime.datetime(2026, 3, 28, 23, tzinfo=datetime.UTC)) == 0  # no such hour
    assert hours(datetime.datetime(2026, 10, 24, 23, tzinfo=datetime.UTC)) == 8  # twice
    assert hours(datetime.datetime(2026, 5, 4, 23, tzinfo=datetime.UTC)) == 4
