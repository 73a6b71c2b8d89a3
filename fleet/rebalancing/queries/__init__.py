"""Reading for plans: what was, what is, and why a task exists."""

from fleet.rebalancing.queries.history import buckets_of, departures_by_cell, rides_of
from fleet.rebalancing.queries.progress import UnderWay, overtaken, tasks_of, under_way
from fleet.rebalancing.queries.situation import city_of, load_situation
from fleet.rebalancing.queries.texts import drop_text, note_texts, reason_text, score_lines
from fleet.rebalancing.queries.work import hub_names, plans_with_progress, tasks_with_place

__all__ = [
    "UnderWay",
    "buckets_of",
    "city_of",
    "departures_by_cell",
    "drop_text",
    "hub_names",
    "load_situation",
    "note_texts",
    "overtaken",
    "plans_with_progress",
    "reason_text",
    "rides_of",
    "score_lines",
    "tasks_of",
    "tasks_with_place",
    "under_way",
]
