"""Reads for an operator's pages. Who may see a station is asked by the doors before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db.models import Avg, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Extract, Floor

from charging.certificates.models import StationCertificate
from charging.certificates.queries import security_of
from charging.desk.rules import Chart, FirstContact, power_chart
from charging.devices.models import DeviceVariable, FirmwareJob, LocalList, LogJob, Report
from charging.energy.models import ChargingLimit, ChargingProfile, EnergyDemand, SiteLoad
from charging.frames.models import StationFrame
from charging.frames.queries import last_frames, quirks_of
from charging.frames.states import Direction
from charging.sessions.models import ChargeRecord, ChargingSession, InboxMessage, MeterReading
from charging.sessions.states import Flag
from charging.stations.models import ChargingStation, Connector, RefusedHandshake, Site
from charging.stations.queries import connectors_of_station
from charging.tickets.queries import latest_tickets

LATEST: Final = 20
SHOWN_VARIABLES: Final = 300
_DAY: Final = timedelta(hours=24)
_BUCKET: Final = timedelta(minutes=15)


def first_contact(*, station: ChargingStation) -> FirstContact:
    """How far a station got since it was commissioned; five queries."""
    connectors = Connector.objects.filter(evse__station=station)
    told = [at for at in connectors.values_list("status_at", flat=True) if at is not None]
    refused = RefusedHandshake.objects.filter(identity=station.identity).order_by("-id").first()
    met = station.connected_at or station.disconnected_at
    # A refusal from before the last success is history.
    stuck = refused if refused is not None and (met is None or met < refused.at) else None
    return FirstContact(
        connected_at=met,
        refused=stuck.reason if stuck else "",
        refused_at=stuck.at if stuck else None,
        booted_at=station.booted_at,
        registration=station.registration,
        statuses=len(told),
        connectors=connectors.count(),
        status_at=max(told, default=None),
        heartbeat_at=_heartbeat(station),
        session_at=_first_session(station),
        reading_at=_first_reading(station),
    )


def _heartbeat(station: ChargingStation) -> datetime | None:
    """When it first sent one, as far back as frames are kept; else that it outlived an interval."""
    if station.booted_at is None:
        return None
    frames = StationFrame.objects.filter(
        station=station, direction=Direction.IN, action="Heartbeat", at__gte=station.booted_at
    )
    found: datetime | None = frames.order_by("at").values_list("at", flat=True).first()
    if found is not None or station.last_seen_at is None:
        return found
    lived = station.last_seen_at - station.booted_at
    return station.last_seen_at if lived > timedelta(seconds=station.boot_interval_s) else None


def _first_session(station: ChargingStation) -> datetime | None:
    found: datetime | None = (
        station.sessions.exclude(token_uid="")
        .exclude(flags__contains=[Flag.UNAUTHORISED])
        .exclude(started_at=None)
        .order_by("pk")
        .values_list("started_at", flat=True)
        .first()
    )
    return found


def _first_reading(station: ChargingStation) -> datetime | None:
    """The first of the first session that has any."""
    readings = MeterReading.objects.filter(session=OuterRef("pk")).order_by("at")
    measured = station.sessions.annotate(reading_at=Subquery(readings.values("at")[:1]))
    found: datetime | None = (
        measured.exclude(reading_at=None)
        .order_by("pk")
        .values_list("reading_at", flat=True)
        .first()
    )
    return found


def happenings(*, station: ChargingStation) -> dict[str, Any]:
    """A station's connectors and the sessions under way there."""
    return {
        "connectors": connectors_of_station(station_id=station.pk),
        "open_sessions": station.sessions.open().select_related("connector__evse"),
    }


def latest_sessions(*, station: ChargingStation) -> QuerySet[ChargingSession]:
    """The newest sessions with their connectors, whole or with gaps."""
    return station.sessions.select_related("connector__evse").order_by("-id")[:LATEST]


def refusals(*, station: ChargingStation) -> QuerySet[RefusedHandshake]:
    """The newest handshakes in its name that were turned away."""
    return RefusedHandshake.objects.filter(identity=station.identity).order_by("-id")[:LATEST]


def talk(*, station: ChargingStation) -> dict[str, Any]:
    """The last frames in plain words."""
    return {"frames": last_frames(station=station)}


def breaches(*, station: ChargingStation) -> dict[str, Any]:
    """What was forgiven to it, and what of it could not be processed at all."""
    inbox = InboxMessage.objects.filter(station=station).exclude(problem="")
    return {"quirks": quirks_of(station=station), "problems": inbox.order_by("-id")[:LATEST]}


