"""What work in the street keeps about a crew, and how it is cut off from them."""

import datetime
from typing import Any

from fleet.rebalancing.models import RebalancingTask, TaskPhoto, VanCrew
from mobility.accounts import privacy
from mobility.accounts.models import User
from mobility.core.principals import Principal


def export(*, user: User) -> list[Any]:
    """Every task they had in hand: what, where, when, and how far they came for it."""
    had = RebalancingTask.objects.filter(assignee=user).order_by("pk")
    return list(
        had.values(
            "kind", "vehicle__code", "lon", "lat", "state", "drop_reason", "claimed_at", "arrived_at",
            "finished_at", "driven_m", "walked_m",
        )
    )  # fmt: skip


def erase(*, user: User, nobody: User, at: datetime.datetime, by: Principal) -> None:
    """That the work was done stays with the vehicle; who did it, and how far they walked, goes."""
    VanCrew.objects.filter(crew=user).delete()
    TaskPhoto.objects.filter(taken_by=user.principal).update(taken_by=nobody.principal)
    RebalancingTask.objects.filter(assignee=user).update(
        assignee=nobody, arrived_at=None, driven_m=None, walked_m=None
    )


privacy.register("crew_tasks", export=export, erase=erase)
