"""Writing tariffs: draft a version, publish it, end it. A published version never changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from charging.tariffs.models import Tariff, TariffPlace, TariffVersion
from charging.tariffs.rules import BadComponent, check_limits, read_components
from charging.tariffs.states import VersionState
from mobility.core import audit
from mobility.core.errors import Conflict, Invalid
from mobility.core.principals import Principal
from mobility.core.transitions import move


class TariffNotReadable(Invalid):
    """A component of the version makes no sense."""

    code = "tariff_not_readable"
    message = _("This price list cannot be used: %(problem)s")


class VersionsOverlap(Conflict):
    """Two published versions of one tariff would be valid at the same time."""

    code = "tariff_versions_overlap"
    message = _("Another published version of this tariff is valid in the same period.")


class NoDraft(Conflict):
    """A published version never changes."""

    code = "tariff_version_published"
    message = _("This version is published and changes no more. Draft another one.")


class TariffCodeTaken(Conflict):
    """An operator's tariffs have different codes, and one of them is the default."""

    code = "tariff_code_taken"
    message = _("You have a tariff with this code, or another default, already.")


@transaction.atomic
def open_tariff(
    *,
    organisation_id: int,
    code: str,
    name: Mapping[str, str],
    at: datetime,
    by: Principal,
    is_default: bool = False,
) -> Tariff:
    """Name a tariff; it prices nothing before a version is published. Raises TariffCodeTaken."""
    try:
        with transaction.atomic():
            tariff = Tariff.objects.create(
                organisation_id=organisation_id, code=code, name=dict(name), is_default=is_default
            )
    except IntegrityError as problem:
        raise TariffCodeTaken from problem
    audit.record(by=by, action="open_tariff", row=tariff, at=at)
    return tariff


@transaction.atomic
def draft_version(
    *,
    tariff_id: int,
    components: Sequence[Mapping[str, Any]],
    valid_from: datetime,
    at: datetime,
    by: Principal,
    valid_until: datetime | None = None,
    min_cents: int | None = None,
    max_cents: int | None = None,
) -> TariffVersion:
    """Write a new draft with the next number; limits are gross cents a charge.

    Raises TariffNotReadable.
    """
    checked = _checked(components, min_cents=min_cents, max_cents=max_cents)
    tariff = Tariff.objects.select_for_update().get(pk=tariff_id)
    highest = tariff.versions.aggregate(highest=Max("number"))["highest"] or 0
    version = TariffVersion.objects.create(
        tariff=tariff,
        number=highest + 1,
        valid=DateTimeTZRange(valid_from, valid_until),
        components=checked,
        min_cents=min_cents,
        max_cents=max_cents,
    )
    audit.record(by=by, action="draft_tariff", row=version, at=at)
    return version


@transaction.atomic
def change_draft(
    *,
    version_id: int,
    components: Sequence[Mapping[str, Any]],
    valid_from: datetime,
    at: datetime,
    by: Principal,
    valid_until: datetime | None = None,
    min_cents: int | None = None,
    max_cents: int | None = None,
) -> TariffVersion:
    """Write a draft anew. Raises TariffNotReadable, and NoDraft for what is published."""
    checked = _checked(components, min_cents=min_cents, max_cents=max_cents)
    version = TariffVersion.objects.select_for_update().get(pk=version_id)
    if version.state != VersionState.DRAFT:
        raise NoDraft
    version.components, version.valid = checked, DateTimeTZRange(valid_from, valid_until)
    version.min_cents, version.max_cents = min_cents, max_cents
    version.save(update_fields=["components", "valid", "min_cents", "max_cents"])
    audit.record(by=by, action="change_draft_tariff", row=version, at=at)
    return version


@transaction.atomic
def publish_version(*, version_id: int, at: datetime, by: Principal) -> TariffVersion:
    """Make a draft the price from its date on.

    1. A published version with open end that starts earlier ends where this one starts, unless
       that lies in the past: who charges already was told the old price.
    2. The draft becomes published; the database refuses two versions valid at once.

    Raises TariffNotReadable, VersionsOverlap, IllegalMove for what is no draft.
    """
    version = TariffVersion.objects.select_related("tariff").get(pk=version_id)
    _checked(version.components, min_cents=version.min_cents, max_cents=version.max_cents)
    starts = version.valid.lower
    superseded = TariffVersion.objects.select_for_update().filter(
        tariff=version.tariff,
        state=VersionState.PUBLISHED,
        valid__startswith__lt=starts,
        valid__upper_inf=True,
    )
    for earlier in superseded if starts >= at else ():
        earlier.valid = DateTimeTZRange(earlier.valid.lower, starts)
        earlier.save(update_fields=["valid"])
        audit.record(by=by, action="end_tariff", row=earlier, at=at)
    try:
        with transaction.atomic():
            return move(version, to=VersionState.PUBLISHED, at=at, by=by, published_at=at)
    except IntegrityError as problem:
        raise VersionsOverlap from problem


@transaction.atomic
def place_tariff(
    *,
    tariff_id: int,
    at: datetime,
    by: Principal,
    site_id: int | None = None,
    connector_id: int | None = None,
) -> TariffPlace:
    """Let a tariff apply to a site or to one connector, in place of what applied there before."""
    target = {"site_id": site_id} if connector_id is None else {"connector_id": connector_id}
    place, _created = TariffPlace.objects.update_or_create(
        **target,
        defaults={"tariff_id": tariff_id},
    )
    audit.record(by=by, action="place_tariff", row=place, at=at, changes={"tariff": tariff_id})
    return place


@transaction.atomic
def ensure_tariff(
    *,
    organisation_id: int,
    code: str,
    name: Mapping[str, str],
    components: Sequence[Mapping[str, Any]],
    valid_from: datetime,
    at: datetime,
    by: Principal,
    is_default: bool = False,
) -> Tariff:
    """The tariff of that code, with these components published; a changed list is a new version.

    Repeating it with the same list changes nothing, so set-up may run it every time.
    """
    tariff, _created = Tariff.objects.get_or_create(
        organisation_id=organisation_id,
        code=code,
        defaults={"name": dict(name), "is_default": is_default},
    )
    latest = tariff.versions.filter(state=VersionState.PUBLISHED).order_by("-number").first()
    if latest is None or latest.components != _checked(components):
        version = draft_version(
            tariff_id=tariff.pk,
            components=components,
            valid_from=valid_from if latest is None else at,
            at=at,
            by=by,
        )
        publish_version(version_id=version.pk, at=at, by=by)
    return tariff


def _checked(
    components: Sequence[Mapping[str, Any]],
    *,
    min_cents: int | None = None,
    max_cents: int | None = None,
) -> list[dict[str, Any]]:
    try:
        check_limits(min_cents=min_cents, max_cents=max_cents)
        return [component.as_json() for component in read_components(components)]
    except BadComponent as problem:
        raise TariffNotReadable(problem=str(problem)) from problem
