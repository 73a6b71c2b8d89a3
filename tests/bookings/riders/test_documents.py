"""Giulia sends her licence, Marco looks at it; nobody else sees a thing."""

import datetime
from collections.abc import Callable

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from rest_framework.response import Response
from rest_framework.test import APIClient

from bookings.riders import services
from bookings.riders.models import DrivingLicence, IdentityCheck
from bookings.riders.services.documents import hash_number
from bookings.riders.states import DocumentState, PaperKind
from fleet.vehicles.models import Vehicle
from mobility.accounts.models import Organisation, User
from mobility.core import clock, files
from mobility.core.models import AuditEntry, OutboxEvent
from mobility.core.principals import SYSTEM
from tests.bookings.races import at_once
from tests.bookings.riders.conftest import in_days, photo, today

pytestmark = pytest.mark.django_db
Send = Callable[..., Response]


def staff(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def judge(client: Client, row: DrivingLicence | IdentityCheck, verdict: str) -> Response:
    page = reverse(f"admin:bookings_{row._meta.model_name}_change", args=[row.pk])
    return client.post(page, {"verdict": verdict, "remark": ""}, follow=True)


def facts() -> list[str]:
    return list(OutboxEvent.objects.order_by("id").values_list("name", flat=True))


def test_a_licence_is_sent_reviewed_and_opens_the_cars(
    api: Callable[..., APIClient], giulia: User, marco: User, send_licence: Send,
    relay: Callable[[], int], django_capture_on_commit_callbacks: Callable[..., object],
) -> None:  # fmt: skip
    phone = api(giulia)
    question = "/api/v1/me/eligibility?kind=car"
    [ruote] = phone.get(question).json()["results"]
    assert not ruote["eligible"]
    assert [one["code"] for one in ruote["obstacles"]] == ["licence_required"]

    sent = send_licence(giulia)
    assert sent.status_code == 201, sent.json()
    assert (sent.json()["state"], sent.json()["number_last3"]) == ("submitted", "67X")
    assert sent.json()["reviewed_by"] == "Ruote di Milano"
    [waiting] = phone.get(question).json()["results"]
    assert [one["code"] for one in waiting["obstacles"]] == ["licence_pending"]

    with django_capture_on_commit_callbacks(execute=True):
        judge(staff(marco), DrivingLicence.objects.get(), "verify")
        relay()
    [open_to_her] = phone.get(question).json()["results"]
    assert open_to_her == ruote | {"eligible": True, "obstacles": []}
    mine = phone.get("/api/v1/me/documents").json()
    assert mine["licence"]["state"] == mine["licence_in_force"]["state"] == "verified"
    assert mine["identity"] is None
    [letter] = mail.outbox
    assert letter.to == ["giulia@demo.example"]
    assert "driving licence" in letter.body


def test_a_licence_that_is_verified_while_somebody_asks_is_no_trouble(
    api: Callable[..., APIClient], giulia: User, marco: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified = DrivingLicence(user=giulia, state=DocumentState.VERIFIED)
    monkeypatch.setattr("bookings.riders.queries.newest_document", lambda **_whose: verified)

    [ruote] = api(giulia).get("/api/v1/me/eligibility?kind=car").json()["results"]

    assert [one["code"] for one in ruote["obstacles"]] == ["licence_required"]


def test_the_number_is_nowhere_to_be_read(
    giulia: User, ruote: Organisation, send_licence: Send
) -> None:
    assert send_licence(giulia).status_code == 201
    licence = DrivingLicence.objects.get()
    assert "1234567" not in str(DrivingLicence.objects.values().get())
    assert licence.number_hash == hash_number("MI-1234567 x")
    assert licence.number_hash != hash_number("MI1234568X")


def test_only_the_asked_operator_and_the_owner_see_the_pictures(
    api: Callable[..., APIClient], giulia: User, piero: User, marco: User, sara: User, elena: User,
    rivale: User, send_licence: Send,
) -> None:  # fmt: skip
    send_licence(giulia, organisation="ruote")
    front = DrivingLicence.objects.get().front
    address = f"/api/v1/files/{front.public_id}"
    seen = {
        user.name: api(user).get(address).status_code
        for user in (giulia, piero, marco, sara, elena, rivale)
    }
    assert seen == {
        "Giulia": 200, "Marco": 200, "Piero": 404, "Sara": 404, "Elena": 404, "Rivale": 404,
    }  # fmt: skip
    assert AuditEntry.objects.get(action="open_file").by == marco.principal


def test_the_queue_shows_marco_what_is_to_be_done_and_the_rival_nothing(
    giulia: User, marco: User, rivale: User, sara: User, send_licence: Send
) -> None:
    send_licence(giulia, organisation="ruote")
    row = DrivingLicence.objects.get()
    listing = reverse("admin:bookings_drivinglicence_changelist")
    page = reverse("admin:bookings_drivinglicence_change", args=[row.pk])
    assert "Giulia" in staff(marco).get(listing).content.decode()
    shown = staff(marco).get(page).content.decode()
    assert f"/api/v1/files/{row.front.public_id}" in shown
    assert "Giulia" not in staff(rivale).get(listing).content.decode()
    assert staff(rivale).get(page).status_code == 302
    assert staff(sara).get(listing).status_code == 403
    judge(staff(rivale), row, "verify")
    row.refresh_from_db()
    assert row.state == "submitted"


def test_a_rejected_document_says_why_and_can_be_sent_again(
    api: Callable[..., APIClient],
    giulia: User,
    marco: User,
    send_identity: Send,
    ruote: Organisation,
) -> None:
    assert send_identity(giulia).status_code == 201
    judge(staff(marco), IdentityCheck.objects.get(), "unreadable")
    told = api(giulia).get("/api/v1/me/documents").json()["identity"]
    assert (told["state"], told["reason"]) == ("rejected", "unreadable")
    assert told["reason_text"] == "the picture cannot be read"
    assert send_identity(giulia).status_code == 201
    assert IdentityCheck.objects.filter(state="submitted").count() == 1


def test_pictures_go_a_month_after_the_verdict_and_at_once_when_replaced(
    giulia: User, marco: User, send_licence: Send, settings: object,
    django_capture_on_commit_callbacks: Callable[..., object],
) -> None:  # fmt: skip
    with django_capture_on_commit_callbacks(execute=True):
        send_licence(giulia)
        first = DrivingLicence.objects.get()
        send_licence(giulia, number="AB7654321")
    first.refresh_from_db()
    assert (first.state, first.front.removed_at is None) == ("expired", False)
    second = DrivingLicence.objects.get(state="submitted")
    services.verify_document(document=second, at=clock.now(), by=marco.principal)
    kept = files.StoredFile.objects.present()
    assert {file.pk for file in kept} == {second.front_id, second.back_id}
    month = clock.now() + datetime.timedelta(days=settings.RIDER_IMAGES_DAYS, minutes=1)
    with django_capture_on_commit_callbacks(execute=True):
        files.forget_outlived(at=month)
    assert not files.StoredFile.objects.present().exists()
    assert DrivingLicence.objects.get(state="verified").front.sha256 == ""


def test_a_renewed_licence_ends_the_old_one_only_when_it_is_verified(
    giulia: User, marco: User, licensed: Callable[..., DrivingLicence], send_licence: Send
) -> None:
    old = licensed(giulia)
    send_licence(giulia)
    old.refresh_from_db()
    assert old.state == "verified"
    judge(staff(marco), DrivingLicence.objects.get(state="submitted"), "verify")
    old.refresh_from_db()
    assert old.state == "expired"
    assert DrivingLicence.objects.filter(state="verified").count() == 1


def test_one_licence_opens_one_account(
    giulia: User, piero: User, marco: User, send_licence: Send
) -> None:
    send_licence(giulia)
    judge(staff(marco), DrivingLicence.objects.get(user=giulia), "verify")
    send_licence(piero, number="MI1234567X")
    double = DrivingLicence.objects.get(user=piero)
    answer = judge(staff(marco), double, "verify")
    assert "another account" in answer.content.decode()
    double.refresh_from_db()
    assert double.state == "submitted"
    judge(staff(marco), double, "duplicate")
    double.refresh_from_db()
    assert (double.state, double.reason) == ("rejected", "duplicate")


def test_nobody_judges_their_own(marco: User, send_licence: Send) -> None:
    send_licence(marco)
    row = DrivingLicence.objects.get()
    with pytest.raises(services.OwnDocument):
        services.verify_document(document=row, at=clock.now(), by=marco.principal)
    judge(staff(marco), row, "verify")
    row.refresh_from_db()
    assert row.state == "submitted"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"valid_until": "2020-01-01"}, "document_out_of_date"),
        ({"categories": "B,Z9"}, "licence_implausible"),
        ({"categories": ","}, "licence_implausible"),
        ({"held_since": "2099-01-01"}, "licence_implausible"),
        ({"country": "Italy"}, "invalid_fields"),
        ({"number": "<b>"}, "invalid_fields"),
        ({"organisation": "comune"}, "not_found"),
        ({"front": "not a file"}, "invalid_fields"),
    ],
)
def test_what_cannot_be_is_refused_before_a_picture_is_kept(
    giulia: User, ruote: Organisation, comune: Organisation, send_licence: Send,
    wrong: dict[str, str], code: str,
) -> None:  # fmt: skip
    assert send_licence(giulia, **wrong).json()["code"] == code
    assert not files.StoredFile.objects.exists()
    assert not DrivingLicence.objects.exists()


