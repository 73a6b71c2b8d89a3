"""How the last two weeks went, a figure a day: lines to look at and the same as a table."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.core.cache import cache
from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from bookings.payments.models import Payment
from bookings.trips.models import Trip
from charging.sessions.models import ChargingSession
from fleet.rebalancing.models import RebalancingTask
from fleet.rebalancing.states import TaskState
from fleet.telematics.models import Alarm
from mobility.accounts.states import Role
from mobility.core import clock
from mobility.desk.context import FLEET

if TYPE_CHECKING:
    from mobility.accounts.models import User

DAYS = 14
# Yesterday does not change, and today need not be told to the second.
KEPT_S = 300
WIDTH, HEIGHT, MARGIN = 260, 72, 6


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trend:
    """One figure a day, oldest first; the last day is today so far."""

    title: str | Promise
    unit: str
    days: Sequence[datetime.date]
    values: Sequence[float]

    @property
    def latest(self) -> float:
        """Today so far."""
        return self.values[-1]

    @property
    def usual(self) -> float:
        """The mean of the whole days before."""
        before = self.values[:-1]
        return round(sum(before) / len(before), 1) if before else 0.0

    @property
    def points(self) -> str:
        """The line for an SVG of `WIDTH` by `HEIGHT`."""
        return " ".join(f"{x},{y}" for x, y in self._places())

    @property
    def last_place(self) -> tuple[float, float]:
        """Where today's dot stands."""
        return self._places()[-1]

    @property
    def rows(self) -> list[tuple[datetime.date, float]]:
        """The same as a table, newest first."""
        return list(zip(self.days, self.values, strict=True))[::-1]

    def _places(self) -> list[tuple[float, float]]:
        most = max(*self.values, 1)
        step = (WIDTH - 2 * MARGIN) / max(1, len(self.values) - 1)
        return [
            (
                round(MARGIN + number * step, 1),
                round(HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * value / most, 1),
            )
            for number, value in enumerate(self.values)
        ]


def trends(*, user: User, at: datetime.datetime) -> list[Trend]:
    """The trends of this person's organisations; five queries, then kept for five minutes."""
    today = clock.service_day(at)
    days = [today - datetime.timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    key = f"desk:trends:{user.pk}:{today.isoformat()}"
    known: Any = cache.get_or_set(key, lambda: _figures(user, days), KEPT_S)
    figures: dict[str, dict[datetime.date, float]] = known
    return [
        Trend(
            title=_TITLES[name][0],
            unit=_TITLES[name][1],
            days=days,
            values=[by_day.get(day, 0) for day in days],
        )
        for name, by_day in figures.items()
    ]


_TITLES: dict[str, tuple[str | Promise, str]] = {
    "rides": (_("Rides"), ""),
    "failed": (_("Payments that failed"), ""),
    "alarms": (_("Alarms"), ""),
    "tasks": (_("Tasks done"), ""),
    "energy": (_("Energy charged"), "kWh"),
}


def _figures(user: User, days: Sequence[datetime.date]) -> dict[str, dict[datetime.date, float]]:
    since = datetime.datetime.combine(days[0], datetime.time(), tzinfo=clock.CITY_ZONE)
    found: dict[str, dict[datetime.date, float]] = {}
    if user.has_role(Role.FLEET_OPERATOR):
        rides = Trip.objects.visible_to(user).exclude(user=user)
        found["rides"] = _counted(rides, "started_at", since)
        failed = Payment.objects.visible_to(user).exclude(payer=user).exclude(failure="")
        found["failed"] = _counted(failed, "created_at", since)
    if user.has_role(*FLEET):
        found["alarms"] = _counted(Alarm.objects.visible_to(user), "opened_at", since)
        done = RebalancingTask.objects.visible_to(user).filter(state=TaskState.DONE)
        found["tasks"] = _counted(done, "finished_at", since)
    if user.has_role(Role.CHARGE_POINT_OPERATOR):
        sessions = ChargingSession.objects.visible_to(user)
        watt_hours = _counted(sessions, "started_at", since, figure=Sum("energy_wh"))
        found["energy"] = {day: round((wh or 0) / 1000, 1) for day, wh in watt_hours.items()}
    return found


def _counted(
    rows: QuerySet[Any], moment: str, since: datetime.datetime, *, figure: Any = None
) -> dict[datetime.date, float]:
    by_day = (
        rows.filter(**{f"{moment}__gte": since})
        .order_by()
        .annotate(day=TruncDate(moment, tzinfo=clock.CITY_ZONE))
        .values_list("day")
        .annotate(figure=figure or Count("pk"))
    )
    return dict(by_day)
