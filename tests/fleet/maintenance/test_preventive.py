"""Service by kilometres, days and rides: ordered once, counted from the last time."""

import datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.maintenance import rules
from fleet.maintenance.models import MaintenanceRule, WorkOrder
from fleet.maintenance.rules import Interval, Use
from fleet.maintenance.services import finish_order, open_due_orders, preventive, start_order
from fleet.maintenance.states import FaultCategory, Severity, Verdict
from fleet.vehicles.models import LatestState, VehicleEvent
from mobility.core import clock
from mobility.core.models import AuditEntry
from mobility.core.principals import SYSTEM

DAY = datetime.timedelta(days=1)
amounts = st.none() | st.integers(1, 10_000)
uses = st.builds(
    Use,
    km=st.none() | st.floats(0, 1e5),
    days=st.none() | st.floats(0, 1e4),
    rides=st.none() | st.integers(0, 10_000),
)


def rule(organisation: Any, **fields: Any) -> MaintenanceRule:
    return MaintenanceRule.objects.create(
        organisation=organisation, title={"it": "Tagliando", "en": "Service"}, **fields
    )


def drive(vehicle: Any, *, km: float) -> None:
    LatestState.objects.filter(pk=vehicle.pk).update(odometer_m=round(km * 1000))


def ride(vehicle: Any, *, at: datetime.datetime, times: int = 1) -> None:
    for _ in range(times):
        VehicleEvent.objects.create(
            vehicle=vehicle,
            at=at,
            mds_state="available",
            mds_events=["trip_end"],
            life_state="in_service",
            rental_state="free",
            link_state="online",
            by=SYSTEM,
        )


def serve(order: WorkOrder, worker: Any, *, at: datetime.datetime) -> None:
    start_order(order_id=order.pk, worker=worker, at=at, by=SYSTEM)
    finish_order(order_id=order.pk, at=at, by=SYSTEM)


@pytest.mark.django_db
def test_kilometres_make_service_due_with_some_lead(make_vehicle: Any, ruote: Any) -> None:
    due, nearly, fresh = (make_vehicle() for _ in range(3))
    for vehicle, km in ((due, 500), (nearly, 480), (fresh, 400)):
        drive(vehicle, km=km)
    service = rule(ruote, every_km=500, lead_pct=5)
    opened = open_due_orders(at=clock.now())
    assert {order.vehicle_id for order in opened} == {due.pk, nearly.pk}
    assert {order.rule_id for order in opened} == {service.pk}
    with translation.override("it"):
        assert opened[0].heading == "Tagliando"


@pytest.mark.django_db
def test_asking_again_opens_nothing_new(make_vehicle: Any, ruote: Any) -> None:
    drive(make_vehicle(), km=600)
    rule(ruote, every_km=500)
    assert len(open_due_orders(at=clock.now())) == 1
    assert open_due_orders(at=clock.now()) == []


