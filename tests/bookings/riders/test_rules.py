"""Who may ride, judged without a database: every reason at once, days as the city counts them."""

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookings.riders.rules import (
    CAR_DEMANDS,
    CATEGORIES,
    Block,
    Demands,
    Licence,
    Standing,
    age_on,
    covers,
    months_between,
    obstacles_of,
    warning_due,
)

NOON = datetime.datetime(2026, 5, 4, 10, 0, tzinfo=datetime.UTC)
DAY = datetime.date(2026, 5, 4)
DAYS = st.dates(datetime.date(1940, 1, 1), datetime.date(2060, 12, 31))


def licence(
    valid_until: datetime.date = datetime.date(2030, 1, 1),
    held_since: datetime.date = datetime.date(2010, 1, 1),
    categories: tuple[str, ...] = ("B",),
) -> Licence:
    return Licence(valid_until=valid_until, held_since=held_since, categories=categories)


def codes(demands: Demands, standing: Standing, **when: object) -> list[str]:
    found = obstacles_of(demands=demands, standing=standing, **{"at": NOON} | when)
    return [one.code for one in found]


def test_whoever_is_fit_meets_nothing() -> None:
    assert codes(CAR_DEMANDS, Standing(licence=licence())) == []


def test_everything_that_is_missing_is_said_at_once() -> None:
    demands = Demands(identity_required=True, licence_category="B", minimum_age=18)
    nobody = Standing(blocks=(Block(reason="staff"),), unread=("rules", "helmet"))
    assert codes(demands, nobody) == [
        "blocked", "birth_date_missing", "identity_required", "licence_required",
        "acknowledgement_missing", "acknowledgement_missing",
    ]  # fmt: skip


def test_a_licence_is_good_until_the_end_of_its_last_day_in_the_city() -> None:
    last = Standing(licence=licence(valid_until=DAY))
    late = datetime.datetime(2026, 5, 4, 21, 59, tzinfo=datetime.UTC)  # 23:59 in Milan
    midnight = datetime.datetime(2026, 5, 4, 22, 0, tzinfo=datetime.UTC)
    assert codes(CAR_DEMANDS, last, at=late) == []
    assert codes(CAR_DEMANDS, last, at=midnight) == ["licence_expired"]


def test_a_booking_beyond_the_last_day_is_a_warning_and_no_refusal() -> None:
    last = Standing(licence=licence(valid_until=DAY), identity_until=DAY)
    demands = Demands(licence_category="B", identity_required=True)
    tomorrow = NOON + datetime.timedelta(days=1)
    found = obstacles_of(demands=demands, standing=last, at=NOON, ends_at=tomorrow)
    assert [(one.code, one.blocking) for one in found] == [
        ("identity_expires", False),
        ("licence_expires", False),
    ]
    assert "2026-05-04" in found[1].message
    assert codes(demands, last, at=tomorrow) == ["identity_expired", "licence_expired"]


@pytest.mark.parametrize(
    ("categories", "wanted", "may"),
    [
        (("B",), "B", True), (("C",), "B", True), (("BE",), "B", True), (("D1",), "AM", True),
        (("AM",), "B", False), (("A",), "A1", True), (("A1",), "A2", False), (("B1",), "B", False),
        (("B",), "A", False), ((), "AM", False), (("A", "B"), "B", True),
    ],
)  # fmt: skip
def test_a_category_opens_those_below_it(
    categories: tuple[str, ...], wanted: str, may: bool
) -> None:
    assert covers(categories, wanted) is may
    found = codes(
        Demands(licence_category=wanted), Standing(licence=licence(categories=categories))
    )
    assert found == ([] if may else ["licence_category"])


def test_novices_wait_or_take_a_smaller_car() -> None:
    new = Standing(licence=licence(held_since=datetime.date(2025, 8, 5)))  # eight months
    assert codes(Demands(licence_category="B", held_at_least_months=9), new) == ["licence_too_new"]
    assert codes(Demands(licence_category="B", held_at_least_months=8), new) == []
    fast = Demands(licence_category="B", novice_months=36, novice_excluded_types=("rapida",))
    assert codes(fast, new, type_code="rapida") == ["not_for_novices"]
    assert codes(fast, new, type_code="piccola") == []


def test_somebody_is_of_age_on_their_birthday() -> None:
    demands = Demands(minimum_age=18)
    assert codes(demands, Standing(birth_date=datetime.date(2008, 5, 4))) == []
    assert codes(demands, Standing(birth_date=datetime.date(2008, 5, 5))) == ["too_young"]


def test_a_block_that_ends_lifts_itself() -> None:
    until = NOON + datetime.timedelta(hours=1)
    standing = Standing(blocks=(Block(reason="hoarding", until=until),))
    assert codes(Demands(), standing) == ["blocked_until"]
    assert codes(Demands(), standing, at=until) == []
    told = obstacles_of(demands=Demands(), standing=standing, at=NOON)[0]
    assert told.params["until"] == "2026-05-04T13:00+02:00"


def test_a_closed_account_rides_nothing() -> None:
    assert codes(Demands(), Standing(active=False)) == ["account_closed"]


@given(born=DAYS, day=DAYS)
@settings(max_examples=60)
def test_age_agrees_with_months_of_life(born: datetime.date, day: datetime.date) -> None:
    if day < born:
        return
    assert age_on(born, day) == months_between(born, day) // 12 or (born.month, born.day) == (2, 29)


@given(start=DAYS, days=st.integers(min_value=0, max_value=3000))
@settings(max_examples=60)
def test_months_never_run_backwards(start: datetime.date, days: int) -> None:
    end = start + datetime.timedelta(days=days)
    next_day = end + datetime.timedelta(days=1)
    assert 0 <= months_between(start, end) <= months_between(start, next_day)
    assert months_between(start, next_day) - months_between(start, end) <= 1


@given(
    held=st.lists(st.sampled_from(CATEGORIES), max_size=3),
    more=st.sampled_from(CATEGORIES),
    wanted=st.sampled_from(CATEGORIES),
)
@settings(max_examples=60)
def test_a_further_category_never_takes_anything_away(
    held: list[str], more: str, wanted: str
) -> None:
    assert covers([*held, more], wanted) >= covers(held, wanted)
    assert covers([*held, wanted], wanted)


@given(valid_until=DAYS)
@settings(max_examples=30)
def test_warnings_come_at_thirty_and_at_seven_days_once_each(valid_until: datetime.date) -> None:
    warned, given_out = None, []
    for left in range(40, -3, -1):
        day = valid_until - datetime.timedelta(days=left)
        due = warning_due(valid_until=valid_until, warned_days=warned, day=day)
        if due is not None:
            given_out.append((left, due))
            warned = due
    assert given_out == [(30, 30), (7, 7)]


def test_a_licence_sent_in_its_last_week_brings_one_warning() -> None:
    soon = DAY + datetime.timedelta(days=3)
    assert warning_due(valid_until=soon, warned_days=None, day=DAY) == 7
    assert warning_due(valid_until=soon, warned_days=7, day=DAY) is None
