"""One row in every table that the city of the tenancy tests leaves empty, so that each list has something to show."""

from __future__ import annotations

import datetime
from typing import Any

from django.contrib.gis.db.models import GeometryField
from django.contrib.gis.geos import GEOSGeometry
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField
from django.db import Error, models, transaction
from django.db.models.fields import NOT_PROVIDED

from mobility.accounts.models import Organisation, User
from mobility.core import clock, ids
from tests.faces.counting.growth import copied_models

# Whose contents a page reads: rows of the log-in library's, and results with a shape of their own.
LEFT_EMPTY = ("mfa.", "socialaccount.", "bookings.Ledger", "fleet.DayReplay")
AREA = "MULTIPOLYGON(((9.1 45.4,9.2 45.4,9.2 45.5,9.1 45.4)))"


def fill(*, people: dict[str, User]) -> set[str]:
    """A plain row in each empty table where plain values are accepted; the tables still empty."""
    empty = set()
    for model in copied_models():
        label = model._meta.label
        if model._base_manager.exists():
            continue
        if label.startswith(LEFT_EMPTY):
            empty.add(label)
            continue
        try:
            with transaction.atomic():
                model._base_manager.bulk_create([_row(model, people)])
        except (Error, ValueError, TypeError):
            empty.add(label)
    return empty


def _row(model: type[models.Model], people: dict[str, User]) -> models.Model:
    values = {}
    for field in model._meta.local_concrete_fields:
        optional = field.null or field.default is not NOT_PROVIDED or field.generated
        if isinstance(field, models.AutoField) or (optional and not field.is_relation):
            continue
        value = _related(field, people) if field.is_relation else _plain(field)
        if value is not None:
            values[field.name] = value
    return model(**values)


def _related(field: Any, people: dict[str, User]) -> models.Model | None:
    """Giulia's, and of the organisation that has such things; else whatever is there."""
    target, room = field.related_model, field.model._meta.app_label
    if target is User:
        return people["giulia"]
    if target is Organisation:
        return Organisation.objects.get(slug="colonnine" if room == "charging" else "ruote")
    found: models.Model | None = target._base_manager.order_by("pk").first()
    return found


def _plain(field: Any) -> object:
    if field.choices:
        return next(value for value, _label in field.flatchoices if value not in {"", None})
    return next((make(field) for kind, make in _PLAIN.items() if isinstance(field, kind)), None)


def _shape(field: Any) -> GEOSGeometry:
    return GEOSGeometry(
        "POINT(9.19 45.46)" if field.geom_type == "POINT" else AREA, srid=field.srid
    )


_PLAIN: dict[type[models.Field[Any, Any]], Any] = {
    models.UUIDField: lambda _field: ids.uuid7(),
    models.DateTimeField: lambda _field: clock.now(),
    models.DateField: lambda _field: clock.service_day(clock.now()),
    models.TimeField: lambda _field: datetime.time(8),
    models.JSONField: lambda _field: {},
    models.BooleanField: lambda _field: False,
    models.BinaryField: lambda _field: b"",
    models.DecimalField: lambda _field: 0,
    models.FloatField: lambda _field: 1.0,
    models.IntegerField: lambda _field: 1,
    models.CharField: lambda field: "x" if (field.max_length or 9) < 9 else "filled",
    models.TextField: lambda _field: "filled",
    ArrayField: lambda _field: [],
    DateTimeRangeField: lambda _field: (clock.now(), None),
    GeometryField: _shape,
}
