"""Giulia's rights: a copy of everything, and to be forgotten when nothing is under way."""

import datetime
import io
import json
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import time_machine
from allauth.account.internal.flows.login import record_authentication
from django.core import mail
from django.db import transaction
from django.test import Client, RequestFactory
from rest_framework.response import Response
from rest_framework.test import APIClient

from bookings.passes.models import DiscountStatus
from bookings.payments import services as payments
from bookings.payments.models import BillingDetails, Payment, PaymentMethod
from bookings.reservations.models import Reservation
from bookings.riders import services as riders
from bookings.riders.models import DrivingLicence, RiderProfile
from bookings.riders.queries import obstacles
from bookings.support.models import CaseMessage, SupportCase
from bookings.trips.models import Trip
from charging.sessions.models import Token
from charging.sessions.services import ensure_token
from fleet.maintenance.models import FaultReport
from mobility.accounts import privacy, rights
from mobility.accounts import tasks as account_tasks
from mobility.accounts.models import ApiToken, Organisation, PrivacyRequest, User
from mobility.core import clock, files
from mobility.core.models import AuditEntry, OutboxEvent
from mobility.core.principals import SYSTEM
from tests.bookings.races import at_once
from tests.core.files.test_images import picture

pytestmark = pytest.mark.django_db
pytest_plugins: list[str] = []


@pytest.fixture(autouse=True)
def _private_folder(settings: object, tmp_path: Path) -> None:
    settings.FILES_DIR = tmp_path / "files"
    settings.DOCUMENT_CHECKER = ""


@pytest.fixture
def known(giulia: User, ruote: Organisation, make_vehicle: Callable[..., object]) -> User:
    """Giulia has a card, a licence with pictures, a ride behind her, a fault told, a charging card."""
    at = clock.now()
    day = clock.service_day(at)
    payments.add_payment_method(user_id=giulia.pk, token="demo-ok", at=at, by=giulia.principal)
    riders.submit_licence(
        user_id=giulia.pk, number="MI1234567X", country="IT", categories=["B"], held_since=day,
        valid_until=day, pictures={"front": picture(), "back": picture()}, at=at, by=giulia.principal,
    )  # fmt: skip
    riders.update_profile(user=giulia, changes={"phone": "+390212345"}, at=at, by=giulia.principal)
    vehicle = make_vehicle("scooter", code="PRIV1")
    FaultReport.objects.create(
        vehicle=vehicle, source="resident", category="brakes", severity=2, text="brake is loose",
        reported_by=giulia.principal, at=at, lon=9.2, lat=45.4,
    )  # fmt: skip
    ensure_token(uid="APP-GIULIA", at=at, owner_ref=giulia.principal, label="Giulia's card")
    DiscountStatus.objects.create(
        user=giulia, organisation=ruote, verified_until=at + datetime.timedelta(days=100)
    )
    case = SupportCase.objects.create(
        user=giulia, organisation=ruote, kind="lost_item", state="closed", opened_at=at, due_at=at
    )
    CaseMessage.objects.create(case=case, by=giulia.principal, text="my grey scarf", at=at)
    return giulia


@pytest.fixture
def ride(known: User, tariff_of_ruote: Organisation) -> Trip:
    """A ride of hers that is over and paid."""
    from django.apps import apps

    vehicle = apps.get_model("fleet.Vehicle").objects.get(code="PRIV1")
    at = clock.now()
    reservation = Reservation.objects.create(
        user=known, organisation=vehicle.organisation, vehicle=vehicle, hold=hold_of(vehicle, at),
        tariff_version=tariff_of_ruote, fare_terms={}, reserved_at=at, expires_at=at,
        state="completed",
    )  # fmt: skip
    payment = Payment.objects.create(
        organisation=vehicle.organisation, payer=known, purpose="trip", purpose_ref=known.public_id,
        state="captured", authorised_cents=500, amount_cents=300, captured_cents=300,
        provider="local", provider_ref="x", created_at=at,
    )  # fmt: skip
    return Trip.objects.create(
        user=known, organisation=vehicle.organisation, vehicle=vehicle, reservation=reservation,
        payment=payment, state="settled", requested_at=at, price_cents=300, start_lon=9.2,
        start_lat=45.4,
    )  # fmt: skip


