"""What is wrong now, for the person who looks: a constant number of queries, each scoped."""

import dataclasses
import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Min, Q, QuerySet, Subquery, Sum, Value
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from bookings.payments.models import Anomaly, Fee, Payment, Refund
from bookings.payments.reconciliation.states import AnomalyState
from bookings.payments.states import FeeState, PaymentState, RefundState
from bookings.recharges.models import Recharge
from bookings.recharges.states import RechargeState
from bookings.support.models import ANSWERERS, SupportCase
from bookings.support.states import CaseState
from bookings.trips.models import EndPhoto, Incident, Trip, TripDispute, TripVersion
from bookings.trips.states import DisputeState, PhotoState, TripState, VersionState
from charging.stations.models import ChargingStation, Connector, RefusedHandshake
from charging.stations.states import ConnectorStatus
from fleet.maintenance.models import FaultReport, WorkOrder
from fleet.maintenance.states import FaultState, OrderState
from fleet.rebalancing.models import RebalancingTask
from fleet.rebalancing.states import TaskState
from fleet.telematics.models import Alarm
from fleet.telematics.states import SEVERITIES, AlarmKind, AlarmSeverity
from fleet.vehicles.models import Vehicle, VehicleBlock
from fleet.vehicles.queries import papers_due
from fleet.vehicles.states import BlockReason, LifeState, LinkState
from mobility.accounts.models import Organisation, User
from mobility.accounts.states import Role
from mobility.core import clock
from mobility.core.models import OutboxEvent
from mobility.desk.context import FLEET

RECENT = datetime.timedelta(hours=24)
# A ride longer than this is looked at: forgotten, stolen, or a very nice day.
LONG_RIDE = datetime.timedelta(hours=6)
PAPERS_AHEAD = datetime.timedelta(days=30)
# Where vehicles are that are not on the street.
_AWAY = {
    LifeState.MISSING: _("Missing vehicles"),
    LifeState.STOLEN: _("Stolen vehicles"),
    LifeState.IMPOUNDED: _("Impounded vehicles"),
    LifeState.WORKSHOP: _("Vehicles in the workshop"),
    LifeState.STORAGE: _("Vehicles in storage"),
}


@dataclasses.dataclass(frozen=True)
class Concern:
    """One thing that needs somebody: how many, and where they are listed."""

    title: str | Promise
    count: int
    url: str
    urgent: bool = False
    note: str = ""


def concerns(*, user: User, at: datetime.datetime) -> list[Concern]:
    """Everything that needs this person now, the urgent first; nothing that they may not see."""
    found: list[Concern] = []
    if user.has_role(*FLEET):
        found += _alarms(user, at=at)
        found += _vehicles(user)
        found += _maintenance(user, at=at)
        found += _papers(user, at=at)
        found += _work(user)
    if user.has_role(Role.FLEET_OPERATOR):
        found += _rides(user, at=at)
        found += _aftermath(user, at=at)
    if user.has_role(Role.CHARGE_POINT_OPERATOR):
        found += _chargers(user, at=at)
    if user.has_role(*ANSWERERS):
        found += _cases(user, at=at)
    if user.is_superuser:
        found += _platform()
    return sorted(
        found, key=lambda concern: (not (concern.urgent and concern.count), not concern.count)
    )


def _alarms(user: User, *, at: datetime.datetime) -> list[Concern]:
    """Alarms that go on, one line for each kind, the kind whose oldest has waited longest first."""
    waiting = (
        Alarm.objects.visible_to(user)
        .active()
        .order_by()
        .values_list("kind")
        .annotate(count=Count("pk"), oldest=Min("opened_at"))
        .order_by("oldest")
    )
    page = reverse("desk:alarms")
    return [
        Concern(
            title=_("Alarm: %(kind)s") % {"kind": AlarmKind(kind).label},
            count=count,
            url=f"{page}?{urlencode({'kind': kind})}",
            urgent=SEVERITIES[kind] != AlarmSeverity.INFO,
            note=str(_("since %(time)s") % {"time": clock.local(oldest).strftime("%d.%m. %H:%M")}),
        )
        for kind, count, oldest in waiting
    ]


