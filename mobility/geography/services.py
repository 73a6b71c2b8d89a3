"""Writing geography."""

import datetime

from django.contrib.gis.db.models import Union
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.db import transaction

from mobility.accounts import services as accounts
from mobility.accounts.states import OrganisationKind
from mobility.core import audit, geo
from mobility.core.principals import Principal
from mobility.geography.models import City

# Piazza del Duomo.
MILAN_CENTRE = (9.1919, 45.4642)


@transaction.atomic
def ensure_milan(*, at: datetime.datetime, by: Principal) -> City:
    """The first city, with the municipality as its organisation; created when missing."""
    comune = accounts.ensure_organisation(
        slug="comune",
        name={"it": "Comune di Milano", "en": "City of Milan"},
        kind=OrganisationKind.CITY,
        legal_name="Comune di Milano",
        address="Piazza della Scala 2, 20121 Milano",
    )
    city, created = City.objects.get_or_create(
        slug="milano",
        defaults={
            "name": {"it": "Milano", "en": "Milan"},
            "organisation": comune,
            "centre": geo.point(*MILAN_CENTRE),
        },
    )
    if created:
        audit.record(by=by, action="create_city", row=city, at=at)
    return city


@transaction.atomic
def cover_districts(*, city: City, at: datetime.datetime, by: Principal) -> None:
    """Let the city's service area be the union of its districts; without districts it stays as it is."""
    shape = city.districts.aggregate(shape=Union("boundary"))["shape"]
    if shape is None:
        return
    boundary = MultiPolygon(shape, srid=geo.WGS84) if isinstance(shape, Polygon) else shape
    if city.boundary is not None and city.boundary.equals(boundary):
        return
    city.boundary = boundary
    city.save(update_fields=["boundary"])
    audit.record(by=by, action="cover_districts", row=city, at=at)
