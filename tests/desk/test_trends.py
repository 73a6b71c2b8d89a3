"""The last two weeks on the home: figures a day, drawn and as a table."""

import datetime
import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from fleet.telematics.models import Alarm
from fleet.vehicles.models import Vehicle
from mobility.accounts.models import User
from mobility.core import clock
from mobility.desk.trends import DAYS, HEIGHT, WIDTH, trends

pytestmark = pytest.mark.django_db


def alarms(vehicle: Vehicle, *days_ago: int) -> None:
    for days in days_ago:
        since = clock.now() - datetime.timedelta(days=days)
        Alarm.objects.create(
            vehicle=vehicle,
            kind="tilt",
            severity="info",
            opened_at=since,
            last_seen_at=since,
            closed_at=since,
            state="closed",
        )


def test_alarms_are_counted_by_the_citys_days(
    make_vehicle: Callable[..., Vehicle], marco: User, rivale: User
) -> None:
    alarms(make_vehicle(), 0, 1, 1, 3, 40)
    (found,) = [one for one in trends(user=marco, at=clock.now()) if str(one.title) == "Alarms"]
    assert len(found.values) == len(found.days) == DAYS
    assert list(found.values[-4:]) == [1, 0, 2, 1]
    assert (found.latest, found.usual) == (1, round(3 / (DAYS - 1), 1))
    assert found.rows[0] == (clock.service_day(clock.now()), 1)
    (none,) = [one for one in trends(user=rivale, at=clock.now()) if str(one.title) == "Alarms"]
    assert sum(none.values) == 0


def test_the_line_stays_within_its_picture(
    make_vehicle: Callable[..., Vehicle], marco: User
) -> None:
    alarms(make_vehicle(), 0, 2, 2, 2, 9)
    for trend in trends(user=marco, at=clock.now()):
        for x, y in (map(float, pair.split(",")) for pair in trend.points.split()):
            assert 0 <= x <= WIDTH
            assert 0 <= y <= HEIGHT


def test_trends_are_read_once_and_kept(marco: User, luca: User) -> None:
    assert marco.roles_by_organisation
    with CaptureQueriesContext(connection) as first:
        trends(user=marco, at=clock.now())
    with CaptureQueriesContext(connection) as again:
        trends(user=marco, at=clock.now())
    assert (len(first), len(again)) == (4, 0)
    assert [str(one.title) for one in trends(user=luca, at=clock.now())] == ["Energy charged"]


def test_the_home_draws_them_in_both_languages(marco: User, client: Client) -> None:
    client.force_login(marco, backend="django.contrib.auth.backends.ModelBackend")
    for language in ("en", "it"):
        page = client.get("/admin/", headers={"accept-language": language}).content.decode()
        assert len(re.findall(r'<polyline class="trend-line" points="[\d., ]+"', page)) == 4
        assert re.search(r'cx="\d+\.\d+" cy="\d+\.\d+"', page)
        assert page.count("<details>") >= 4
