"""Reads of vehicles."""

from fleet.vehicles.queries.papers import DocumentDue, documents_due, papers_due
from fleet.vehicles.queries.sources import STANDARD_SOURCES
from fleet.vehicles.queries.timeline import (
    TimelineEntry,
    TimelineSource,
    add_timeline_source,
    timeline,
)

for _source in STANDARD_SOURCES:
    add_timeline_source(_source)

__all__ = [
    "DocumentDue",
    "TimelineEntry",
    "TimelineSource",
    "add_timeline_source",
    "documents_due",
    "papers_due",
    "timeline",
]
