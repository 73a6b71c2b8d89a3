"""Keeping travel times: imported by staff, or asked of a road service.

DomainError
└── Invalid  TableUnreadable
"""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import Mapping

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from fleet.vans.models import TravelTable
from fleet.vans.queries import forgettable_tables
from fleet.vans.states import TravelSource
from mobility.core import audit
from mobility.core.errors import Invalid
from mobility.core.principals import Principal

COLUMNS = ("from", "to", "minutes")
# Beyond a day nobody drives inside a city: it is seconds, or a slip.
MOST_MINUTES = 24 * 60.0
KEEP_ROAD = datetime.timedelta(days=30)


class TableUnreadable(Invalid):
    code = "travel_table_unreadable"
    message = _("Line %(line)s: %(why)s")


def keep_table(
    *,
    organisation_id: int,
    city_id: int,
    name: str,
    source: TravelSource,
    points: list[tuple[float, float]],
    packed: bytes,
    holes: int,
    at: datetime.datetime,
    by: Principal,
) -> TravelTable:
    """Keep a table for good; `packed` is how `rules.travel.TravelTimes` writes it."""
    with transaction.atomic():
        table = TravelTable.objects.create(
            organisation_id=organisation_id,
            city_id=city_id,
            name=name,
            source=source,
            points=[list(point) for point in points],
            minutes=packed,
            holes=holes,
            created_at=at,
            created_by=by,
        )
        audit.record(by=by, action="keep_travel_table", row=table, at=at)
    return table


def read_table(
    text: str, *, places: Mapping[str, tuple[float, float]]
) -> tuple[list[str], dict[tuple[int, int], float]]:
    """Codes and minutes by pair of a CSV with the columns `from`, `to` and `minutes`.

    Codes are those of hubs and districts. A pair that is missing, or whose minutes are empty, is a
    hole; a pair given in one direction only is one in the other. Raises `TableUnreadable` with the
    line.
    """
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff")))
    if reader.fieldnames is None or not set(COLUMNS) <= set(reader.fieldnames):
        raise TableUnreadable(line=1, why=_("the columns are from, to, minutes."))
    codes: dict[str, int] = {}
    minutes: dict[tuple[int, int], float] = {}
    for line, row in enumerate(reader, start=2):
        pair = []
        for column in ("from", "to"):
            code = (row[column] or "").strip()
            if code not in places:
                raise TableUnreadable(
                    line=line, why=_("no hub or district has the code “%s”.") % code
                )
            pair.append(codes.setdefault(code, len(codes)))
        word = (row["minutes"] or "").strip().replace(",", ".")
        if word:
            minutes[pair[0], pair[1]] = _minutes(word, line=line)
    if not minutes:
        raise TableUnreadable(line=1, why=_("no pair has minutes."))
    return list(codes), minutes


def _minutes(word: str, *, line: int) -> float:
    try:
        value = float(word)
    except ValueError as error:
        raise TableUnreadable(line=line, why=_("“%s” is no number.") % word) from error
    if not 0 <= value <= MOST_MINUTES:
        raise TableUnreadable(line=line, why=_("%s minutes cannot be.") % word)
    return value


def forget_road_tables(*, at: datetime.datetime) -> int:
    """Delete what a road service said for plans of long ago; returns how many tables."""
    old = TravelTable.objects.filter(pk__in=list(forgettable_tables(before=at - KEEP_ROAD)))
    return old.delete()[1].get("fleet.TravelTable", 0)
