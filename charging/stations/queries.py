"""Reads about stations, their connectors and their commands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.contrib.gis.db.models.functions import Distance
from django.db.models import Exists, OuterRef, Prefetch, QuerySet

from charging.stations import sealing
from charging.stations.facts import CommandToSend, StationCredentials
from charging.stations.models import (
    ChargingStation,
    Connector,
    ConnectorHold,
    Evse,
    Site,
    SiteQuerySet,
    StationCommand,
)
from charging.stations.states import NUMBERED, CommandAction, CommandState, Registration
from mobility.core import geo

# The security profile whose stations show a certificate.
_BY_CERTIFICATE: Final = 3

ConnectorKey = tuple[int, int, int | None]
"""Station id, EVSE number, connector number or None for the EVSE's first."""


def credentials_by_identity(*, identities: Iterable[str]) -> dict[str, StationCredentials]:
    """What handshakes need to know of stations; one query for a whole storm of reconnects.

    Identities nobody provisioned are absent.
    """
    rows = ChargingStation.objects.filter(identity__in=set(identities)).values_list(
        "pk",
        "identity",
        "security_profile",
        "password_hash",
        "previous_password_hash",
        "ocpp_versions",
        "registration",
        "booted_at",
        "next_security_profile",
        "revoked_certificates",
        "vendor",
        "model",
        "firmware",
        "serial",
    )
    found = {row[1]: _credentials(*row) for row in rows}
    return _without_borrowed_names(found)


def _without_borrowed_names(found: dict[str, StationCredentials]) -> dict[str, StationCredentials]:
    """A serial number that is another station's identity opens nothing: its certificate is that one's.

    Only stations that may come by certificate are looked at; nobody else's name is compared.
    """
    named = {
        one.serial
        for one in found.values()
        if one.serial and _BY_CERTIFICATE in (one.security_profile, one.next_security_profile)
    }
    if not named:
        return found
    taken = set(
        ChargingStation.objects.filter(identity__in=named).values_list("identity", flat=True)
    )
    return {
        identity: replace(one, serial_is_taken=True)
        if one.serial in taken and one.serial != identity
        else one
        for identity, one in found.items()
    }


def _credentials(
    pk: int,
    identity: str,
    security_profile: int,
    password_hash: str,
    previous_password_hash: str,
    ocpp_versions: list[str],
    registration: str,
    booted_at: datetime | None,
    next_security_profile: int | None,
    revoked_certificates: list[str],
    *make: str,
) -> StationCredentials:
    vendor, model, firmware, serial = make
    return StationCredentials(
        station_id=pk,
        identity=identity,
        security_profile=security_profile,
        password_hashes=tuple(filter(None, (password_hash, previous_password_hash))),
        ocpp_versions=tuple(ocpp_versions),
        registration=registration,
        booted=booted_at is not None,
        next_security_profile=next_security_profile,
        revoked_certificates=tuple(revoked_certificates),
        vendor=vendor,
        model=model,
        firmware=firmware,
        serial=serial,
    )


class ConnectorRow(NamedTuple):
    """A connector as the hot paths need it; building model rows would cost them more."""

    pk: int
    public_id: UUID
    station_id: int
    identity: str
    site_id: int
    evse_number: int
    number: int
    status: str
    max_power_w: int
    told_status: str
    told_since: datetime | None
    told_times: int


def connectors_by_key(*, station_ids: Iterable[int]) -> dict[ConnectorKey, ConnectorRow]:
    """All connectors of the stations, by station, EVSE and connector number; one query.

    Under connector number None stands the EVSE's lowest connector, for stations that do not say.
    """
    found: dict[ConnectorKey, ConnectorRow] = {}
    rows = (
        Connector.objects.filter(evse__station_id__in=set(station_ids))
        .order_by("number")
        .values_list(
            "pk",
            "public_id",
            "evse__station_id",
            "evse__station__identity",
            "evse__station__site_id",
            "evse__number",
            "number",
            "status",
            "max_power_w",
            "told_status",
            "told_since",
            "told_times",
        )
    )
    for row in map(ConnectorRow._make, rows):
        found[row.station_id, row.evse_number, row.number] = row
        found.setdefault((row.station_id, row.evse_number, None), row)
    return found


