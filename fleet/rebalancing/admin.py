"""Admin pages of plans and tasks: what to do tonight, what it is worth, and why."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fleet.rebalancing import queries, services
from fleet.rebalancing.models import DayReplay, RebalancingPlan, RebalancingTask
from fleet.rebalancing.states import DropReason
from fleet.vehicles.scoping import FLEET_STAFF
from mobility.accounts.scoped_admin import ScopedAdmin, ScopedInline, act_on_each
from mobility.accounts.states import Role
from mobility.core.money import format_money

OPERATORS = frozenset({Role.FLEET_OPERATOR})


class _ReadOnly:
    """Staff act through the actions; no field is typed by hand."""

    addable: ClassVar[bool] = False
    model: Any

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Every field."""
        shown = ("why", "trips", "comparison", "what_if", "remarks")
        extra = [name for name in shown if hasattr(self, name)]
        return [field.name for field in self.model._meta.fields] + extra


class _Reasoned:
    """Reasons of a task, as a person reads them."""

    @admin.display(description=_("why"))
    def why(self, task: RebalancingTask) -> str:
        """The reason with its figures, and why it was given up."""
        return " ".join(filter(None, (queries.reason_text(task), queries.drop_text(task))))


class TaskInline(_Reasoned, _ReadOnly, ScopedInline):
    """The tasks of a plan."""

    model = RebalancingTask
    viewers = FLEET_STAFF
    fields = (
        "van", "sequence", "kind", "vehicle", "quantity", "value_cents", "cost_cents", "why", "state", "assignee",
    )  # fmt: skip
    ordering = ("van", "sequence")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With everything a row shows."""
        return super().get_queryset(request).select_related("vehicle", "assignee")


@admin.register(RebalancingPlan)
class PlanAdmin(_ReadOnly, ScopedAdmin[RebalancingPlan]):
    """Plans: look, publish, close."""

    viewers = FLEET_STAFF
    editors = OPERATORS
    list_display = (
        "requested_at",
        "state",
        "organisation",
        "city",
        "progress",
        "trips",
        "worth",
        "realised",
    )
    list_filter = ("state", "organisation", "city")
    inlines = (TaskInline,)
    actions = ("publish", "revise", "close", "replay")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With progress, in the same query."""
        return queries.plans_with_progress(super().get_queryset(request))

    @admin.display(description=_("done"))
    def progress(self, plan: Any) -> str:
        """Tasks done of all."""
        return f"{plan.tasks_done} / {plan.tasks_total}"

    @admin.display(description=_("extra trips"))
    def trips(self, plan: RebalancingPlan) -> str:
        """What the plan promises."""
        return str(plan.summary.get("extra_trips", "–"))

    @admin.display(description=_("promised and realised"))
    def comparison(self, plan: RebalancingPlan) -> str:
        """Yesterday's promise beside what happened, once the plan's time is over."""
        if not plan.score or "crew" not in plan.score:
            return gettext("Scored when the time it plans for is over.")
        lines = format_html_join(
            "",
            '<tr><th scope="row">{}</th><td>{}</td><td>{}</td></tr>',
            queries.score_lines(plan),
        )
        return format_html(
            "<table><thead><tr><td></td><th>{}</th><th>{}</th></tr></thead><tbody>{}</tbody></table>",
            gettext("promised"),
            gettext("realised"),
            lines,
        )

    @admin.display(description=_("with the plan and without"))
    def what_if(self, plan: RebalancingPlan) -> str:
        """The day lived again, once it is over."""
        row = plan.replays.order_by("-id").first() if plan.pk else None
        return _replay_table(row) if row else gettext("Lived again when its day is over.")

    @admin.display(description=_("remarks"))
    def remarks(self, plan: RebalancingPlan) -> str:
        """What stood in the way of a better plan."""
        return " ".join(queries.note_texts(plan)) or "–"

    @admin.display(description=_("realised rides"))
    def realised(self, plan: RebalancingPlan) -> str:
        """Rides of vehicles moved or charged, of those promised."""
        rides = (plan.score or {}).get("rides")
        return f"{rides['realised']} / {rides['promised']}" if rides else "–"

    @admin.display(description=_("value less cost"))
    def worth(self, plan: RebalancingPlan) -> str:
        """The promised gain in money."""
        summary = plan.summary
        return format_money(summary.get("value_cents", 0) - summary.get("cost_cents", 0))

    @admin.action(description=_("Publish to the crews"), permissions=["change"])
    def publish(self, request: HttpRequest, plans: QuerySet[RebalancingPlan]) -> None:
        """Give the chosen drafts to the crews."""
        act_on_each(
            request, plans, lambda plan, **who: services.publish_plan(plan_id=plan.pk, **who)
        )

    @admin.action(description=_("Route the rest anew"), permissions=["change"])
    def revise(self, request: HttpRequest, plans: QuerySet[RebalancingPlan]) -> None:
        """Ask for new versions of the chosen plans."""
        act_on_each(
            request, plans, lambda plan, **who: services.request_revision(plan_id=plan.pk, **who)
        )

    @admin.action(description=_("Live its day again, with it and without"), permissions=["change"])
    def replay(self, request: HttpRequest, plans: QuerySet[RebalancingPlan]) -> None:
        """What the chosen plans saved."""
        act_on_each(
            request, plans, lambda plan, **who: services.replay_plan(plan_id=plan.pk, **who)
        )

    @admin.action(description=_("Close"), permissions=["change"])
    def close(self, request: HttpRequest, plans: QuerySet[RebalancingPlan]) -> None:
        """End the chosen plans."""
        act_on_each(request, plans, lambda plan, **who: services.close_plan(plan_id=plan.pk, **who))


