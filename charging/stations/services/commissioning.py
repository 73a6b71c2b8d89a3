"""Bringing stations into service: sites, stations, their connectors and passwords."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.contrib.gis.geos import Point
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from charging.stations.models import (
    OCPP_VERSIONS,
    ChargingStation,
    Connector,
    Evse,
    Site,
)
from charging.stations.rules import hash_password
from charging.stations.services.connections import turn_out_station
from charging.stations.states import ConnectorStatus
from mobility.core import audit, ids
from mobility.core.errors import Conflict, Invalid
from mobility.core.principals import Principal
from mobility.core.transitions import move

_MAX_IDENTITY: Final = 48
_MAX_CONNECTORS: Final = 64
# 24 random bytes make 32 characters; OCPP 1.6 security allows 16 to 40 of them.
_SECRET_BYTES: Final = 24


class IdentityTaken(Conflict):
    """A station with this identity is there already."""

    code = "station_identity_taken"
    message = _("There already is a station with the identity %(identity)s.")


class IdentityMalformed(Invalid):
    """The identity cannot stand in a URL and in a Basic authentication header."""

    code = "station_identity_malformed"
    message = _("An identity has 1 to 48 printable characters and no colon.")


class ConnectorsMalformed(Invalid):
    """The station would have no connector, or more than anybody builds."""

    code = "connectors_malformed"
    message = _("A station has between 1 and 64 connectors.")


class StationBusy(Conflict):
    """It cannot be moved now, or not there."""

    code = "station_not_movable"
    message = _("A station moves between sites of one operator, while nobody is plugged in.")


class PasswordMalformed(Invalid):
    """The password cannot be used by a station."""

    code = "station_password_malformed"
    message = _("A password has 1 to 100 printable characters; OCPP asks for 16 to 40.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorPlan:
    """A connector to be, at the EVSE of that number, else at one of its own, numbered in order."""

    evse: int | None = None
    standard: str = Connector.Standard.TYPE_2
    format: str = Connector.Format.SOCKET
    power_type: str = Connector.PowerType.AC_3_PHASE
    max_power_w: int = 22_000


@transaction.atomic
def ensure_site(
    *,
    organisation_id: int,
    name: Mapping[str, str],
    location: Point,
    at: datetime,
    by: Principal,
    city_id: int | None = None,
    hub_id: int | None = None,
    address: str = "",
    grid_limit_w: int | None = None,
) -> Site:
    """The operator's site of that Italian (or only) name, made if it is not there."""
    shown = name.get("it") or next(iter(name.values()))
    site = Site.objects.filter(organisation_id=organisation_id, name__it=shown).first()
    if site is not None:
        return site
    site = Site.objects.create(
        organisation_id=organisation_id,
        city_id=city_id,
        hub_id=hub_id,
        name={"it": shown, **name},
        address=address,
        location=location,
        grid_limit_w=grid_limit_w,
    )
    audit.record(by=by, action="add_site", row=site, at=at)
    return site


@transaction.atomic
def add_charger(
    *,
    identity: str,
    site: Site,
    connectors: Sequence[ConnectorPlan],
    at: datetime,
    by: Principal,
    password: str | None = None,
    security_profile: int = 1,
    ocpp_versions: Sequence[str] = OCPP_VERSIONS,
) -> tuple[ChargingStation, str]:
    """Commission a station; returns it with its password, which is kept only as a hash.

    Without a password a random one is made; security profile 0 has none (empty text).
    Raises IdentityTaken, IdentityMalformed, ConnectorsMalformed, PasswordMalformed.
    """
    check_plan(identity=identity, connectors=len(connectors))
    secret = _secret(password) if security_profile else ""
    station, created = ChargingStation.objects.get_or_create(
        identity=identity,
        defaults={
            "site": site,
            "security_profile": security_profile,
            "password_hash": _hashed(secret) if secret else "",
            "ocpp_versions": list(ocpp_versions),
        },
    )
    if not created:
        raise IdentityTaken(identity=identity)
    _add_connectors(station, connectors)
    audit.record(by=by, action="add_charger", row=station, at=at)
    return station, secret


