"""The audit trail of the people of one's own organisations."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from mobility.accounts.models import Membership, User
from mobility.core import clock
from mobility.core.models import AuditEntry
from mobility.desk.context import TRAIL_READERS

if TYPE_CHECKING:
    from django.db.models import QuerySet

# What leaves a row without changing anything.
LOOKS = ("look", "search", "export")


def colleagues(*, reader: User) -> dict[str, User]:
    """The people with a role in the reader's organisations, the reader too, by their principals."""
    people = User.objects.all()
    if not reader.is_superuser:
        theirs = Membership.objects.filter(organisation__in=reader.organisations_as(*TRAIL_READERS))
        people = people.filter(pk__in=theirs.values("user"))
    else:
        people = people.filter(memberships__isnull=False).distinct()
    return {one.principal: one for one in people.order_by("email")}


def entries(
    *,
    by: list[str],
    looks: bool | None = None,
    words: str = "",
    first: datetime.date | None = None,
    last: datetime.date | None = None,
) -> QuerySet[AuditEntry]:
    """What these principals did, newest first: all of it, only looks, or only changes; `words` are
    part of the row's name or of the action; days are the city's, both included."""
    found = AuditEntry.objects.filter(by__in=by)
    if looks is not None:
        found = found.filter(action__in=LOOKS) if looks else found.exclude(action__in=LOOKS)
    if words:
        found = found.filter(row__icontains=words) | found.filter(action__icontains=words)
    bounds: dict[str, Any] = {}
    if first is not None:
        bounds["at__gte"] = _midnight(first)
    if last is not None:
        bounds["at__lt"] = _midnight(last + datetime.timedelta(days=1))
    return found.filter(**bounds).order_by("-at", "-id")


def _midnight(day: datetime.date) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(), tzinfo=clock.CITY_ZONE)