@admin.register(DayReplay)
class ReplayAdmin(_ReadOnly, ScopedAdmin[DayReplay]):
    """Past days lived again: what was lost with a plan and without, and what it cost."""

    viewers = FLEET_STAFF
    list_display = ("start", "organisation", "plan", "seeds", "saved", "net")
    list_filter = ("organisation",)
    list_select_related = ("organisation", "plan")
    date_hierarchy = "start"

    @admin.display(description=_("saved trips"))
    def saved(self, row: DayReplay) -> str:
        """Lost without less lost with."""
        return str(row.result.get("saved_trips", {}).get("mean", "–"))

    @admin.display(description=_("saved trips less cost"))
    def net(self, row: DayReplay) -> str:
        """In money."""
        net = row.result.get("net_cents")
        return format_money(round(net["mean"])) if net else "–"

    @admin.display(description=_("with the plan and without"))
    def what_if(self, row: DayReplay) -> str:
        """Line by line."""
        return _replay_table(row)


def _replay_table(row: DayReplay) -> str:
    lines = format_html_join(
        "",
        '<tr><th scope="row">{}</th><td>{}</td><td>{}</td><td>{}</td></tr>',
        queries.replay_lines(row.result),
    )
    return format_html(
        "<table><caption>{}</caption><thead><tr><td></td><th>{}</th><th>{}</th><th>{}</th></tr></thead>"
        "<tbody>{}</tbody></table>",
        gettext("%(seeds)s draws of what nobody could see; in brackets nine of ten of them.")
        % {"seeds": row.seeds},
        gettext("without the plan"),
        gettext("with the plan"),
        gettext("difference"),
        lines,
    )


@admin.register(RebalancingTask)
class TaskAdmin(_Reasoned, _ReadOnly, ScopedAdmin[RebalancingTask]):
    """Tasks of all plans: filter, read why, drop."""

    viewers = FLEET_STAFF
    editors = OPERATORS
    list_display = (
        "plan", "van", "sequence", "kind", "vehicle", "quantity", "value_cents", "cost_cents", "why", "locked", "forced", "state", "assignee",
    )  # fmt: skip
    list_filter = ("state", "kind", "vehicle_kind", "drop_reason", "plan__state")
    list_select_related = ("plan", "vehicle", "assignee")
    search_fields = ("vehicle__code",)
    actions = ("lock", "unlock", "drop")

    @admin.action(description=_("Lock: stays as and where it is"), permissions=["change"])
    def lock(self, request: HttpRequest, tasks: QuerySet[RebalancingTask]) -> None:
        """Keep the chosen tasks whatever a new version finds."""
        _lock_each(request, tasks, locked=True)

    @admin.action(description=_("Unlock"), permissions=["change"])
    def unlock(self, request: HttpRequest, tasks: QuerySet[RebalancingTask]) -> None:
        """Let the next version decide about the chosen tasks."""
        _lock_each(request, tasks, locked=False)

    @admin.action(description=_("Drop: no longer needed"), permissions=["change"])
    def drop(self, request: HttpRequest, tasks: QuerySet[RebalancingTask]) -> None:
        """Give the chosen tasks up; vehicles in them are free again."""
        act_on_each(
            request,
            tasks,
            lambda task, **who: services.drop_task(
                task_id=task.pk, reason=DropReason.NOT_NEEDED, of_any_crew=True, **who
            ),
        )


def _lock_each(request: HttpRequest, tasks: QuerySet[RebalancingTask], *, locked: bool) -> None:
    act_on_each(
        request,
        tasks,
        lambda task, **who: services.lock_task(task_id=task.pk, locked=locked, **who),
    )
