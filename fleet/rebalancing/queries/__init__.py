"""Reading for plans: what was, what is, and why a task exists."""

from fleet.rebalancing.queries.figures import (
    Decision,
    decisions_of,
    figures_of,
    names_of,
    outcomes_of,
    tariff_of,
)
from fleet.rebalancing.queries.ground import aboard_since_before, specs_of
from fleet.rebalancing.queries.habit import load_habit
from fleet.rebalancing.queries.history import (
    buckets_of,
    departures_by_cell,
    full_hour,
    rides_of,
)
from fleet.rebalancing.queries.progress import (
    UnderWay,
    overtaken,
    tasks_of,
    under_way,
    visits_before,
    visits_of,
)
from fleet.rebalancing.queries.riders import expects_of_riders, rider_work
from fleet.rebalancing.queries.situation import city_of, load_situation
from fleet.rebalancing.queries.texts import (
    drop_text,
    note_texts,
    reason_text,
    replay_lines,
    score_lines,
)
from fleet.rebalancing.queries.tours import (
    Pack,
    PackLoad,
    Tour,
    crews_of,
    packs_for,
    tour_sheet,
    tours_of,
)
from fleet.rebalancing.queries.work import hub_names, plans_with_progress, tasks_with_place

__all__ = [
    "Decision",
    "Pack",
    "PackLoad",
    "Tour",
    "UnderWay",
    "aboard_since_before",
    "buckets_of",
    "city_of",
    "crews_of",
    "decisions_of",
    "departures_by_cell",
    "drop_text",
    "expects_of_riders",
    "figures_of",
    "full_hour",
    "hub_names",
    "load_habit",
    "load_situation",
    "names_of",
    "note_texts",
    "outcomes_of",
    "overtaken",
    "packs_for",
    "plans_with_progress",
    "reason_text",
    "replay_lines",
    "rider_work",
    "rides_of",
    "score_lines",
    "specs_of",
    "tariff_of",
    "tasks_of",
    "tasks_with_place",
    "tour_sheet",
    "tours_of",
    "under_way",
    "visits_before",
    "visits_of",
]
