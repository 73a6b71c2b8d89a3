"""One look at the city: two queries, however many people and audiences watch."""

import dataclasses
import datetime
from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import Count, Q

from charging.stations.models import Site
from charging.stations.states import ConnectorStatus
from fleet.telematics.queries import MapRow, map_rows
from fleet.vehicles.models import Vehicle
from mobility.accounts.models import User
from mobility.live.audience import Audience
from mobility.live.rules import PUBLIC_VEHICLE, STAFF_VEHICLE, Picture, Row

# Six decimals are 11 cm: finer than any receiver, and a quarter of the bytes.
_PLACES = 6


@dataclasses.dataclass(frozen=True)
class SiteRow:
    """A charging site with how its connectors stand."""

    organisation_id: int
    row: Row


def audience_of(user: User) -> Audience:
    """The staff audience of a person: the organisations whose vehicles and sites they may see."""
    if user.is_superuser:
        return Audience.staff(None)
    seen = set(
        Vehicle.objects.visible_to(user).values_list("organisation_id", flat=True).distinct()
    )
    seen |= set(Site.objects.visible_to(user).values_list("organisation_id", flat=True).distinct())
    return Audience.staff(frozenset(seen))


def pictures(*, audiences: frozenset[Audience], at: datetime.datetime) -> dict[Audience, Picture]:
    """What each audience sees at `at`."""
    vehicles = map_rows(organisation_ids=None)
    sites = site_rows()
    return {audience: _picture(audience, vehicles, sites, at) for audience in audiences}


def site_rows() -> list[SiteRow]:
    """All charging sites with counts of their connectors by status, in one query."""
    sites = Site.objects.annotate(
        available=_connectors(ConnectorStatus.AVAILABLE),
        occupied=_connectors(ConnectorStatus.OCCUPIED, ConnectorStatus.RESERVED),
        faulted=_connectors(ConnectorStatus.FAULTED, ConnectorStatus.UNAVAILABLE),
        offline=Count("stations", filter=Q(stations__connected_at=None), distinct=True),
        total=Count("stations__evses__connectors", distinct=True),
    ).order_by("pk")
    return [SiteRow(organisation_id=site.organisation_id, row=_site_row(site)) for site in sites]


def _connectors(*statuses: ConnectorStatus) -> Count:
    path = "stations__evses__connectors"
    # A connector is only as free as its station can be reached.
    connected = Q(stations__connected_at__isnull=False) | ~Q(
        **{f"{path}__status": ConnectorStatus.AVAILABLE}
    )
    return Count(path, filter=Q(**{f"{path}__status__in": statuses}) & connected, distinct=True)


def _site_row(site: Any) -> Row:
    return (
        str(site.public_id),
        round(site.location.x, _PLACES),
        round(site.location.y, _PLACES),
        site.name,
        site.available,
        site.occupied,
        site.faulted,
        site.offline,
        site.total,
        site.organisation_id,
    )


def _picture(
    audience: Audience, vehicles: Iterable[MapRow], sites: Iterable[SiteRow], at: datetime.datetime
) -> Picture:
    public = audience.kind == "public"
    row: Callable[[MapRow], Row] = _public_row if public else _staff_row
    return Picture(
        at=at.isoformat(),
        vehicles={
            str(vehicle.public_id): row(vehicle)
            for vehicle in vehicles
            if (vehicle.rentable if public else audience.sees(vehicle.organisation_id))
        },
        sites={site.row[0]: site.row for site in sites if audience.sees(site.organisation_id)},
        vehicle_columns=PUBLIC_VEHICLE if public else STAFF_VEHICLE,
    )


def _public_row(vehicle: MapRow) -> Row:
    return (
        str(vehicle.public_id),
        vehicle.code,
        vehicle.kind,
        round(vehicle.lon, _PLACES),
        round(vehicle.lat, _PLACES),
        vehicle.battery_pct,
    )


def _staff_row(vehicle: MapRow) -> Row:
    return (
        *_public_row(vehicle),
        vehicle.state,
        vehicle.life_state,
        vehicle.rental_state,
        vehicle.link_state,
        list(vehicle.blocks),
        vehicle.rentable,
        vehicle.heading,
        vehicle.reported_at.isoformat(timespec="seconds"),
        vehicle.organisation_id,
    )
