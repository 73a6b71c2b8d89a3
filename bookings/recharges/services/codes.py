"""The codes on the stickers at connectors."""

import datetime

from django.db import transaction

from bookings.recharges.models import ConnectorCode
from charging.stations.models import Connector
from mobility.core import audit, ids
from mobility.core.principals import Principal

CODE_LENGTH = 10
# A new sticker has to be brought to the charger; until then the old one leads on.
OVERLAP = datetime.timedelta(days=7)
BATCH = 500


def issue_missing_codes(*, at: datetime.datetime, by: Principal) -> int:
    """Give every connector without a code one; returns how many."""
    coded = ConnectorCode.objects.current().values("connector_id")
    bare = list(
        Connector.objects.exclude(pk__in=coded).order_by("pk").values_list("pk", flat=True)[:BATCH]
    )
    made = ConnectorCode.objects.bulk_create(
        [ConnectorCode(connector_id=pk, code=_code(), issued_at=at) for pk in bare],
        ignore_conflicts=True,
    )
    return len(made)


def replace_code(
    *,
    connector: Connector,
    at: datetime.datetime,
    by: Principal,
    old_until: datetime.datetime | None = None,
) -> ConnectorCode:
    """A new code for a connector; the old one leads there until `old_until`, else for a week.

    A code that leaked, or whose sticker somebody pasted over, ends at once with `old_until=at`.
    """
    with transaction.atomic():
        Connector.objects.select_for_update().get(pk=connector.pk)
        ConnectorCode.objects.current().filter(connector=connector).update(
            valid_until=old_until or at + OVERLAP
        )
        code = ConnectorCode.objects.create(connector=connector, code=_code(), issued_at=at)
        audit.record(by=by, action="replace_code", row=connector, at=at)
    return code


def _code() -> str:
    return ids.short_code(CODE_LENGTH)