def find_connector(
    connectors: dict[ConnectorKey, ConnectorRow],
    *,
    station_id: int,
    evse_number: int | None,
    connector_number: int | None,
) -> ConnectorRow | None:
    """The connector a station means; None if we have no such one. Never a guess."""
    if evse_number is None:
        return None
    return connectors.get((station_id, evse_number, connector_number))


def commands_to_send(*, gateway: str, at: datetime, limit: int) -> list[CommandToSend]:
    """What the gateway should send now: at most one command per station it holds.

    Queued and not expired, nothing in flight at that station; stop before start before all else,
    then the oldest.
    """
    in_flight = StationCommand.objects.filter(
        station_id=OuterRef("station_id"),
        state=CommandState.SENT,
    )
    waiting = (
        StationCommand.objects.filter(
            state=CommandState.QUEUED,
            expires_at__gt=at,
            station__gateway=gateway,
            station__connected_at__isnull=False,
        )
        .exclude(Exists(in_flight))
        .order_by("station_id", "priority", "id")
        .distinct("station_id")
        .select_related("station", "connector__evse")
    )
    return [to_send(command) for command in waiting[:limit]]


def to_send(command: StationCommand) -> CommandToSend:
    """A command as the gateway sees it; its station and connector should be loaded."""
    connector = command.connector
    return CommandToSend(
        command_id=command.pk,
        public_id=str(command.public_id),
        station_id=command.station_id,
        identity=command.station.identity,
        action=command.action,
        evse_number=connector.evse.number if connector else None,
        connector_number=connector.number if connector else None,
        payload=_arguments(command),
        expires_at=command.expires_at,
    )


def find_command(*, public_id: UUID | str) -> StationCommand | None:
    """A command with its station; None for one that is kept no more."""
    rows = StationCommand.objects.select_related("station")
    return rows.filter(public_id=public_id).first()


def sites_near(*, lon: float, lat: float, radius_m: float, limit: int) -> QuerySet[Site]:
    """Sites around a point, nearest first, each with `distance` and its stations loaded.

    Stations that we refuse to serve are left out. Four queries, however many sites.
    """
    here = geo.point(lon, lat)
    return (
        public_sites()
        .within(lon=lon, lat=lat, radius_m=radius_m)
        .annotate(distance=Distance("location", here))
        .order_by("distance", "pk")[:limit]
    )


def public_sites() -> SiteQuerySet:
    """Sites with what the public may see of them loaded: operator, stations, connectors."""
    served = ChargingStation.objects.exclude(registration=Registration.REJECTED)
    return Site.objects.select_related("organisation").prefetch_related(
        Prefetch("stations", queryset=served.order_by("identity")),
        Prefetch("stations__evses", queryset=Evse.objects.order_by("number")),
        Prefetch("stations__evses__connectors", queryset=Connector.objects.order_by("number")),
    )


def connectors_of_station(*, station_id: int) -> QuerySet[Connector]:
    """A station's connectors with their EVSEs, in order."""
    return (
        Connector.objects.filter(evse__station_id=station_id)
        .select_related("evse__station")
        .order_by("evse__number", "number")
    )


def held_connectors(*, connector_ids: Iterable[int], at: datetime) -> set[int]:
    """Connectors that somebody holds at the instant."""
    held = ConnectorHold.objects.filter(
        connector_id__in=set(connector_ids),
        released_at__isnull=True,
        during__contains=at,
    )
    return set(held.values_list("connector_id", flat=True))


def _arguments(command: StationCommand) -> dict[str, Any]:
    """Requests that something follows carry their own number, which stations echo in it."""
    given = sealing.opened(
        action=command.action, key=command.idempotency_key, payload=command.payload
    )
    if command.action == CommandAction.REMOTE_START:
        return {**given, "remote_start_id": command.pk}
    if command.action in NUMBERED:
        return {**given, "request_id": command.pk}
    return given