def safety(*, station: ChargingStation, at: datetime) -> dict[str, Any]:
    """Its certificates with their ends, what it asked for, what it noticed."""
    certificates = list(
        StationCertificate.objects.filter(station=station).order_by("-id")[:LATEST],
    )
    return {
        **security_of(station=station),
        "certificates": [(one, (one.valid_until - at).days) for one in certificates],
    }


def device(*, station: ChargingStation) -> dict[str, Any]:
    """What it is made of as far as it said, and the jobs it was given."""
    variables = DeviceVariable.objects.filter(station=station)
    return {
        "variables": variables.order_by("component", "evse", "name")[:SHOWN_VARIABLES],
        "firmware_jobs": FirmwareJob.objects.filter(station=station).order_by("-id")[:LATEST],
        "log_jobs": LogJob.objects.filter(station=station)
        .select_related("file")
        .order_by("-id")[:LATEST],
        "reports": Report.objects.filter(station=station).order_by("-id")[:LATEST],
        "local_list": LocalList.objects.filter(station=station).first(),
    }


def tickets(*, station: ChargingStation) -> dict[str, Any]:
    """What is or was wrong with it; whether anything still is."""
    rows = list(latest_tickets(station=station, limit=LATEST))
    return {"tickets": rows, "any_open": any(row.closed_at is None for row in rows)}


def latest_records(*, station: ChargingStation) -> QuerySet[ChargeRecord]:
    """The newest charge records and credits of its sessions."""
    records = ChargeRecord.objects.filter(session__station=station)
    return records.select_related("session").order_by("-id")[:LATEST]


def site_power(*, site: Site, at: datetime) -> Chart:
    """The power a site drew in the last 24 hours, by quarters of an hour, as its stations told it.

    Each connector counts with the mean of its readings in the quarter.
    """
    until = _floor(at) + _BUCKET
    since = until - _DAY
    quarter = Floor(Extract("at", "epoch", tzinfo=UTC) / _BUCKET.total_seconds())
    lately = Q(ended_at=None) | Q(ended_at__gte=since)
    sessions = ChargingSession.objects.filter(lately, station__site=site)
    means = (
        MeterReading.objects.filter(
            session__in=sessions, at__gte=since, at__lt=until, power_w__isnull=False, suspect=False
        )
        .annotate(quarter=quarter)
        .values("quarter", "connector")
        .annotate(power=Avg("power_w"))
    )
    powers: dict[datetime, int] = {}
    for mean in means:
        start = datetime.fromtimestamp(int(mean["quarter"]) * _BUCKET.total_seconds(), UTC)
        powers[start] = powers.get(start, 0) + round(mean["power"])
    return power_chart(powers, since=since, until=until, bucket=_BUCKET, limit_w=site.grid_limit_w)


def _floor(at: datetime) -> datetime:
    width = _BUCKET.total_seconds()
    return datetime.fromtimestamp(at.timestamp() // width * width, UTC)


def site_plan(*, site: Site) -> dict[str, Any]:
    """How a site's power is shared out now: per connector its share, session, demand, profiles."""
    load = SiteLoad.objects.filter(site=site).first()
    connectors = list(
        Connector.objects.filter(evse__station__site=site)
        .select_related("evse__station")
        .order_by("evse__station__identity", "evse__number", "number")
    )
    sessions = {
        one.connector_id: one
        for one in ChargingSession.objects.open().filter(connector__in=connectors)
    }
    demands = {
        one.connector_id: one
        for one in EnergyDemand.objects.waiting().filter(connector__in=connectors)
    }
    profiles: dict[int, list[ChargingProfile]] = {}
    for one in ChargingProfile.objects.filter(connector__in=connectors).order_by("purpose", "pk"):
        profiles.setdefault(one.connector_id, []).append(one)
    shares = load.plan if load is not None else {}
    rows = [
        {
            "connector": connector,
            "share_a": shares[str(connector.pk)] / 10 if str(connector.pk) in shares else None,
            "session": sessions.get(connector.pk),
            "demand": demands.get(connector.pk),
            "profiles": profiles.get(connector.pk, []),
        }
        for connector in connectors
    ]
    limits = ChargingLimit.objects.in_force().filter(station__site=site)
    return {
        "load": load,
        "rows": rows,
        "now_w": sum(one.power_w or 0 for one in sessions.values()),
        "limits": limits.select_related("station").order_by("pk"),
    }
