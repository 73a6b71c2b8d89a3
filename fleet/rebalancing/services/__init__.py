"""Writes of rebalancing, one file for each group of verbs."""

from fleet.rebalancing.services.counting import Search, count_searches
from fleet.rebalancing.services.field import (
    TaskNotInHand,
    TooManyPhotos,
    VanNotFound,
    VanTaken,
    WhichVehicle,
    add_task_photo,
    arrive_at_task,
    assign_van,
    report_problem,
)
from fleet.rebalancing.services.planning import (
    NoFleet,
    compute_plan,
    fail_plan,
    make_plan,
    request_plan,
)
from fleet.rebalancing.services.publishing import close_overdue_plans, close_plan, publish_plan
from fleet.rebalancing.services.replaying import NothingToReplay, replay_day, replay_plan
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
    Told,
    WrongVehicles,
    claim_task,
    complete_task,
    drop_task,
)
from fleet.rebalancing.services.travelling import import_travel_table

__all__ = [
    "AlreadyPlanned",
    "NoFleet",
    "NotYourTask",
    "NothingAboard",
    "NothingToReplay",
    "PlanNotWorkable",
    "PlanSettled",
    "Search",
    "TaskNotFound",
    "TaskNotInHand",
    "Told",
    "TooManyPhotos",
    "VanNotFound",
    "VanTaken",
    "VehicleNotInPlan",
    "WhichVehicle",
    "WrongVehicles",
    "adapt_plans",
    "add_task",
    "add_task_photo",
    "arrive_at_task",
    "assign_van",
    "claim_task",
    "close_overdue_plans",
    "close_plan",
    "complete_task",
    "compute_plan",
    "count_searches",
    "drop_task",
    "fail_plan",
    "import_travel_table",
    "lock_task",
    "make_plan",
    "place_task",
    "publish_plan",
    "replay_day",
    "replay_plan",
    "report_problem",
    "request_plan",
    "request_revision",
    "revise_plan",
    "score_plans",
]