@pytest.fixture
def tariff_of_ruote(ruote: Organisation) -> object:
    from decimal import Decimal

    from bookings.pricing import services as pricing
    from bookings.pricing.models import Tariff

    row = Tariff.objects.create(
        organisation=ruote, code="p", title={"it": "P"}, vehicle_kinds=["scooter"]
    )
    version = pricing.draft_version(
        tariff=row, valid_from=clock.now(), vat_rate=Decimal("0.22"), minute_cents=20,
        pause_minute_cents=5, preauth_cents=500,
    )  # fmt: skip
    return pricing.publish_version(version_id=version.pk, at=clock.now(), by=SYSTEM)


def hold_of(vehicle: object, at: datetime.datetime) -> object:
    from fleet.vehicles.services import hold_vehicle, release_hold
    from fleet.vehicles.states import HoldPurpose

    hold = hold_vehicle(
        vehicle_id=vehicle.pk, until=at + datetime.timedelta(minutes=5), purpose=HoldPurpose.RIDE,
        holder_ref="reservation:x", at=at, by=SYSTEM,
    )  # fmt: skip
    release_hold(hold_id=hold.pk, at=at, by=SYSTEM)
    return hold


def download(phone: APIClient, request_id: str) -> Response:
    row = PrivacyRequest.objects.get(public_id=request_id)
    rights.build_archive(request_id=row.pk, at=clock.now())
    [newest] = phone.get("/api/v1/me/export").json()["results"]
    assert newest["state"] == "done"
    return phone.get(f"/api/v1/files/{newest['file']}")


def test_the_archive_holds_what_every_room_knows(
    api: Callable[..., APIClient], ride: Trip, giulia: User,
    django_capture_on_commit_callbacks: Callable[..., object],
) -> None:  # fmt: skip
    phone = api(giulia)
    asked = phone.post("/api/v1/me/export")
    assert (asked.status_code, asked.json()["state"]) == (202, "asked")
    assert phone.post("/api/v1/me/export").json()["id"] == asked.json()["id"]
    with django_capture_on_commit_callbacks(execute=True):
        answer = download(phone, asked.json()["id"])
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert archive.testzip() is None
    names = set(archive.namelist())
    assert {f"{room}.json" for room in privacy.rooms()} | {"account.json"} <= names
    read = {name: json.loads(archive.read(name)) for name in names if name.endswith(".json")}
    assert read["account.json"]["email"] == "giulia@demo.example"
    assert read["riders.json"]["licences"][0]["number_last3"] == "67X"
    assert read["trips.json"]["trips"][0]["price_cents"] == 300
    assert read["payments.json"]["payments"][0]["captured_cents"] == 300
    assert read["fault_reports.json"][0]["text"] == "brake is loose"
    assert read["support.json"][0]["messages"][0]["text"] == "my grey scarf"
    assert read["passes.json"]["discounts"][0]["organisation__slug"] == "ruote"
    assert read["recharges.json"]["tokens"][0]["uid"] == "APP-GIULIA"
    pictures = [name for name in names if name.startswith("files/")]
    assert len(pictures) == 2
    assert archive.read(pictures[0]).startswith(b"\xff\xd8")
    assert [letter.subject for letter in mail.outbox] == ["Your data is ready"]


