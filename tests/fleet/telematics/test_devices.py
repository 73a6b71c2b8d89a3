"""Devices: given to vehicles, one at a time or for a whole fleet."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from fleet.telematics import services
from fleet.telematics.models import Device, DeviceAssignment, LatestState
from fleet.telematics.services import credentials
from fleet.vehicles.services import VehicleNotFound, set_life_state
from mobility.accounts.models import User
from mobility.core import clock
from mobility.core.principals import SYSTEM
from tests.fleet.fixtures import MakeVehicle


def poll(secret: str) -> int:
    headers = {"Authorization": f"Bearer {secret}"}
    answer = Client(headers=headers).post(
        "/api/v1/telemetry", b"{}", content_type="application/json"
    )
    return answer.status_code


def test_the_command_prints_a_working_credential_once(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    out = io.StringIO()
    call_command("add_device", scooter.code, "--json", stdout=out)
    answer = json.loads(out.getvalue())
    assert answer["vehicle"] == scooter.code
    assert answer["url"].endswith("/api/v1/telemetry")
    assert poll(answer["secret"]) == 202
    assert not Device.objects.filter(secret_hash=answer["secret"]).exists()


def test_the_command_speaks_to_people_too(make_vehicle: MakeVehicle) -> None:
    scooter, out = make_vehicle(), io.StringIO()
    call_command("add_device", scooter.code, stdout=out)
    secret = out.getvalue().split("Bearer ")[1].split()[0]
    assert poll(secret) == 202
    with pytest.raises(CommandError, match="no vehicle NOSUCH"):
        call_command("add_device", "NOSUCH")


def test_a_new_device_silences_the_old_one(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    _device, secret = services.add_device(vehicle_code=scooter.code, at=clock.now(), by=SYSTEM)
    assert (poll(secret), poll(scooter.device_secret)) == (202, 403)


def test_a_fleet_gets_its_devices_in_few_statements(
    make_vehicle: MakeVehicle, django_assert_max_num_queries: Any
) -> None:
    fleet = [make_vehicle() for _ in range(8)]
    codes = [vehicle.code for vehicle in fleet]
    with django_assert_max_num_queries(8):
        secrets = services.add_devices(vehicle_codes=codes, at=clock.now(), by=SYSTEM)
    assert set(secrets) == set(codes)
    for vehicle in fleet:
        known = credentials.recognise(secret=secrets[vehicle.code], at=clock.now())
        assert known.vehicle_id == vehicle.pk
    assert DeviceAssignment.objects.valid_at(clock.now()).count() == 8


def test_an_unknown_code_gives_nobody_a_device(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    before = Device.objects.count()
    with pytest.raises(VehicleNotFound):
        services.add_devices(vehicle_codes=[scooter.code, "NOSUCH"], at=clock.now(), by=SYSTEM)
    assert Device.objects.count() == before


def test_the_unit_of_a_retired_vehicle_speaks_for_nobody(
    make_vehicle: MakeVehicle, relay: Callable[[], int]
) -> None:
    scooter = make_vehicle()
    set_life_state(vehicle_id=scooter.pk, to="retired", at=clock.now(), by=SYSTEM)
    relay()
    credentials.forget_credentials()
    assert poll(scooter.device_secret) == 403


def test_a_unit_moves_to_another_vehicle_of_its_fleet(
    make_vehicle: MakeVehicle, rivale: User
) -> None:
    first, second = make_vehicle(), make_vehicle()
    foreign = make_vehicle(organisation=rivale.memberships.get().organisation)
    device_id = first.assignments.get().device_id
    services.move_device(device_id=device_id, vehicle_code=second.code, at=clock.now(), by=SYSTEM)
    known = credentials.recognise(secret=first.device_secret, at=clock.now())
    assert known.vehicle_id == second.pk
    assert poll(second.device_secret) == 403
    with pytest.raises(VehicleNotFound):
        services.move_device(
            device_id=device_id, vehicle_code=foreign.code, at=clock.now(), by=SYSTEM
        )


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (["--protocol", "mqtt"], {"username", "topics", "secret"}),
        (["--protocol", "teltonika", "--imei", "356307042441013"], {"imei", "address"}),
        (["--protocol", "integration"], {"url"}),
    ],
)
def test_the_command_speaks_every_protocol(
    make_vehicle: MakeVehicle, options: list[str], wanted: set[str]
) -> None:
    scooter, out = make_vehicle(), io.StringIO()
    call_command("add_device", scooter.code, "--json", *options, stdout=out)
    answer = json.loads(out.getvalue())
    assert wanted <= answer.keys()
    device = Device.objects.get(serial=answer["serial"])
    assert device.protocol == options[1]
    assert bool(device.broker_hash) == (device.protocol == "mqtt")
    call_command("add_device", scooter.code, *options, stdout=out)
    assert scooter.code in out.getvalue()


def test_an_imei_has_fifteen_digits_and_one_fleet(make_vehicle: MakeVehicle, rivale: User) -> None:
    mine, theirs = make_vehicle(), make_vehicle(organisation=rivale.memberships.get().organisation)
    unit = services.Unit(protocol="teltonika", imei="356307042441013")
    services.add_device(vehicle_code=mine.code, at=clock.now(), by=SYSTEM, unit=unit)
    with pytest.raises(services.ImeiTaken):
        services.add_device(vehicle_code=theirs.code, at=clock.now(), by=SYSTEM, unit=unit)
    with pytest.raises(VehicleNotFound):
        services.add_device(vehicle_code="NOSUCH", at=clock.now(), by=SYSTEM, unit=unit)
    for imei in (None, "12345", "35630704244101x"):
        unit = services.Unit(protocol="teltonika", imei=imei)
        with pytest.raises(services.ImeiInvalid):
            services.add_device(vehicle_code=mine.code, at=clock.now(), by=SYSTEM, unit=unit)
    with pytest.raises(CommandError, match="IMEI"):
        call_command("add_device", mine.code, "--protocol", "teltonika")


def test_vehicles_are_placed_by_hand(
    make_vehicle: MakeVehicle, django_assert_max_num_queries: Any
) -> None:
    fleet = [make_vehicle(link_state="lost") for _ in range(8)]
    LatestState.objects.filter(vehicle__in=fleet[1:]).delete()
    places = [
        services.Placement(vehicle_id=vehicle.pk, lon=9.2, lat=45.4, battery_pct=70)
        for vehicle in fleet
    ]
    with django_assert_max_num_queries(10):
        services.place_vehicles(places=places, at=clock.now(), by=SYSTEM)
    rows = LatestState.objects.values_list(
        "lon_e7", "lat_e7", "battery_pct", "locked", "odometer_m"
    )
    assert set(rows) == {(92000000, 454000000, 70, True, None), (92000000, 454000000, 70, True, 0)}
    fleet[0].refresh_from_db()
    assert fleet[0].link_state == "online"
