"""Work orders as a table that a spreadsheet opens without running anything."""

from __future__ import annotations

import csv
import datetime
from collections.abc import Iterable

from django.http import HttpResponse

from fleet.maintenance.models import WorkOrder
from mobility.core.spreadsheets import safe_cell

HEAD = (
    "vehicle", "type", "reason", "title", "state", "priority", "opened_at", "started_at",
    "finished_at", "downtime_hours", "labour_minutes", "parts", "parts_cents", "cost_cents",
    "total_cents", "currency", "notes",
)  # fmt: skip


def as_csv(orders: Iterable[WorkOrder], *, at: datetime.datetime) -> HttpResponse:
    """The orders, loaded `orders_with_story()`, one line each; time away counts until `at`."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="work-orders.csv"'
    writer = csv.writer(response)
    writer.writerow(HEAD)
    for order in orders:
        writer.writerow([safe_cell(cell) for cell in _row(order, at=at)])
    return response


def _row(order: WorkOrder, *, at: datetime.datetime) -> tuple[object, ...]:
    return (
        order.vehicle.code,
        order.vehicle.type.code,
        order.reason,
        order.heading,
        order.state,
        order.priority,
        _iso(order.opened_at),
        _iso(order.started_at),
        _iso(order.finished_at),
        round(order.downtime(at=at).total_seconds() / 3600, 2),
        order.labour_minutes,
        "; ".join(f"{part.quantity} x {part.name}" for part in order.parts.all()),
        order.parts_cents,
        order.cost_cents,
        order.total_cents,
        order.currency,
        order.notes,
    )


def _iso(at: datetime.datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""
