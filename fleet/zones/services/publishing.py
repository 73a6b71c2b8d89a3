"""Putting sets into force: check, publish from a moment on, go back, mark what is over."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import shapely
from django.contrib.gis.db.models.functions import AsWKB
from django.db import transaction
from django.db.models import Max, Q
from django.utils.translation import gettext_lazy as _
from psycopg.types.range import TimestamptzRange

from fleet.vehicles.models import VehicleType
from fleet.zones.models import Zone, ZoneSet
from fleet.zones.queries.rulebook import read_rulebook
from fleet.zones.rules.checking import DrawnZone, Finding, Severity, check_zones
from fleet.zones.services.drafts import NoSuchSet, create_draft, locked_draft
from fleet.zones.states import SetState
from mobility.core import audit, locks
from mobility.core.errors import Conflict, Invalid
from mobility.core.principals import SYSTEM, Principal
from mobility.core.transitions import move, move_many


class ZonesHaveErrors(Invalid):
    """`findings` are all of the check, errors first."""

    code = "zones_have_errors"
    message = _("The zones cannot be published as they are drawn.")

    def __init__(self, *, findings: Sequence[Finding]) -> None:
        super().__init__()
        self.findings = findings


class ZonesHaveWarnings(Conflict):
    """`findings` are the warnings that nobody has acknowledged."""

    code = "zones_have_warnings"
    message = _("Look at the warnings, and publish again if that is what you mean.")

    def __init__(self, *, findings: Sequence[Finding]) -> None:
        super().__init__()
        self.findings = findings


class TooEarly(Invalid):
    code = "starts_in_the_past"
    message = _("Zones come into force now or later, never in the past.")


class NeverPublished(Conflict):
    code = "never_published"
    message = _("One can go back only to zones that were published.")


def check_draft(*, zone_set: ZoneSet) -> list[Finding]:
    """What is wrong or strange with a set, errors first; see `rules.checking.check_zones`."""
    book = read_rulebook(zone_set)
    drawn = Zone.objects.filter(zone_set=zone_set).annotate(drawing=AsWKB("boundary"))
    rows: dict[int, Any] = {zone.pk: zone for zone in drawn.defer("boundary")}
    city = zone_set.city
    return check_zones(
        zones=[
            DrawnZone(
                info=info,
                shape=shapely.from_wkb(bytes(rows[info.zone_id].drawing)),
                capacity=rows[info.zone_id].capacity,
            )
            for info in book.zones
        ],
        global_rules=book.global_rules,
        city=shapely.from_wkb(bytes(city.boundary.wkb)) if city.boundary else None,
        vehicle_types=set(VehicleType.objects.values_list("code", flat=True)),
        needs_area=not book.binds_all_operators,
    )


@transaction.atomic
def publish(
    *,
    set_id: int,
    starts_at: datetime.datetime | None = None,
    acknowledged: bool = False,
    at: datetime.datetime,
    by: Principal,
) -> ZoneSet:
    """Put a draft into force from `starts_at` (default: `at`) on; from then on it alone holds.

    1. Refuse the past (`TooEarly`), errors (`ZonesHaveErrors`), and warnings that were not
       `acknowledged` (`ZonesHaveWarnings`).
    2. The version in force then ends there; one planned for later never comes into force.
    3. Number the draft and publish it. That two are never in force at once, the database keeps.
    """
    draft = locked_draft(set_id)
    starts = starts_at or at
    if starts < at:
        raise TooEarly
    _require_sound(draft, acknowledged=acknowledged)
    locks.advisory(f"zones:{draft.organisation_id}:{draft.city_id}")
    siblings = ZoneSet.objects.of(
        organisation_id=draft.organisation_id, city_id=draft.city_id
    ).exclude(state=SetState.DRAFT)
    for earlier in siblings.filter(Q(during__endswith=None) | Q(during__endswith__gt=starts)):
        _end(earlier, ends=starts, at=at, by=by)
    newest = siblings.aggregate(newest=Max("version"))["newest"] or 0
    return move(
        draft,
        to=SetState.PUBLISHED,
        at=at,
        by=by,
        version=newest + 1,
        during=TimestamptzRange(starts, None),
        published_at=at,
        published_by=by,
    )


@transaction.atomic
def rollback(
    *,
    set_id: int,
    starts_at: datetime.datetime | None = None,
    at: datetime.datetime,
    by: Principal,
) -> ZoneSet:
    """Publish what an older version said as a new version (`NeverPublished` for a draft).

    It was published before, so its warnings need no acknowledgement; errors are still refused, for
    the city may have changed.
    """
    older = ZoneSet.objects.filter(pk=set_id).first()
    if older is None:
        raise NoSuchSet
    if older.state == SetState.DRAFT:
        raise NeverPublished
    copy = create_draft(
        organisation_id=older.organisation_id,
        city_id=older.city_id,
        title=older.title,
        based_on=older.pk,
        at=at,
        by=by,
    )
    return publish(set_id=copy.pk, starts_at=starts_at, acknowledged=True, at=at, by=by)


@transaction.atomic
def supersede_ended(*, at: datetime.datetime) -> list[ZoneSet]:
    """Mark versions as superseded whose end, set when their successor was planned, has come."""
    over = ZoneSet.objects.filter(state=SetState.PUBLISHED, during__endswith__lte=at)
    return move_many(over, to=SetState.SUPERSEDED, at=at, by=SYSTEM)


def _require_sound(draft: ZoneSet, *, acknowledged: bool) -> None:
    findings = check_draft(zone_set=draft)
    if any(finding.severity == Severity.ERROR for finding in findings):
        raise ZonesHaveErrors(findings=findings)
    if findings and not acknowledged:
        raise ZonesHaveWarnings(findings=findings)


def _end(
    version: ZoneSet, *, ends: datetime.datetime, at: datetime.datetime, by: Principal
) -> None:
    """Let a version end; one that would only have begun then or later never does."""
    began = version.during.lower
    never = began is None or began >= ends
    during = TimestamptzRange(empty=True) if never else TimestamptzRange(began, ends)
    if version.state == SetState.PUBLISHED and (never or ends <= at):
        move(version, to=SetState.SUPERSEDED, at=at, by=by, during=during)
    else:
        ZoneSet.objects.filter(pk=version.pk).update(during=during)
        told = {"ends": None if never else ends.isoformat()}
        audit.record(by=by, action="end", row=version, at=at, changes=told)
