"""The audit trail of the people of one's own organisations."""

from __future__ import annotations

import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db.models import DateTimeField, Exists, ExpressionWrapper, OuterRef, Q

from mobility.accounts.models import ApiToken, Membership, User
from mobility.core import clock
from mobility.core.models import AuditEntry
from mobility.desk.context import TRAIL_READERS

if TYPE_CHECKING:
    from django.db.models import QuerySet

# What leaves a row without changing anything.
LOOKS = ("look", "search", "export")
# No request takes longer to write down what it did.
_ONE_REQUEST = datetime.timedelta(minutes=2)


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
    """What these principals did at work, newest first: all of it, only looks, or only changes.

    `words` are part of the row's name or of the action; days are the city's, both included.
    Colleagues ride, too: requests that changed what a resident has (rides, money, papers, cases)
    are left out with all that they changed besides. What staff decide there stands with the ride,
    the refund and the case.
    """
    found = AuditEntry.objects.filter(by__in=by).filter(Q(action__in=LOOKS) | ~_of_a_resident())
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


def _of_a_resident() -> Q:
    """The entry, or another of the same request, is about a row that a resident has."""
    beside = AuditEntry.objects.filter(
        by=OuterRef("by"),
        request_id=OuterRef("request_id"),
        at__gte=_shifted(-_ONE_REQUEST),
        at__lte=_shifted(_ONE_REQUEST),
        row__regex=_residents_rows(),
    )
    return Q(row__regex=_residents_rows()) | (Q(request_id__gt="") & Q(Exists(beside)))


def _shifted(by: datetime.timedelta) -> ExpressionWrapper[Any]:
    return ExpressionWrapper(OuterRef("at") + by, output_field=DateTimeField())


@cache
def _residents_rows() -> str:
    """A pattern of the names of rows that belong to one person who rides or charges."""
    named = sorted(
        model._meta.label_lower
        for app in ("bookings", "mobility")
        for model in apps.get_app_config(app).get_models()
        if model not in (Membership, ApiToken)
        and any(
            field.name in ("user", "payer") and field.related_model is User
            for field in model._meta.fields
        )
    )
    return rf"^({'|'.join(named)}):".replace(".", r"\.")


def _midnight(day: datetime.date) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(), tzinfo=clock.CITY_ZONE)
