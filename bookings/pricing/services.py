"""Writes of prices: a draft becomes binding, once and for all."""

import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _
from psycopg.errors import ExclusionViolation

from bookings.pricing.models import NUMBERS, Tariff, TariffVersion
from bookings.pricing.queries import limits_on
from bookings.pricing.rules.check import BlocksInvalid, NumbersInvalid, PartsExclude, check_parts
from bookings.pricing.rules.limits import beyond
from bookings.pricing.states import TariffState
from mobility.core.errors import Conflict
from mobility.core.principals import Principal
from mobility.core.transitions import move

__all__ = [
    "BlocksInvalid",
    "NumbersInvalid",
    "PartsExclude",
    "PriceAboveLimit",
    "VersionsOverlap",
    "draft_successor",
    "draft_version",
    "publish_version",
]


class VersionsOverlap(Conflict):
    """Two versions of a tariff would hold at once."""

    code = "tariff_versions_overlap"
    message = _("Another published version of this tariff holds in this time. End it first.")


class PriceAboveLimit(Conflict):
    """Dearer than the city allows; `extra["above"]` names the numbers."""

    code = "price_above_limit"
    message = _("The city allows less: %(names)s.")


def draft_version(
    *, tariff: Tariff, valid_from: datetime.datetime, **numbers: Any
) -> TariffVersion:
    """Write a draft of `tariff` that holds from `valid_from` without end; `numbers` are its fields."""
    version = TariffVersion(tariff=tariff, valid=(valid_from, None), **numbers)
    check_parts(version.parts())
    version.save(force_insert=True)
    # As a range, which it was not when it was written.
    version.refresh_from_db(fields=["valid"])
    return version


def draft_successor(*, version_id: int, valid_from: datetime.datetime) -> TariffVersion:
    """Write a draft with all the numbers of a version, to be changed where the next one differs."""
    old = TariffVersion.objects.select_related("tariff").get(pk=version_id)
    numbers = {name: getattr(old, name) for name in NUMBERS if name != "tariff_id"}
    return draft_version(tariff=old.tariff, valid_from=valid_from, **numbers, **old.parts())


def publish_version(*, version_id: int, at: datetime.datetime, by: Principal) -> TariffVersion:
    """Put a draft into force and end the version it follows.

    1. Check that what was typed as JSON can be read (`NumbersInvalid`).
    2. No city in which the operator has vehicles allows less (`PriceAboveLimit`).
    3. The published version that holds when the new one begins ends there.
    4. Publish; a third version in the way is `VersionsOverlap`, decided by the database.
    """
    try:
        with transaction.atomic():
            version = TariffVersion.objects.select_related("tariff").get(pk=version_id)
            check_parts(version.parts())
            _refuse_above_limits(version)
            _end_predecessor(version)
            return move(version, to=TariffState.PUBLISHED, at=at, by=by)
    except IntegrityError as problem:
        if isinstance(problem.__cause__, ExclusionViolation):
            raise VersionsOverlap from problem
        raise


def _refuse_above_limits(version: TariffVersion) -> None:
    fare, tariff = version.fare(), version.tariff
    above: dict[str, int] = {}
    for row in limits_on(
        organisation_id=tariff.organisation_id, kinds=tariff.vehicle_kinds, during=version.valid
    ):
        above |= beyond(fare=fare, limit=row.limit())
    if above:
        raise PriceAboveLimit(extra={"above": above}, names=", ".join(sorted(above)))


def _end_predecessor(version: TariffVersion) -> None:
    starts_at = version.valid.lower
    earlier = TariffVersion.objects.in_force(starts_at).filter(tariff=version.tariff)
    for row in earlier.exclude(valid__startswith=starts_at):
        TariffVersion.objects.filter(pk=row.pk).update(valid=(row.valid.lower, starts_at))