def test_without_an_operator_nobody_could_look(giulia: User, send_identity: Send) -> None:
    assert send_identity(giulia).json()["code"] == "nobody_reviews"


@pytest.mark.parametrize(
    ("country", "state", "checked"),
    [("IT", "verified", True), ("XX", "rejected", True), ("US", "submitted", True), ("XZ", "submitted", False)],
)  # fmt: skip
def test_a_machine_approves_rejects_leaves_it_to_people_or_is_away(
    giulia: User, ruote: Organisation, send_licence: Send, settings: object,
    country: str, state: str, checked: bool,
) -> None:  # fmt: skip
    settings.DOCUMENT_CHECKER = "demo"
    send_licence(giulia, country=country)
    row = DrivingLicence.objects.get()
    for _twice in range(2):
        services.check_document(kind=PaperKind.LICENCE, document_id=row.pk, at=clock.now())
    row.refresh_from_db()
    assert (row.state, row.checked_at is not None) == (state, checked)
    late = clock.now() + datetime.timedelta(minutes=3)
    assert services.ask_again(at=late) == (0 if checked else 1)
    verdicts = [name for name in facts() if "document" in name]
    assert len(verdicts) == (1 if state in {"verified", "rejected"} else 0)


def test_a_machine_never_overrules_the_duplicate_check(
    giulia: User, piero: User, ruote: Organisation, send_licence: Send, settings: object
) -> None:
    settings.DOCUMENT_CHECKER = "demo"
    for user in (giulia, piero):
        send_licence(user)
        row = DrivingLicence.objects.get(user=user)
        services.check_document(kind=PaperKind.LICENCE, document_id=row.pk, at=clock.now())
    assert DrivingLicence.objects.get(user=piero).state == "submitted"


