"""Which tariff version prices what, when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from charging.stations.models import Connector
from charging.tariffs.models import Tariff, TariffPlace, TariffVersion


@dataclass(frozen=True, slots=True)
class _Place:
    site_id: int
    organisation_id: int


def versions_for_connectors(
    *,
    connector_ids: Iterable[int],
    at: datetime,
) -> dict[int, TariffVersion]:
    """The version that prices each connector at the instant; connectors without one are absent.

    The connector's own tariff wins over its site's, that over the operator's default. Three
    queries, however many connectors.
    """
    places = _places(connector_ids)
    tariff_ids = _tariff_ids(places)
    versions = {
        version.tariff_id: version
        for version in TariffVersion.objects.valid_at(at)
        .filter(tariff_id__in=set(tariff_ids.values()))
        .select_related("tariff")
    }
    return {
        connector_id: versions[tariff_id]
        for connector_id, tariff_id in tariff_ids.items()
        if tariff_id in versions
    }


def version_for_connector(*, connector_id: int, at: datetime) -> TariffVersion | None:
    """The version that prices one connector at the instant."""
    return versions_for_connectors(connector_ids=[connector_id], at=at).get(connector_id)


def _places(connector_ids: Iterable[int]) -> dict[int, _Place]:
    rows = Connector.objects.filter(pk__in=set(connector_ids)).values_list(
        "pk",
        "evse__station__site_id",
        "evse__station__site__organisation_id",
    )
    return {pk: _Place(site_id, organisation_id) for pk, site_id, organisation_id in rows}


def _tariff_ids(places: dict[int, _Place]) -> dict[int, int]:
    assigned = TariffPlace.objects.filter(connector_id__in=places) | TariffPlace.objects.filter(
        site_id__in={place.site_id for place in places.values()},
    )
    by_connector: dict[int, int] = {}
    by_site: dict[int, int] = {}
    for place in assigned:
        if place.connector_id is not None:
            by_connector[place.connector_id] = place.tariff_id
        elif place.site_id is not None:
            by_site[place.site_id] = place.tariff_id
    defaults = dict(
        Tariff.objects.filter(
            is_default=True,
            organisation_id__in={place.organisation_id for place in places.values()},
        ).values_list("organisation_id", "pk"),
    )
    chosen = {
        pk: by_connector.get(pk)
        or by_site.get(place.site_id)
        or defaults.get(place.organisation_id)
        for pk, place in places.items()
    }
    return {pk: tariff_id for pk, tariff_id in chosen.items() if tariff_id is not None}
