"""`manage.py replay_days OPERATOR --from DAY [--to DAY]`: live past days again, with a plan and without."""

import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from fleet.rebalancing import queries, services
from fleet.rebalancing.models import DayReplay, RebalancingPlan
from fleet.rebalancing.solver.search import Effort
from mobility.accounts.models import Organisation
from mobility.core import clock
from mobility.core.principals import system_principal

BY = system_principal("replay_days")


class Command(BaseCommand):
    help = "Live past days of a fleet again: lost trips, van kilometres, minutes and euros with and without a plan."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("operator", metavar="OPERATOR", help="slug of the organisation")
        day = datetime.date.fromisoformat
        parser.add_argument("--from", dest="first", type=day, required=True, help="first day")
        parser.add_argument("--to", dest="last", type=day, help="last day; else the first alone")
        parser.add_argument("--seeds", type=int, default=20, help="draws of what nobody could see")
        parser.add_argument("--seconds", type=float, default=5.0, help="search for a plan drafted")
        parser.add_argument("--rounds", type=int, help="instead of seconds: the same everywhere")
        parser.add_argument("--vans", type=int, help="vans of a plan drafted")
        parser.add_argument(
            "--drafted", action="store_true", help="draft plans even for days that had one"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        operator = Organisation.objects.filter(slug=options["operator"]).first()
        if operator is None:
            raise CommandError(f"There is no organisation {options['operator']}.")
        first, last = options["first"], options["last"] or options["first"]
        rows = []
        for step in range((last - first).days + 1):
            day = first + datetime.timedelta(days=step)
            try:
                rows.append(self._lived(operator, day, options))
            except (services.NothingToReplay, services.NoFleet) as problem:
                self.stdout.write(f"{day}: {problem}")
        with translation.override("en"):
            for row in rows:
                self._show(row)
        if len(rows) > 1:
            saved = sum(row.result["saved_trips"]["mean"] for row in rows)
            net = sum(row.result["net_cents"]["mean"] for row in rows)
            self.stdout.write(f"{len(rows)} days: {saved:g} trips saved, {net / 100:.2f} EUR net")

    def _lived(
        self, operator: Organisation, day: datetime.date, options: dict[str, Any]
    ) -> DayReplay:
        """A plan that was walked that day, else one drafted for it."""
        walked = None if options["drafted"] else _plan_of(operator, day)
        if walked is not None:
            return services.replay_plan(
                plan_id=walked.pk, seeds=options["seeds"], at=clock.now(), by=BY
            )
        return services.replay_day(
            organisation_id=operator.pk,
            day=day,
            seeds=options["seeds"],
            effort=Effort(seconds=options["seconds"], rounds=options["rounds"]),
            parameters={"vans": options["vans"]} if options["vans"] else {},
            at=clock.now(),
            by=BY,
        )

    def _show(self, row: DayReplay) -> None:
        result = row.result
        self.stdout.write(
            f"{clock.local(row.start):%Y-%m-%d %H:%M}, plan {result['plan_is']}, {row.seeds} seeds,"
            f" {result['vehicles']} vehicles, {result['seen']} trips seen,"
            f" {result['wishes']:g} wishes"
        )
        self.stdout.write(f"  {'':24}{'without':>26}{'with':>26}{'difference':>30}")
        for what, without, with_plan, difference in queries.replay_lines(result):
            self.stdout.write(f"  {what:24}{without:>26}{with_plan:>26}{difference:>30}")


def _plan_of(operator: Organisation, day: datetime.date) -> RebalancingPlan | None:
    """The newest plan that crews followed on that day, once its horizon is over."""
    plans = RebalancingPlan.objects.filter(
        organisation=operator, published_at__isnull=False, horizon_end__lte=clock.now()
    )
    return next(
        (plan for plan in plans.order_by("-id") if clock.service_day(plan.horizon_start) == day),
        None,
    )