@pytest.mark.django_db
def test_an_order_that_somebody_opens_meanwhile_does_not_stop_the_others(
    make_vehicle: Any, ruote: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = make_vehicle(), make_vehicle()
    for vehicle in (first, second):
        drive(vehicle, km=600)
    service = rule(ruote, every_km=500)
    read = preventive.usage_under

    def meanwhile(*args: Any, **kwargs: Any) -> list[Any]:
        found = list(read(*args, **kwargs))
        WorkOrder.objects.create(
            vehicle=first, reason="preventive", rule=service, opened_at=clock.now(), opened_by="x"
        )
        return found

    monkeypatch.setattr(preventive, "usage_under", meanwhile)
    (opened,) = open_due_orders(at=clock.now())
    assert opened.vehicle_id == second.pk
    assert WorkOrder.objects.filter(rule=service).count() == 2
    told = AuditEntry.objects.filter(action="open", row__startswith="fleet.workorder")
    assert [entry.row for entry in told] == [f"fleet.workorder:{opened.pk}"]


@pytest.mark.django_db
def test_a_rule_that_cannot_be_read_takes_no_orders_of_others_with_it(
    make_vehicle: Any, ruote: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive(make_vehicle(), km=600)
    good, bad = rule(ruote, every_km=500), rule(ruote, every_km=100)
    read = preventive.usage_under

    def broken(one: Any, **kwargs: Any) -> Any:
        if one == bad:
            raise RuntimeError
        return read(one, **kwargs)

    monkeypatch.setattr(preventive, "usage_under", broken)
    with pytest.raises(RuntimeError):
        open_due_orders(at=clock.now())
    assert WorkOrder.objects.get().rule == good


@pytest.mark.django_db
def test_the_next_service_counts_from_the_last_one(
    make_vehicle: Any, ruote: Any, sara: Any
) -> None:
    vehicle, at = make_vehicle(), clock.now()
    drive(vehicle, km=620)
    rule(ruote, every_km=500)
    (order,) = open_due_orders(at=at)
    serve(order, sara, at=at)
    drive(vehicle, km=1000)
    assert open_due_orders(at=at + DAY) == []
    drive(vehicle, km=1120)
    assert len(open_due_orders(at=at + 2 * DAY)) == 1


@pytest.mark.django_db
def test_rides_count_since_the_last_service_only(make_vehicle: Any, ruote: Any, sara: Any) -> None:
    vehicle, at = make_vehicle(), clock.now()
    rule(ruote, every_rides=3, lead_pct=0)
    ride(vehicle, at=at - DAY, times=2)
    assert open_due_orders(at=at) == []
    ride(vehicle, at=at - DAY)
    (order,) = open_due_orders(at=at)
    serve(order, sara, at=at)
    ride(vehicle, at=at + DAY, times=2)
    assert open_due_orders(at=at + 2 * DAY) == []


@pytest.mark.django_db
def test_days_count_from_the_first_day_of_the_vehicle(make_vehicle: Any, ruote: Any) -> None:
    vehicle, at = make_vehicle(), clock.now()
    ride(vehicle, at=at - 100 * DAY)
    rule(ruote, every_days=90, kind="scooter")
    rule(ruote, every_days=365, kind="scooter")
    rule(ruote, every_days=1, kind="car")
    (order,) = open_due_orders(at=at)
    assert order.rule.every_days == 90


@pytest.mark.django_db
def test_rules_touch_only_their_own_fleet_and_only_vehicles_that_are_there(
    make_vehicle: Any, ruote: Any, rivale: Any
) -> None:
    others = next(iter(rivale.organisations_as("fleet_operator")))
    for fields in ({"life_state": "retired"}, {"life_state": "missing"}):
        drive(make_vehicle(**fields), km=900)
    drive(make_vehicle(), km=900)
    MaintenanceRule.objects.create(organisation_id=others, title={"it": "x"}, every_km=1)
    assert open_due_orders(at=clock.now()) == []
    rule(ruote, every_km=500, active=False)
    assert open_due_orders(at=clock.now()) == []


@pytest.mark.django_db
def test_a_rule_needs_a_measure(ruote: Any) -> None:
    empty = MaintenanceRule(organisation=ruote, title={"it": "x"})
    with translation.override("en"), pytest.raises(ValidationError, match="at least one"):
        empty.full_clean()


def test_a_swapped_unit_counts_from_zero_again() -> None:
    assert rules.km_since(odometer_m=620_000, baseline_m=600_000) == 20
    assert rules.km_since(odometer_m=15_000, baseline_m=600_000) == 15
    assert rules.km_since(odometer_m=None, baseline_m=600_000) is None


@settings(max_examples=60, deadline=None)
@given(km=amounts, days=amounts, rides=amounts, use=uses, more=st.integers(0, 500))
def test_more_use_never_makes_service_less_due(
    km: int | None, days: int | None, rides: int | None, use: Use, more: int
) -> None:
    interval = Interval(every_km=km, every_days=days, every_rides=rides)
    later = Use(
        km=None if use.km is None else use.km + more,
        days=None if use.days is None else use.days + more,
        rides=None if use.rides is None else use.rides + more,
    )
    assert rules.wear(interval, later) >= rules.wear(interval, use)
    assert rules.is_due(interval, use) == any(
        every is not None and done is not None and done >= every
        for done, every in ((use.km, km), (use.days, days), (use.rides, rides))
    )


@settings(max_examples=60, deadline=None)
@given(
    required=st.dictionaries(st.integers(0, 9), st.booleans()),
    verdicts=st.dictionaries(st.integers(0, 9), st.sampled_from(list(Verdict))),
)
def test_a_list_is_passed_exactly_when_nothing_required_is_open_and_nothing_failed(
    required: dict[int, bool], verdicts: dict[int, Verdict]
) -> None:
    missing, failed = rules.unanswered(required=required, verdicts=verdicts)
    passed = all(
        verdicts.get(item) == Verdict.PASSED or (not must and verdicts.get(item) != Verdict.FAILED)
        for item, must in required.items()
    )
    assert (not missing and not failed) == passed


@pytest.mark.parametrize("category", FaultCategory)
def test_every_category_has_a_severity_and_only_danger_blocks(category: str) -> None:
    assert rules.blocks_renting(category) == (rules.severity_of(category) == Severity.DANGEROUS)
    assert rules.priority_of([rules.severity_of(category)]) in {1, 2, 3}
