"""Keeping a connector for somebody; the database decides who is first."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.translation import gettext_lazy as _

from charging.stations.models import ConnectorHold
from mobility.core import audit, locks
from mobility.core.errors import Conflict
from mobility.core.principals import Principal


class ConnectorTaken(Conflict):
    """Somebody else holds the connector in that time."""

    code = "connector_taken"
    message = _("This connector is already reserved for that time.")


@transaction.atomic
def hold_connector(
    *,
    connector_id: int,
    since: datetime,
    until: datetime,
    holder_ref: str,
    at: datetime,
    by: Principal,
) -> ConnectorHold:
    """Keep a connector from `since` to before `until`. Raises ConnectorTaken on any overlap.

    The constraint decides. Who waits for it in turn cannot wait for each other, as several rows that
    are checked against one another at once may.
    """
    try:
        with transaction.atomic():
            locks.advisory(f"connector-hold:{connector_id}")
            hold = ConnectorHold.objects.create(
                connector_id=connector_id,
                during=DateTimeTZRange(since, until),
                holder_ref=holder_ref,
                created_at=at,
            )
    except IntegrityError as problem:
        raise ConnectorTaken from problem
    audit.record(by=by, action="hold_connector", row=hold, at=at)
    return hold


@transaction.atomic
def release_connector(*, hold_id: int, at: datetime, by: Principal) -> None:
    """Give a held connector free; doing it again changes nothing."""
    held = ConnectorHold.objects.filter(pk=hold_id, released_at__isnull=True)
    if held.update(released_at=at):
        hold = ConnectorHold.objects.get(pk=hold_id)
        audit.record(by=by, action="release_connector", row=hold, at=at)
