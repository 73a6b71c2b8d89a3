"""Why a task exists and what became of it, as sentences in the reader's language."""

from __future__ import annotations

from django.utils.translation import gettext as _

from fleet.rebalancing.models import RebalancingTask
from fleet.rebalancing.states import DropReason, Reason


def reason_text(task: RebalancingTask) -> str:
    """Why this task is worth doing, with its figures."""
    text = _("%(stock)s stand here, %(target)s are enough.")
    if task.reason == Reason.LOW_BATTERY:
        text = _(
            "Battery at %(battery_pct)s %%: nobody can ride it. A swap is worth about %(trips)s trips."
        )
    elif task.reason == Reason.SHORTAGE:
        text = _(
            "%(stock)s stand here and %(target)s will be asked for: about %(trips)s more trips."
        )
    return str(text % task.reason_params)


def drop_text(task: RebalancingTask) -> str:
    """Why this task was given up, or nothing."""
    return str(DropReason(task.drop_reason).label) if task.drop_reason else ""