def _vehicles(user: User) -> list[Concern]:
    """Vehicles out of service, by the reason."""
    own = Vehicle.objects.visible_to(user)
    lives = {life: Count("pk", filter=Q(life_state=life)) for life in _AWAY}
    figures = own.aggregate(
        **lives,
        silent=Count(
            "pk", filter=Q(life_state=LifeState.IN_SERVICE) & ~Q(link_state=LinkState.ONLINE)
        ),
    )
    blocked = dict(
        VehicleBlock.objects.active()
        .filter(vehicle__in=own.filter(life_state=LifeState.IN_SERVICE))
        .values_list("reason")
        .annotate(count=Count("pk"))
    )
    return [
        *(
            Concern(
                title=title,
                count=figures[life],
                url=_list("fleet", "vehicle", life_state__exact=life),
                urgent=life in {LifeState.MISSING, LifeState.STOLEN},
            )
            for life, title in _AWAY.items()
            if figures[life] or life == LifeState.MISSING
        ),
        Concern(
            title=_("Silent vehicles"),
            count=figures["silent"],
            url=_list(
                "fleet",
                "vehicle",
                life_state__exact=LifeState.IN_SERVICE,
                link_state__in=f"{LinkState.LATE},{LinkState.LOST}",
            ),
            urgent=True,
        ),
        *(
            Concern(
                title=_("Out of service: %(reason)s") % {"reason": reason.label},
                count=blocked.get(reason.value, 0),
                url=_list(
                    "fleet",
                    "vehicle",
                    life_state__exact=LifeState.IN_SERVICE,
                    block=reason.value,
                ),
                urgent=reason in {BlockReason.DAMAGE, BlockReason.DOCUMENT_EXPIRED},
            )
            for reason in BlockReason
            if blocked.get(reason.value) or reason == BlockReason.LOW_BATTERY
        ),
    ]


def _maintenance(user: User, *, at: datetime.datetime) -> list[Concern]:
    """Reports that nobody has judged, work that is due, papers that run out."""
    faults = FaultReport.objects.visible_to(user).filter(state=FaultState.OPEN).count()
    orders = WorkOrder.objects.visible_to(user)
    figures = orders.aggregate(
        waiting=Count("pk", filter=Q(state=OrderState.OPEN)),
        due=Count("pk", filter=Q(pk__in=orders.due(at=at).values("pk"))),
    )
    return [
        Concern(
            title=_("Reports that nobody has judged"),
            count=faults,
            url=_list("fleet", "faultreport", state__exact=FaultState.OPEN),
        ),
        Concern(
            title=_("Work orders due"),
            count=figures["due"],
            url=_list("fleet", "workorder", due="now"),
            urgent=True,
        ),
        Concern(
            title=_("Work orders nobody has taken"),
            count=figures["waiting"],
            url=_list("fleet", "workorder", state__exact=OrderState.OPEN),
        ),
    ]


def _papers(user: User, *, at: datetime.datetime) -> list[Concern]:
    today = clock.service_day(at)
    due = papers_due(
        vehicles=Vehicle.objects.visible_to(user), today=today, last=today + PAPERS_AHEAD
    )
    first = next((paper.expires_on for paper in due if paper.expires_on), None)
    return [
        Concern(
            title=_("Vehicles whose papers are missing or run out within 30 days"),
            count=len({paper.vehicle_id for paper in due}),
            url=_list("fleet", "vehicle", papers=PAPERS_AHEAD.days),
            note=first.strftime("%d.%m.%Y") if first else "",
        )
    ]


def _work(user: User) -> list[Concern]:
    figures = (
        RebalancingTask.objects.visible_to(user)
        .workable()
        .aggregate(
            open=Count("pk", filter=Q(state=TaskState.OPEN)),
            value=Sum("value_cents", filter=Q(state=TaskState.OPEN)),
        )
    )
    return [
        Concern(
            title=_("Tasks nobody has taken"),
            count=figures["open"],
            url=reverse("desk:tasks"),
            note=f"€ {(figures['value'] or 0) / 100:.2f}" if figures["open"] else "",
        )
    ]


def _aftermath(user: User, *, at: datetime.datetime) -> list[Concern]:
    """What riders wait for after their rides, and outages that still last."""
    disputes = TripDispute.objects.visible_to(user).filter(state=DisputeState.OPEN)
    figures = disputes.aggregate(open=Count("pk"), late=Count("pk", filter=Q(due_at__lte=at)))
    photos = EndPhoto.objects.visible_to(user)
    queue = photos.aggregate(
        waiting=Count("pk", filter=Q(state=PhotoState.WAITING)),
        appealed=Count("pk", filter=Q(state=PhotoState.APPEALED)),
    )
    many = _counts(
        outages=Incident.objects.visible_to(user).open(),
        proposed=TripVersion.objects.visible_to(user).filter(state=VersionState.PROPOSED),
    )
    return [
        Concern(
            title=_("Outages: rides end without their vehicle's word"),
            count=many["outages"],
            url=_list("bookings", "incident", until__isnull=True),
            urgent=True,
        ),
        Concern(
            title=_("Disputed rides to answer"),
            count=figures["open"],
            url=_list("bookings", "tripdispute", state__exact=DisputeState.OPEN),
            urgent=bool(figures["late"]),
        ),
        Concern(
            title=_("Photos of parked vehicles to look at"),
            count=queue["waiting"],
            url=_list("bookings", "endphoto", state__exact=PhotoState.WAITING),
        ),
        Concern(
            title=_("Riders who object to what was said about their photo"),
            count=queue["appealed"],
            url=_list("bookings", "endphoto", state__exact=PhotoState.APPEALED),
        ),
        Concern(
            title=_("Corrections of rides to decide"),
            count=many["proposed"],
            url=_list("bookings", "tripversion", state__exact=VersionState.PROPOSED),
        ),
    ]


