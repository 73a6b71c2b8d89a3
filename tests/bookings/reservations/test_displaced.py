"""The fleet takes a vehicle away that somebody has reserved."""

from collections.abc import Callable

from rest_framework.test import APIClient

from bookings.reservations.models import Reservation
from bookings.reservations.services import displace_reservation
from fleet.vehicles.models import Vehicle
from fleet.vehicles.services import open_case
from mobility.accounts.models import User
from mobility.core import clock
from mobility.core.principals import SYSTEM


def test_a_reservation_whose_vehicle_is_stolen_ends_and_its_rider_is_free(
    api: Callable[[User | None], APIClient],
    make_vehicle: Callable[..., Vehicle],
    scooter: Vehicle,
    giulia: User,
    card: Callable[[User], None],
    relay: Callable[[], int],
) -> None:
    card(giulia)
    phone, other = api(giulia), make_vehicle("scooter")
    held = phone.post("/api/v1/reservations", {"vehicle": scooter.code})
    assert held.status_code == 201, held.json()
    open_case(vehicle_id=scooter.pk, kind="stolen", at=clock.now(), by=SYSTEM)
    relay()
    reservation = Reservation.objects.get()
    assert reservation.state == "displaced"
    assert phone.post("/api/v1/reservations", {"vehicle": other.code}).status_code == 201
    again = displace_reservation(public_id=reservation.public_id, reason="stolen", at=clock.now())
    assert again is False


def test_the_sticker_is_found_by_its_code_and_by_its_qr_code(
    api: Callable[[User | None], APIClient], scooter: Vehicle, giulia: User
) -> None:
    scooter.refresh_from_db()
    for ref in (scooter.code.lower(), scooter.qr_code, scooter.qr_code.upper()):
        seen = api(giulia).get(f"/api/v1/vehicles/{ref}").json()
        assert (seen["code"], seen["form_factor"]) == (scooter.code, "scooter_standing")
    assert api(giulia).get(f"/api/v1/vehicles/{scooter.qr_code[:-1]}").status_code == 404