def test_warnings_go_out_once_and_the_last_day_ends_it(
    giulia: User, licensed: Callable[..., DrivingLicence], relay: Callable[[], int],
    django_capture_on_commit_callbacks: Callable[..., object],
) -> None:  # fmt: skip
    licence = licensed(giulia, valid_until=today() + datetime.timedelta(days=31))
    OutboxEvent.objects.all().delete()

    def on_day(days: int) -> list[str]:
        before = OutboxEvent.objects.count()
        for _twice in range(2):
            services.follow_calendar(at=clock.now() + datetime.timedelta(days=days))
        return [name.split(".")[1] for name in facts()[before:]]

    assert on_day(0) == []
    assert on_day(1) == ["document_expiring"]
    assert on_day(10) == []
    assert on_day(24) == ["document_expiring"]
    assert on_day(31) == []
    assert on_day(32) == ["document_expired"]
    licence.refresh_from_db()
    assert licence.state == "expired"
    with django_capture_on_commit_callbacks(execute=True):
        relay()
    assert len(mail.outbox) == 3


def test_papers_are_forgotten_two_years_after_their_end(
    giulia: User, licensed: Callable[..., DrivingLicence], ruote: Organisation
) -> None:
    old, now = licensed(giulia), clock.now()
    placed = services.place_block(user_id=giulia.pk, reason="staff", at=now, by=SYSTEM)
    services.lift_block(block=placed, at=now, by=SYSTEM)
    services.reject_document(document=old, reason="forged", at=now, by=SYSTEM)
    licensed(giulia, number="AB0000001")
    later = now + datetime.timedelta(days=730)
    assert services.forget_old_papers(at=later) == 0
    assert services.forget_old_papers(at=later + datetime.timedelta(seconds=1)) == 2
    assert DrivingLicence.objects.get().state == "verified"