def test_the_archive_is_hers_alone_once_and_for_a_week(
    api: Callable[..., APIClient], giulia: User, piero: User, marco: User
) -> None:
    phone = api(giulia)
    asked = phone.post("/api/v1/me/export").json()
    row = PrivacyRequest.objects.get()
    rights.build_archive(request_id=row.pk, at=clock.now())
    rights.build_archive(request_id=row.pk, at=clock.now())  # a second worker finds nothing to do
    file = files.StoredFile.objects.get()
    address = f"/api/v1/files/{file.public_id}"
    assert file.delete_after - file.created_at == datetime.timedelta(days=7)
    assert {api(user).get(address).status_code for user in (piero, marco)} == {404}
    assert phone.get(address).status_code == 200
    assert phone.get(address).status_code == 410
    assert phone.post("/api/v1/me/export").json()["id"] != asked["id"]


def test_a_request_whose_worker_died_is_found_again(giulia: User) -> None:
    rights.ask_for_archive(user=giulia, at=clock.now())
    assert rights.build_waiting(at=clock.now()) == 0
    assert rights.build_waiting(at=clock.now() + datetime.timedelta(minutes=6)) == 1
    account_tasks.build_archive(request_id=PrivacyRequest.objects.get().pk)
    assert PrivacyRequest.objects.get().state == "done"


def test_erasing_wants_the_password_or_a_fresh_log_in(
    api: Callable[..., APIClient], giulia: User
) -> None:
    giulia.set_password("una frase lunga")
    giulia.save()
    phone = api(giulia)
    ApiToken.objects.update(created_at=clock.now() - datetime.timedelta(hours=1))
    for body in ({}, {"password": "wrong"}):
        refused = phone.post("/api/v1/me/erase", body)
        assert (refused.status_code, refused.json()["code"]) == (403, "confirmation_needed")
    assert phone.post("/api/v1/me/erase", {"password": "una frase lunga"}).status_code == 200


def test_an_open_browser_does_not_erase_who_has_logged_in_elsewhere(
    client: Client, giulia: User
) -> None:
    giulia.set_password("una frase lunga")
    giulia.save()
    client.force_login(giulia)
    User.objects.filter(pk=giulia.pk).update(last_login=clock.now())
    refused = client.post("/api/v1/me/erase", {}, "application/json")
    assert (refused.status_code, refused.json()["code"]) == (403, "confirmation_needed")
    body = {"password": "una frase lunga"}
    assert client.post("/api/v1/me/erase", body, "application/json").status_code == 200


def test_who_has_no_password_proves_themselves_by_a_log_in_of_this_browser(
    client: Client, giulia: User
) -> None:
    giulia.set_unusable_password()
    giulia.save()
    client.force_login(giulia)
    assert client.post("/api/v1/me/erase", {}, "application/json").status_code == 403
    page = RequestFactory().get("/")
    page.session = client.session
    record_authentication(page, giulia, "code")
    page.session.save()
    later = clock.now() + datetime.timedelta(minutes=16)
    with time_machine.travel(later, tick=False):
        assert client.post("/api/v1/me/erase", {}, "application/json").status_code == 403
    assert client.post("/api/v1/me/erase", {}, "application/json").status_code == 200


def test_what_is_under_way_or_unpaid_comes_first(
    api: Callable[..., APIClient], ride: Trip, giulia: User
) -> None:
    Trip.objects.update(state="running")
    Reservation.objects.update(state="consumed")
    Payment.objects.update(state="due")
    refused = api(giulia).post("/api/v1/me/erase", {})
    assert (refused.status_code, refused.json()["code"]) == (409, "erasure_refused")
    reasons = refused.json()["reasons"]
    assert {one["code"] for one in reasons} == {"trip_active", "reservation_active", "payment_open"}
    assert all(one["message"] for one in reasons)
    giulia.refresh_from_db()
    assert giulia.email == "giulia@demo.example"
    assert PaymentMethod.objects.filter(removed_at=None).exists()


def test_whoever_works_here_is_not_erased_by_themselves(
    api: Callable[..., APIClient], marco: User
) -> None:
    refused = api(marco).post("/api/v1/me/erase", {}).json()
    assert [one["code"] for one in refused["reasons"]] == ["staff_role"]