def _rides(user: User, *, at: datetime.datetime) -> list[Concern]:
    trips = Trip.objects.visible_to(user).aggregate(
        long=Count("pk", filter=Q(state=TripState.RUNNING, started_at__lt=at - LONG_RIDE)),
        ending=Count("pk", filter=Q(state=TripState.ENDING)),
    )
    many = _counts(
        due=Payment.objects.visible_to(user).filter(state=PaymentState.DUE),
        refunds=Refund.objects.visible_to(user).filter(state=RefundState.PROPOSED),
        fees=Fee.objects.visible_to(user).filter(state=FeeState.DISPUTED),
        anomalies=Anomaly.objects.visible_to(user).filter(state=AnomalyState.OPEN),
    )
    return [
        Concern(
            title=_("Rides of more than six hours"),
            count=trips["long"],
            url=_list(
                "bookings",
                "trip",
                state__exact=TripState.RUNNING,
                started_at__lt=(at - LONG_RIDE).isoformat(),
            ),
        ),
        Concern(
            title=_("Rides waiting for the lock"),
            count=trips["ending"],
            url=_list("bookings", "trip", state__exact=TripState.ENDING),
        ),
        Concern(
            title=_("Payments that failed"),
            count=many["due"],
            url=_list("bookings", "payment", state__exact=PaymentState.DUE),
        ),
        Concern(
            title=_("Refunds waiting for a second person"),
            count=many["refunds"],
            url=_list("bookings", "refund", state__exact=RefundState.PROPOSED),
        ),
        Concern(
            title=_("Disputed fees"),
            count=many["fees"],
            url=_list("bookings", "fee", state__exact=FeeState.DISPUTED),
        ),
        Concern(
            title=_("Money that does not agree"),
            count=many["anomalies"],
            url=_list("bookings", "anomaly", state__exact=AnomalyState.OPEN),
        ),
    ]


def _chargers(user: User, *, at: datetime.datetime) -> list[Concern]:
    stations = ChargingStation.objects.visible_to(user).aggregate(
        down=Count("pk", filter=Q(connected_at__isnull=True)),
    )
    many = _counts(
        faulted=Connector.objects.visible_to(user).filter(status=ConnectorStatus.FAULTED),
        stubborn=Recharge.objects.visible_to(user).filter(
            state=RechargeState.CHARGING, stop_refused=True
        ),
        refused=RefusedHandshake.objects.visible_to(user).filter(at__gt=at - RECENT),
    )
    return [
        Concern(
            title=_("Stations without connection"),
            count=stations["down"],
            url=_list("charging", "chargingstation", connected_at__isnull=True),
            urgent=True,
        ),
        Concern(
            title=_("Connectors out of order"),
            count=many["faulted"],
            url=reverse("desk:chargers"),
            urgent=True,
        ),
        Concern(
            title=_("Charges that do not stop"),
            count=many["stubborn"],
            url=_list(
                "bookings", "recharge", state__exact=RechargeState.CHARGING, stop_refused__exact=1
            ),
            urgent=True,
        ),
        Concern(
            title=_("Refused connections today"),
            count=many["refused"],
            url=_list("charging", "refusedhandshake", at__gt=(at - RECENT).isoformat()),
        ),
    ]


def _cases(user: User, *, at: datetime.datetime) -> list[Concern]:
    late = SupportCase.objects.visible_to(user).overdue(at)
    return [
        Concern(
            title=_("Cases answered too late"),
            count=late.count(),
            url=_list(
                "bookings", "supportcase", state__exact=CaseState.OPEN, due_at__lt=at.isoformat()
            ),
            urgent=True,
        ),
    ]


def _platform() -> list[Concern]:
    failed = OutboxEvent.objects.filter(failed_at__isnull=False, handled_at__isnull=True).count()
    return [
        Concern(
            title=_("Events that could not be delivered"),
            count=failed,
            url=_list("mobility", "outboxevent", failed_at__isempty=0, handled_at__isempty=1),
            urgent=True,
        )
    ]


def _counts(**rows: QuerySet[Any]) -> dict[str, int]:
    """How many of each there are, in one statement."""
    counted = {
        name: Subquery(some.order_by().values(all=Value(1)).annotate(n=Count("pk")).values("n"))
        for name, some in rows.items()
    }
    found = Organisation.objects.annotate(**counted).values(*counted).first() or {}
    return {name: found.get(name) or 0 for name in rows}


def _list(app: str, model: str, **filters: object) -> str:
    address = reverse(f"admin:{app}_{model}_changelist")
    return f"{address}?{urlencode(filters)}" if filters else address
