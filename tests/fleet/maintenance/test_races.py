"""Two at once: first what would go wrong, then that it does not."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections, transaction

from fleet.maintenance import services
from fleet.maintenance.models import FaultReport, MaintenanceRule, WorkOrder
from fleet.vehicles.models import LatestState, VehicleHold
from fleet.vehicles.services import VehicleTaken, hold_vehicle
from mobility.core import clock, ids, locks
from mobility.core.errors import DomainError
from mobility.core.principals import SYSTEM
from mobility.core.transitions import IllegalMove, LostRace

pytestmark = pytest.mark.django_db(transaction=True)

MANY = 6


def at_once(*deeds: Callable[[], Any]) -> list[Any]:
    """Run all deeds at the same moment, each on a connection of its own; what came of each."""
    ready, outcomes = threading.Barrier(len(deeds)), [None] * len(deeds)

    def run(place: int, deed: Callable[[], Any]) -> None:
        ready.wait(10)
        try:
            outcomes[place] = deed()
        except DomainError as problem:
            outcomes[place] = problem
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return outcomes


def report(vehicle: Any, giulia: Any) -> Callable[[], FaultReport]:
    return lambda: services.report_fault(
        vehicle_id=vehicle.pk,
        source="resident",
        category="brakes",
        at=clock.now(),
        by=giulia.principal,
    )


def test_an_impatient_thumb_leaves_one_report_one_order_one_block(
    make_vehicle: Any, giulia: Any, piero: Any, sara: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the lock there would be several; with it there is one, and people share the work."""
    together = threading.Barrier(MANY)
    with monkeypatch.context() as unlocked:
        unlocked.setattr(locks, "advisory", lambda _name: together.wait(10))
        at_once(*[report(make_vehicle(), giulia)] * MANY)
    assert FaultReport.objects.count() > 1

    vehicle = make_vehicle()
    outcomes = at_once(*[report(vehicle, giulia)] * MANY)
    assert len({fault.case_number for fault in outcomes}) == 1
    assert vehicle.faults.count() == vehicle.work_orders.count() == vehicle.blocks.count() == 1

    vehicle = make_vehicle()
    at_once(*[report(vehicle, person) for person in (giulia, piero, sara)])
    assert vehicle.work_orders.get().faults.count() == 3


def start(vehicle: Any, worker: Any) -> Callable[[], WorkOrder]:
    """Begin the same work on the vehicle, whoever asks."""
    at = clock.now()
    order = services.open_order(vehicle_id=vehicle.pk, reason="tyre", at=at, by=SYSTEM)
    return lambda: services.start_order(order_id=order.pk, worker=worker, at=at, by=SYSTEM)


def take(vehicle: Any) -> Callable[[], VehicleHold]:
    """A rider takes the vehicle."""
    at = clock.now()
    return lambda: hold_vehicle(
        vehicle_id=vehicle.pk,
        until=at.replace(year=at.year + 1),
        purpose="ride",
        holder_ref="reservation:1",
        at=at,
        by=SYSTEM,
    )


def test_one_gets_the_vehicle_of_a_rider_and_a_mechanic_and_of_two_mechanics(
    make_vehicle: Any, sara: Any
) -> None:
    for _ in range(3):
        vehicle = make_vehicle()
        outcomes = at_once(start(vehicle, sara), take(vehicle))
        assert sum(isinstance(one, VehicleTaken) for one in outcomes) == 1
        assert vehicle.holds.active().count() == 1

    vehicle = make_vehicle()
    outcomes = at_once(*[start(vehicle, sara)] * 3)
    assert sum(isinstance(one, IllegalMove | LostRace) for one in outcomes) == 2
    assert vehicle.holds.active().count() == 1


def test_a_dangerous_report_that_comes_in_while_another_is_dismissed_keeps_the_vehicle_blocked(
    make_vehicle: Any, giulia: Any, piero: Any, marco: Any
) -> None:
    for _ in range(6):
        vehicle = make_vehicle()
        first = report(vehicle, giulia)()

        def dismiss(fault_id: int = first.pk) -> FaultReport:
            return services.dismiss_fault(fault_id=fault_id, at=clock.now(), by=marco.principal)

        at_once(dismiss, report(vehicle, piero))
        assert vehicle.blocks.active().filter(reason="damage").exists()
        assert vehicle.work_orders.open().count() == 1


def test_a_report_that_is_just_taken_up_is_not_withdrawn_with_its_alarm(
    make_vehicle: Any, marco: Any
) -> None:
    """Marco accepts it while its alarm closes: the alarm waits for him, and then leaves it."""
    vehicle, at, alarm_id = make_vehicle(), clock.now(), str(ids.uuid7())
    fault = services.report_alarm(
        alarm_id=alarm_id, vehicle_id=vehicle.pk, kind="tilt", details={}, at=at
    )
    assert fault is not None
    closing = threading.Thread(
        target=at_once,
        args=(lambda: services.withdraw_alarm(alarm_id=alarm_id, vehicle_id=vehicle.pk, at=at),),
    )
    with transaction.atomic():
        services.accept_fault(fault_id=fault.pk, at=at, by=marco.principal)
        closing.start()
        closing.join(0.5)
        assert closing.is_alive()
    closing.join(10)
    assert vehicle.faults.get().state == "accepted"
    assert vehicle.work_orders.get().state == "open"


def test_finishing_and_dismissing_at_once_never_wait_for_each_other_in_a_circle(
    make_vehicle: Any, giulia: Any, marco: Any, sara: Any
) -> None:
    for _ in range(6):
        vehicle, at = make_vehicle(), clock.now()
        fault = report(vehicle, giulia)()
        order = vehicle.work_orders.get()
        services.start_order(order_id=order.pk, worker=sara, at=at, by=SYSTEM)

        def dismiss(fault_id: int = fault.pk) -> FaultReport:
            return services.dismiss_fault(fault_id=fault_id, at=clock.now(), by=marco.principal)

        def finish(order_id: int = order.pk) -> WorkOrder:
            return services.finish_order(order_id=order_id, at=clock.now(), by=sara.principal)

        at_once(dismiss, finish)
        assert vehicle.faults.get().state in {"resolved", "dismissed"}
        assert vehicle.work_orders.get().state == "done"
        assert not vehicle.blocks.active().exists()


def test_two_beats_open_the_due_orders_once(make_vehicle: Any, ruote: Any) -> None:
    for _ in range(5):
        make_vehicle()
    LatestState.objects.update(odometer_m=900_000)
    MaintenanceRule.objects.create(organisation=ruote, title={"en": "Service"}, every_km=500)
    outcomes = at_once(*[lambda: services.open_due_orders(at=clock.now())] * 3)
    assert sorted(len(opened) for opened in outcomes) == [0, 0, 5]
    assert WorkOrder.objects.count() == 5