def test_who_is_erased_leaves_no_trace_but_the_books(
    api: Callable[..., APIClient], ride: Trip, giulia: User,
    django_capture_on_commit_callbacks: Callable[..., object],
) -> None:  # fmt: skip
    BillingDetails.objects.create(
        user=giulia, name="Giulia Ferri", tax_code="FRRGLI90E57F205X", address="via Brembo 20", postcode="20139", town="Milano",
        updated_at=clock.now(),
    )  # fmt: skip
    phone = api(giulia)
    with django_capture_on_commit_callbacks(execute=True):
        gone = phone.post("/api/v1/me/erase", {})
    assert gone.status_code == 200, gone.json()
    assert any("ten years" in one for one in gone.json()["kept"])

    closed = User.objects.get(pk=giulia.pk)
    assert closed.email == f"{giulia.public_id}@erased.invalid"
    assert (closed.name, closed.is_active, closed.has_usable_password()) == ("", False, False)
    trail = str(list(AuditEntry.objects.values_list("row", "changes")))
    assert ("giulia@" in trail, "Giulia" in trail) == (False, False)
    [edit] = AuditEntry.objects.filter(action="edit:update", row=f"mobility.user:{giulia.pk}")
    assert edit.changes["email"] == edit.changes["name"] == "(personal)"
    assert phone.get("/api/v1/me").status_code == 401
    assert not ApiToken.objects.filter(user=closed).exists()
    assert not DrivingLicence.objects.exists()
    assert not RiderProfile.objects.exists()
    assert not BillingDetails.objects.exists()
    assert not files.StoredFile.objects.present().exists()
    method = PaymentMethod.objects.get()
    assert method.removed_at is not None
    assert (method.label, "demo" in method.token) == ("", False)
    assert Token.objects.get().owner_ref == ""
    assert Token.objects.get().state == "blocked"
    assert not DiscountStatus.objects.exists()
    assert (CaseMessage.objects.get().text, SupportCase.objects.get().user.email) == (
        "", privacy.NOBODY,
    )  # fmt: skip
    fault = FaultReport.objects.get()
    assert (fault.reported_by == giulia.principal, fault.lon, fault.text) == (
        False, None, "brake is loose",
    )  # fmt: skip
    ride.refresh_from_db()
    assert ride.user.email == privacy.NOBODY
    assert (ride.start_lon, ride.price_cents, ride.reservation.user) == (None, 300, ride.user)
    assert ride.payment.payer == closed  # the books know an opaque number
    proof = PrivacyRequest.objects.get()
    assert (proof.kind, proof.state) == ("erase", "done")
    assert OutboxEvent.objects.filter(name="mobility.person_erased.v1").count() == 1


