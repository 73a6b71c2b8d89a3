"""Writes of rebalancing, one file for each group of verbs."""

from fleet.rebalancing.services.counting import Search, count_searches
from fleet.rebalancing.services.planning import (
    NoFleet,
    compute_plan,
    fail_plan,
    make_plan,
    request_plan,
)
from fleet.rebalancing.services.publishing import close_overdue_plans, close_plan, publish_plan
from fleet.rebalancing.services.revising import (
    AlreadyPlanned,
    PlanSettled,
    VehicleNotInPlan,
    adapt_plans,
    add_task,
    lock_task,
    place_task,
    request_revision,
    revise_plan,
)
from fleet.rebalancing.services.scoring import score_plans
from fleet.rebalancing.services.tasks import (
    NothingAboard,
    NotYourTask,
    PlanNotWorkable,
    TaskNotFound,
    WrongVehicles,
    claim_task,
    complete_task,
    drop_task,
)

__all__ = [
    "AlreadyPlanned",
    "NoFleet",
    "NotYourTask",
    "NothingAboard",
    "PlanNotWorkable",
    "PlanSettled",
    "Search",
    "TaskNotFound",
    "VehicleNotInPlan",
    "WrongVehicles",
    "adapt_plans",
    "add_task",
    "claim_task",
    "close_overdue_plans",
    "close_plan",
    "complete_task",
    "compute_plan",
    "count_searches",
    "drop_task",
    "fail_plan",
    "lock_task",
    "make_plan",
    "place_task",
    "publish_plan",
    "request_plan",
    "request_revision",
    "revise_plan",
    "score_plans",
]
