"""What is known of a vehicle: form, plate, VIN, sticker, equipment."""

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from rest_framework.test import APIClient

from fleet.vehicles.models import Vehicle, VehicleType
from fleet.vehicles.states import USUAL_FORM, CommandKind, FormFactor, Kind
from mobility.accounts.models import User
from tests.fleet.fixtures import MakeVehicle
from tests.fleet.vehicles.acting import change_type

Api = Callable[[User | None], APIClient]
URL = "/api/v1/fleet/vehicles"
VIN = "WVWZZZ1JZXW000001"


def test_every_vehicle_gets_a_sticker_that_tells_nothing_of_the_next(
    make_vehicle: MakeVehicle,
) -> None:
    stickers = [make_vehicle().qr_code for _ in range(20)]
    assert len({sticker[:8] for sticker in stickers}) == 20
    assert all(len(sticker) == 20 and sticker.isalnum() for sticker in stickers)


@pytest.mark.parametrize(
    ("field", "value", "constraint"),
    [("plate", "GX123KM", "fleet_plate_once"), ("vin", VIN, "fleet_vin_once")],
)
def test_no_two_vehicles_share_a_plate_or_vin_but_many_have_none(
    make_vehicle: MakeVehicle, field: str, value: str, constraint: str
) -> None:
    make_vehicle("car", **{field: value})
    make_vehicle("scooter")
    make_vehicle("scooter")
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        make_vehicle("car", **{field: value})


@pytest.mark.parametrize(
    ("field", "value", "fine"),
    [
        ("vin", VIN, True),
        ("vin", "", True),
        ("vin", VIN[:-1], False),
        ("vin", "IVWZZZ1JZXW000001", False),
        ("vin", VIN.lower(), False),
        ("plate", "X9Y8Z7", True),
        ("plate", "GX 123", False),
        ("plate", "GX123KM\n", False),
    ],
)
def test_what_is_typed_must_look_like_one(
    make_vehicle: MakeVehicle, field: str, value: str, fine: bool
) -> None:
    vehicle = make_vehicle("car")
    setattr(vehicle, field, value)
    if fine:
        vehicle.full_clean()
        return
    with pytest.raises(ValidationError) as fault:
        vehicle.full_clean()
    assert set(fault.value.message_dict) == {field}


def test_a_type_has_the_usual_form_of_its_kind_unless_it_says_another(
    make_vehicle: MakeVehicle,
) -> None:
    assert set(USUAL_FORM) == set(Kind)
    plain, cargo = make_vehicle("bicycle"), make_vehicle("scooter")
    change_type(cargo, form_factor="scooter_seated")
    assert (plain.type.form, cargo.type.form) == ("bicycle", "scooter_seated")
    assert list(Vehicle.objects.of_form(FormFactor.BICYCLE)) == [plain]
    assert list(Vehicle.objects.of_form(FormFactor.SCOOTER_SEATED)) == [cargo]
    assert list(Vehicle.objects.of_form(FormFactor.SCOOTER_STANDING)) == []


def test_a_new_type_obeys_every_command_until_somebody_says_otherwise(db: None) -> None:
    assert set(VehicleType(code="x").commands) == set(CommandKind)


def test_marco_finds_vehicles_by_what_they_are_and_carry(
    api: Api, make_vehicle: MakeVehicle, marco: User
) -> None:
    make_vehicle("bicycle", code="PLAIN1")
    seat = make_vehicle("bicycle", code="SEAT1", equipment=["child_seat", "phone_holder"])
    make_vehicle("car", code="CAR1")

    def codes(query: str) -> list[str]:
        answer = api(marco).get(f"{URL}?{query}")
        assert answer.status_code == 200, answer.json()
        return sorted(row["code"] for row in answer.json()["results"])

    assert codes("equipment=child_seat") == ["SEAT1"]
    assert codes("form_factor=bicycle") == ["PLAIN1", "SEAT1"]
    assert codes("type=test-car") == ["CAR1"]
    assert api(marco).get(f"{URL}?equipment=sword").status_code == 400
    row = api(marco).get(f"{URL}/{seat.public_id}").json()
    assert (row["form_factor"], row["equipment"]) == ("bicycle", ["child_seat", "phone_holder"])
    assert row["qr_code"] == seat.qr_code