@pytest.mark.django_db(transaction=True)
def test_no_copy_of_the_data_outlives_the_person(
    giulia: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One copy is being made while she is erased, which waits for it; the next one never is."""
    making, erasing = threading.Event(), threading.Event()
    account_data = rights.account_data

    def slowly(*, user: User) -> object:
        making.set()
        assert erasing.wait(20)
        return account_data(user=user)

    monkeypatch.setattr(rights, "account_data", slowly)
    asked = rights.ask_for_archive(user=giulia, at=clock.now())

    def erase() -> None:
        assert making.wait(20)
        threading.Timer(0.3, erasing.set).start()
        rights.erase_person(user=giulia, at=clock.now(), by=SYSTEM)

    made, erased = at_once(
        [lambda: rights.build_archive(request_id=asked.pk, at=clock.now()), erase]
    )
    assert (made, erased) == (None, None)
    assert files.StoredFile.objects.count() == 1
    assert not files.StoredFile.objects.present().exists()


def test_a_copy_that_was_asked_for_is_not_made_of_who_is_gone(giulia: User) -> None:
    asked = rights.ask_for_archive(user=giulia, at=clock.now())
    rights.erase_person(user=giulia, at=clock.now(), by=SYSTEM)
    assert rights.build_waiting(at=clock.now() + datetime.timedelta(minutes=6)) == 0
    rights.build_archive(request_id=asked.pk, at=clock.now())
    assert not files.StoredFile.objects.exists()


def test_an_erasure_that_fails_half_way_erases_nothing(
    api: Callable[..., APIClient], known: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(**_told: object) -> None:
        raise ZeroDivisionError

    # The last room in the alphabet, when all the others have done their part.
    room = privacy.Room(export=privacy.rooms()["riders"].export, erase=stumble)
    monkeypatch.setitem(privacy._rooms, "zz", room)
    assert api(known).post("/api/v1/me/erase", {}).status_code == 500
    known.refresh_from_db()
    assert known.email == "giulia@demo.example"
    assert DrivingLicence.objects.exists()
    assert files.StoredFile.objects.present().count() == 2
    assert PaymentMethod.objects.filter(removed_at=None).exists()


@pytest.mark.django_db(transaction=True)
def test_nobody_reserves_on_an_account_that_is_being_erased(
    giulia: User, ruote: Organisation
) -> None:
    """A plain look still sees the account open; the gate waits for the erasure and finds it closed."""
    erased, seen = threading.Event(), threading.Event()
    gate = {"user_id": giulia.pk, "organisation_id": ruote.pk, "kind": "scooter", "at": clock.now()}
    looks: list[tuple[object, ...]] = []

    def erase() -> None:
        with transaction.atomic():
            rights.erase_person(user=giulia, at=clock.now(), by=SYSTEM)
            erased.set()
            assert seen.wait(20)

    def reserve() -> None:
        assert erased.wait(20)
        looks.append(obstacles(**gate))
        # The erasure commits when the gate is on its way to the account.
        threading.Timer(0.3, seen.set).start()
        with transaction.atomic():
            riders.refuse_unfit(**gate)

    _erasure, refused = at_once([erase, reserve])
    assert looks == [()]
    assert isinstance(refused, riders.AccessRefused)
    assert [one["code"] for one in refused.extra["reasons"]] == ["account_closed"]


def test_every_row_that_names_a_person_belongs_to_a_room_that_knows_how_to_forget() -> None:
    """A new table with a person in it must say who erases it, here and in docs/privacy.md."""
    from django.apps import apps

    known = {
        # accounts itself
        "mobility.Membership", "mobility.ApiToken", "mobility.Consent", "mobility.PrivacyRequest",
        "account.EmailAddress", "mfa.Authenticator", "socialaccount.SocialAccount", "admin.LogEntry",
        "mobility.SavedView",
        # notifications, by its privacy.py
        "mobility.Notification", "mobility.NotificationChoice", "mobility.PushDevice",
        # bookings, by the files privacy.py
        "bookings.RiderProfile", "bookings.IdentityCheck", "bookings.DrivingLicence",
        "bookings.Acknowledgement", "bookings.RiderBlock", "bookings.Reservation",
        "bookings.Booking", "bookings.Trip", "bookings.EndPhoto", "bookings.StartPhoto",
        "bookings.TripDispute",
        "bookings.Recharge", "bookings.KeptConnector", "bookings.Pass", "bookings.PromoRedemption",
        "bookings.DiscountStatus", "bookings.PerkUse", "bookings.RewardClaim",
        "bookings.Payment", "bookings.PaymentMethod",
        "bookings.BillingDetails", "bookings.Fee", "bookings.LedgerAccount", "bookings.SupportCase",
        # staff, whose roles end before their account does
        "fleet.RebalancingTask", "fleet.VanCrew", "fleet.WorkOrder", "fleet.Alarm", "mobility.Webhook",
        "charging.StationTicket",
    }  # fmt: skip
    naming = {
        model._meta.label
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.is_relation and field.related_model is User
    }
    assert naming <= known, sorted(naming - known)