@transaction.atomic
def reset_password(
    *,
    station_id: int,
    at: datetime,
    by: Principal,
    password: str | None = None,
) -> str:
    """Give a station a new password at once and return it.

    The old one opens nothing any more, and what it had opened is closed.
    """
    secret = _secret(password)
    station = ChargingStation.objects.select_for_update().get(pk=station_id)
    station.password_hash, station.previous_password_hash = _hashed(secret), ""
    station.save(update_fields=["password_hash", "previous_password_hash"])
    turn_out_station(station_id=station_id, at=at)
    audit.record(by=by, action="reset_password", row=station, at=at)
    return secret


@transaction.atomic
def set_registration(
    *,
    station_id: int,
    to: str,
    at: datetime,
    by: Principal,
) -> ChargingStation:
    """Decide whether we serve a station; it learns of it at its next boot."""
    station = ChargingStation.objects.select_for_update().get(pk=station_id)
    if station.registration == to:
        return station
    return move(station, to=to, at=at, by=by, field="registration")


def check_plan(*, identity: str, connectors: int) -> None:
    """Refuse what cannot be commissioned. Raises IdentityMalformed, ConnectorsMalformed."""
    fits = 1 <= len(identity) <= _MAX_IDENTITY and identity.isprintable()
    # RFC 7617 §2: a user name with a colon cannot be told from the password after it.
    if not fits or ":" in identity or identity != identity.strip():
        raise IdentityMalformed
    if not 1 <= connectors <= _MAX_CONNECTORS:
        raise ConnectorsMalformed


def _secret(password: str | None) -> str:
    if password is None:
        return ids.secret(_SECRET_BYTES)
    if not 1 <= len(password) <= 100 or not password.isprintable():
        raise PasswordMalformed
    return password


def _hashed(password: str) -> str:
    return hash_password(password=password, salt=ids.secret(12))


def _add_connectors(station: ChargingStation, plans: Sequence[ConnectorPlan]) -> None:
    """Behind what is there already; connectors of one EVSE are numbered in the order of the plans."""
    evses = {evse.number: evse for evse in station.evses.all()}
    taken = Counter(
        Connector.objects.filter(evse__in=evses.values()).values_list("evse__number", flat=True)
    )
    numbers: list[int] = []
    for plan in plans:
        number = plan.evse if plan.evse is not None else max([0, *evses, *numbers]) + 1
        numbers.append(number)
    fresh = sorted({*numbers} - {*evses})
    made = Evse.objects.bulk_create([Evse(station=station, number=one) for one in fresh])
    evses |= {evse.number: evse for evse in made}
    rows = []
    for number, plan in zip(numbers, plans, strict=True):
        taken[number] += 1
        rows.append(
            Connector(
                evse=evses[number],
                number=taken[number],
                standard=plan.standard,
                format=plan.format,
                power_type=plan.power_type,
                max_power_w=plan.max_power_w,
            )
        )
    Connector.objects.bulk_create(rows)


@transaction.atomic
def change_station(
    *,
    station_id: int,
    site: Site,
    connectors: Mapping[int, ConnectorPlan],
    more: Sequence[ConnectorPlan],
    at: datetime,
    by: Principal,
) -> ChargingStation:
    """Bring a station's record to what stands on the street: its site, its connectors by their ids.

    `more` are connectors that were added to it. None is taken away: history hangs on them; one that
    is gone is put out of service. Raises ConnectorsMalformed, StationBusy where it would change
    operators or is moved while it charges.
    """
    station = ChargingStation.objects.select_for_update().select_related("site").get(pk=station_id)
    if site.pk != station.site_id:
        _move(station, site)
    rows = {
        row.pk: row for row in Connector.objects.filter(evse__station=station, pk__in=connectors)
    }
    if len(rows) + len(more) > _MAX_CONNECTORS:
        raise ConnectorsMalformed
    for pk, row in rows.items():
        plan = connectors[pk]
        row.standard, row.format = plan.standard, plan.format
        row.power_type, row.max_power_w = plan.power_type, plan.max_power_w
    Connector.objects.bulk_update(
        rows.values(), ["standard", "format", "power_type", "max_power_w"]
    )
    _add_connectors(station, more)
    changes = {"site": site.pk, "connectors": len(rows), "more": len(more)}
    audit.record(by=by, action="change_station", row=station, at=at, changes=changes)
    return station


def _move(station: ChargingStation, site: Site) -> None:
    """To another site of the same operator; who charges there was told the price of this one."""
    busy = Connector.objects.filter(evse__station=station, status=ConnectorStatus.OCCUPIED)
    if site.organisation_id != station.site.organisation_id or busy.exists():
        raise StationBusy
    station.site = site
    station.save(update_fields=["site"])