def test_a_revoked_licence_closes_the_cars_again(
    api: Callable[..., APIClient],
    giulia: User,
    marco: User,
    licensed: Callable[..., DrivingLicence],
) -> None:
    judge(staff(marco), licensed(giulia), "forged")
    [ruote] = api(giulia).get("/api/v1/me/eligibility?kind=car").json()["results"]
    assert [one["code"] for one in ruote["obstacles"]] == ["licence_rejected"]


def test_an_upload_repeated_with_its_key_is_one_document(
    api: Callable[..., APIClient], giulia: User, ruote: Organisation
) -> None:
    phone = api(giulia)

    def send() -> Response:
        body = {
            "paper": "passport", "country": "DE", "valid_until": in_days(100), "front": photo(),
        }  # fmt: skip
        return phone.post(
            "/api/v1/me/identity", body, format="multipart", headers={"Idempotency-Key": "one"}
        )

    first, second = send(), send()
    assert (first.status_code, second.content) == (201, first.content)
    assert IdentityCheck.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_reviewers_at_once_give_one_verdict(
    giulia: User, marco: User, ruote: Organisation, make_vehicle: Callable[..., Vehicle]
) -> None:
    day = today()
    told = {
        "user_id": giulia.pk, "number": "MI1234567X", "country": "IT", "categories": ["B"],
        "held_since": day, "valid_until": day, "pictures": {}, "at": clock.now(), "by": SYSTEM,
    }  # fmt: skip
    services.submit_licence(**told)

    def verdict(accept: bool) -> None:
        row = DrivingLicence.objects.select_related("user").get()
        given = {"document": row, "at": clock.now(), "by": marco.principal}
        if accept:
            services.verify_document(**given)
        else:
            services.reject_document(**given, reason="unreadable")

    answers = at_once([lambda n=n: verdict(n % 2 == 0) for n in range(6)])
    row = DrivingLicence.objects.get()
    verdicts = OutboxEvent.objects.filter(name__contains="document").count()
    moves = AuditEntry.objects.filter(action__startswith="state:", row__contains="licence").count()
    # A rejection may follow an acceptance by its rules; never two of the same, never one unrecorded.
    assert verdicts == moves == answers.count(None)
    assert verdicts in {1, 2}
    assert row.state == "rejected" or verdicts == 1
