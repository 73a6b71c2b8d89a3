"""One look at the city: two queries, however many people and audiences watch."""

import dataclasses
import datetime
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from django.db.models import Count, Q

from charging.stations.models import Site
from charging.stations.states import ConnectorStatus
from fleet.telematics.queries import MapRow, map_rows
from fleet.vehicles.models import Vehicle
from mobility.accounts.models import User
from mobility.live.audience import Audience
from mobility.live.rules import PUBLIC_VEHICLE, STAFF_VEHICLE, Picture, Row, Rows


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
    sketch = _Sketch(map_rows(organisation_ids=None), site_rows())
    return {audience: sketch.picture(audience, at) for audience in audiences}


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
        site.public_id,
        site.location.x,
        site.location.y,
        site.name,
        site.available,
        site.occupied,
        site.faulted,
        site.offline,
        site.total,
        site.organisation_id,
    )


class _Sketch:
    """Each vehicle's rows, drawn at most once for all audiences.

    Identifiers and instants stay what they are: the encoder writes them faster than Python would.
    """

    def __init__(self, vehicles: Iterable[MapRow], sites: Iterable[SiteRow]) -> None:
        self.vehicles = list(vehicles)
        self.sites = list(sites)

    @cached_property
    def public(self) -> Rows:
        """What anybody can rent."""
        return {
            vehicle.public_id: _public_row(vehicle) for vehicle in self.vehicles if vehicle.rentable
        }

    @cached_property
    def staff(self) -> list[tuple[int, Row]]:
        """Everything, with the organisation it belongs to."""
        return [(vehicle.organisation_id, _staff_row(vehicle)) for vehicle in self.vehicles]

    def picture(self, audience: Audience, at: datetime.datetime) -> Picture:
        """The part that an audience sees."""
        public = audience.kind == "public"
        seen = (row for organisation_id, row in self.staff if audience.sees(organisation_id))
        return Picture(
            at=at.isoformat(),
            vehicles=self.public if public else {row[0]: row for row in seen},
            sites={s.row[0]: s.row for s in self.sites if audience.sees(s.organisation_id)},
            vehicle_columns=PUBLIC_VEHICLE if public else STAFF_VEHICLE,
        )


def _public_row(vehicle: MapRow) -> Row:
    return (
        vehicle.public_id,
        vehicle.code,
        vehicle.kind,
        vehicle.lon,
        vehicle.lat,
        vehicle.battery_pct,
    )


def _staff_row(vehicle: MapRow) -> Row:
    return (
        *_public_row(vehicle),
        vehicle.state,
        vehicle.life_state,
        vehicle.rental_state,
        vehicle.link_state,
        vehicle.blocks,
        vehicle.rentable,
        vehicle.heading,
        vehicle.reported_at,
        vehicle.organisation_id,
    )
