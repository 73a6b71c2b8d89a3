"""The audit trail of deeds: append-only, written in the transaction of the deed itself."""

import datetime
import json
from typing import Any

from django.db import models

from mobility.core.models import AuditEntry
from mobility.core.principals import Principal
from mobility.core.tracing import current_request_id

COLUMNS = "at, by, action, row, changes, request_id"
SELECTED = "%s, %s, %s, %s, %s::jsonb, %s"


def row_name(row: models.Model) -> str:
    """A row's name in the trail: `bookings.trip:42`."""
    return f"{row._meta.label_lower}:{row.pk}"


def entry(
    *,
    by: Principal,
    action: str,
    row: models.Model,
    at: datetime.datetime,
    changes: dict[str, Any] | None = None,
) -> AuditEntry:
    """An unsaved entry; callers with many rows save them in one statement."""
    return AuditEntry(
        at=at,
        by=by,
        action=action,
        row=row_name(row),
        changes=changes or {},
        request_id=current_request_id(),
    )


def values(
    *,
    by: Principal,
    action: str,
    row: models.Model,
    at: datetime.datetime,
    changes: dict[str, Any],
) -> list[Any]:
    """An entry's values in the order of `COLUMNS`: for who writes it in a statement with its deed."""
    return [at, by, action, row_name(row), json.dumps(changes), current_request_id()]


def record(
    *,
    by: Principal,
    action: str,
    row: models.Model,
    at: datetime.datetime,
    changes: dict[str, Any] | None = None,
) -> None:
    """Write that `by` did `action` to `row`. Call it inside the transaction of the deed."""
    entry(by=by, action=action, row=row, at=at, changes=changes).save(force_insert=True)
