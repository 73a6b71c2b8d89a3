"""Why a task exists and what became of it, as sentences in the reader's language."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.utils.translation import gettext as _

from fleet.rebalancing.models import RebalancingPlan, RebalancingTask
from fleet.rebalancing.states import DropReason, Reason, TaskKind
from fleet.vehicles.states import Kind
from mobility.core.money import format_money


def reason_text(task: RebalancingTask) -> str:
    """Why this task is worth doing, with its figures."""
    text = _("%(stock)s stand here, %(target)s are enough.")
    if task.reason in (Reason.BOOKING, Reason.MAINTENANCE, Reason.REQUESTED):
        return str(Reason(task.reason).label)
    if task.kind == TaskKind.DRIVE_TO_CHARGE:
        text = _(
            "Battery at %(battery_pct)s %%: nobody can rent it. Drive it to %(hub)s (%(minutes)s min there and back) and plug it in: about %(trips)s trips."
        )
    elif task.reason == Reason.LOW_BATTERY:
        text = _(
            "Battery at %(battery_pct)s %%: nobody can ride it. A swap is worth about %(trips)s trips."
        )
    elif task.reason == Reason.SHORTAGE:
        text = _(
            "%(stock)s stand here and %(target)s will be asked for: about %(trips)s more trips."
        )
    return str(text % task.reason_params)


def note_texts(plan: RebalancingPlan) -> list[str]:
    """What stood in the way of a better plan, one sentence each."""
    notes = Counter(note["code"] for note in plan.summary.get("notes", []))
    sentences = {
        "no_vans": _("No van was given: the plan is empty."),
        "no_history": _("Nothing is known of past trips: demand is a guess until there are some."),
        "forced_not_served": _("%(count)s tasks that must be done did not fit into the shift."),
        "lock_not_kept": _(
            "%(count)s locked tasks contradicted each other or the shift, and were let go."
        ),
        "no_shift": _("No van has any time left: shifts are over or depots shut."),
        "unreachable": _(
            "%(count)s places have no way for a van there or home, and were left out."
        ),
        "straight_lines": _(
            "The road service did not answer: driving times are straight lines with a detour."
        ),
        "left_to_riders": _(
            "%(count)s places are left to riders, who were offered a reward for them."
        ),
        "travel_holes": _("The travel times have holes: those ways are not driven."),
    }
    texts = [sentences[code] % {"count": count} for code, count in notes.items()]
    if plan.summary.get("method") == "greedy":
        texts.append(_("The search could not run: this plan is the simple one, stop by stop."))
    return texts


def score_lines(plan: RebalancingPlan) -> list[tuple[str, str, str]]:
    """A scored plan line by line: what, promised, realised."""
    scored, summary = plan.score or {}, plan.summary.get("first", plan.summary)
    rides, crew = scored["rides"], scored["crew"]
    promised_cents = summary.get("value_cents", 0) - summary.get("cost_cents", 0)
    lines = [
        (
            _("Trips, %(kind)s (four days of five)") % {"kind": Kind(kind).label},
            f"{each['expected_trips']:g} ({each['at_least']:g}–{each['at_most']:g})",
            f"{each['realised_trips']:g}",
        )
        for kind, each in scored["kinds"].items()
    ]
    return [
        *lines,
        (_("Tasks"), str(scored["tasks"]), str(scored["tasks_done"])),
        (
            _("Rides with vehicles brought or charged, where they were put"),
            f"{rides['promised']:g}",
            f"{rides['realised']:g}",
        ),
        (_("Crew minutes"), f"{crew['planned_minutes']:g}", f"{crew['minutes']:g}"),
        (
            _("Kilometres driven (measured at %(share)s %% of the stops)")
            % {"share": f"{crew.get('measured_pct', 0):g}"},
            "–",
            f"{crew['km']:g}",
        ),
        (_("Kilometres walked"), "–", f"{crew.get('walked_km', 0):g}"),
        (_("Minutes at stops"), "–", f"{crew.get('stop_minutes', 0):g}"),
        (
            _("Value less cost"),
            format_money(promised_cents),
            format_money(scored["earned_cents"]),
        ),
    ]


def drop_text(task: RebalancingTask) -> str:
    """Why this task was given up, or nothing."""
    return str(DropReason(task.drop_reason).label) if task.drop_reason else ""


def replay_lines(result: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """A day lived again, line by line: what, without the plan, with it, the difference."""
    without, with_plan = result["without"], result["with"]
    crew = result["crew"]
    return [
        (
            _("Lost trips"),
            _span(without["lost"]),
            _span(with_plan["lost"]),
            _span(result["saved_trips"]),
        ),
        (_("Rides"), _span(without["rides"]), _span(with_plan["rides"]), ""),
        (_("Kilometres driven"), "0", f"{crew['km']:g}", ""),
        (_("Crew minutes"), "0", f"{crew['minutes']:g}", ""),
        (_("Cost"), format_money(0), format_money(crew["cost_cents"]), ""),
        (_("Saved trips less cost"), "", "", _span(result["net_cents"], money=True)),
    ]


def _span(spread: dict[str, float], *, money: bool = False) -> str:
    """The mean, and where nine of ten seeds lie."""
    if money:
        mean, low, high = (format_money(round(spread[key])) for key in ("mean", "low", "high"))
        return f"{mean} ({low} – {high})"
    return f"{spread['mean']:g} ({spread['low']:g} – {spread['high']:g})"
