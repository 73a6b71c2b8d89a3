"""The four purposes of a hold: who gets which vehicle, and that each excludes all others."""

import itertools

import pytest

from fleet.vehicles import services
from fleet.vehicles.models import VehicleHold
from fleet.vehicles.states import HoldPurpose
from tests.fleet.fixtures import MakeVehicle
from tests.fleet.vehicles.acting import AT, NOW, after, hold, last_event

RIDERS = (HoldPurpose.RIDE, HoldPurpose.BOOKING)
STAFF = (HoldPurpose.CREW, HoldPurpose.SERVICE)


def test_there_are_four_purposes() -> None:
    assert {*RIDERS, *STAFF} == {*HoldPurpose}


@pytest.mark.parametrize(
    ("purpose", "rental", "told"),
    [
        (HoldPurpose.RIDE, "held", "reserved"),
        (HoldPurpose.BOOKING, "held", "reserved"),
        (HoldPurpose.CREW, "staff", "non_operational"),
        (HoldPurpose.SERVICE, "staff", "non_operational"),
    ],
)
def test_a_hold_takes_the_vehicle_off_the_street(
    make_vehicle: MakeVehicle, purpose: str, rental: str, told: str
) -> None:
    scooter = make_vehicle()
    taken = hold(scooter, purpose=purpose)
    scooter.refresh_from_db()
    assert (scooter.rental_state, last_event(scooter).mds_state) == (rental, told)
    services.release_hold(hold_id=taken.pk, **NOW)
    scooter.refresh_from_db()
    assert (scooter.rental_state, last_event(scooter).mds_state) == ("free", "available")


@pytest.mark.parametrize(("first", "second"), list(itertools.product(HoldPurpose, HoldPurpose)))
def test_whoever_has_it_nobody_else_gets_it(
    make_vehicle: MakeVehicle, first: str, second: str
) -> None:
    scooter = make_vehicle()
    hold(scooter, purpose=first)
    with pytest.raises(services.VehicleTaken):
        hold(scooter, purpose=second, holder="other:1")
    assert VehicleHold.objects.count() == 1


@pytest.mark.parametrize("purpose", list(HoldPurpose))
@pytest.mark.parametrize("life", ["in_service", "workshop", "stolen", "retired"])
def test_riders_get_what_is_offered_and_staff_all_but_the_retired(
    make_vehicle: MakeVehicle, purpose: str, life: str
) -> None:
    scooter = make_vehicle(life_state=life, link_state="lost")
    if purpose in STAFF and life != "retired":
        hold(scooter, purpose=purpose)
        return
    with pytest.raises(services.VehicleNotRentable) as refusal:
        hold(scooter, purpose=purpose)
    assert refusal.value.extra["reasons"]


@pytest.mark.parametrize("purpose", list(HoldPurpose))
def test_a_hold_can_be_stretched_whatever_it_is_for(
    make_vehicle: MakeVehicle, purpose: str
) -> None:
    taken = hold(make_vehicle(), purpose=purpose)
    later = after(hours=2)["at"]
    stretched = services.extend_hold(hold_id=taken.pk, until=later, **NOW)
    assert (stretched.during.lower, stretched.until) == (AT, later)
