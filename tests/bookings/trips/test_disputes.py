"""Giulia objects, staff answer, and what was paid too much goes back."""

import datetime

import pytest

from bookings.payments.models import LedgerEntry, PaymentPolicy, Receipt, Refund
from bookings.payments.queries import ledger_faults
from bookings.trips import tasks
from bookings.trips.models import Trip, TripDispute, TripVersion
from bookings.trips.services import note_new_distance, open_dispute
from mobility.accounts.models import Membership
from mobility.accounts.states import Role
from mobility.core import clock
from mobility.core.models import OutboxEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def paid(ride, rider, drive, finish, collect):
    """Ten minutes for 3.50, paid."""
    trip = ride()
    drive(minutes=10)
    finish(trip)
    collect()
    assert rider.get(trip).json()["state"] == "settled"
    return trip


def events(name):
    return [row.payload for row in OutboxEvent.objects.filter(name=f"bookings.{name}.v1")]


def test_a_dispute_has_a_number_and_a_time_by_which_it_is_answered(paid, rider, picture):
    answer = rider.post(
        f"{paid}/disputes",
        {"reason": "could_not_end", "text": "stood there for ages", "photo": [picture()]},
        format="multipart",
    )
    assert answer.status_code == 201, answer.content
    case = answer.json()
    assert len(case["case_number"]) == 8
    due = datetime.datetime.fromisoformat(case["due_at"])
    assert due - clock.now() == datetime.timedelta(hours=72)
    assert rider.get(f"/api/v1/files/{case['photos'][0]}").status_code == 200
    assert rider.get(f"/api/v1/trip-disputes/{case['id']}").json() == case
    assert rider.get(paid).json()["flags"] == ["disputed"]
    (told,) = events("trip_disputed")
    assert told["case_number"] == case["case_number"]


def test_one_dispute_of_a_trip_at_a_time(paid, rider):
    first = rider.post(f"{paid}/disputes", {"reason": "other"}).json()
    second = rider.post(f"{paid}/disputes", {"reason": "other"})
    assert (second.status_code, second.json()["code"]) == (409, "already_disputed")
    assert second.json()["case_number"] == first["case_number"]


def test_an_objection_forgets_nothing_that_was_noted_meanwhile(paid, rider, the_trip):
    loaded = the_trip()
    Trip.objects.update(flags=["lock_unconfirmed"])
    open_dispute(trip=loaded, reason="other", text="", at=clock.now(), by=loaded.user.principal)
    assert rider.get(paid).json()["flags"] == ["lock_unconfirmed", "disputed"]


def test_long_afterwards_is_too_late(paid, rider, travel):
    travel.shift(datetime.timedelta(days=61))
    refused = rider.post(f"{paid}/disputes", {"reason": "other"})
    assert (refused.status_code, refused.json()["code"]) == (409, "dispute_too_late")


def test_a_start_that_failed_leaves_nothing_to_object_to(rider, scooter):
    trip = rider.post("/api/v1/trips", {"vehicle": "SC1"}).json()["id"]
    rider.post(f"/api/v1/trips/{trip}/end")
    refused = rider.post(f"/api/v1/trips/{trip}/disputes", {"reason": "other"})
    assert refused.json()["code"] == "trip_not_started"


def test_an_accepted_dispute_corrects_the_trip_and_gives_the_difference_back(
    paid, rider, api, marco, collect
):
    case = rider.post(f"{paid}/disputes", {"reason": "could_not_end"}).json()
    started = Trip.objects.get().started_at
    answer = api(marco).post(
        f"/api/v1/trip-disputes/{case['id']}/accept",
        {
            "answer": "You are right.",
            "ended_at": (started + datetime.timedelta(minutes=4)).isoformat(),
        },
    )
    assert answer.status_code == 200, answer.content
    assert (answer.json()["state"], answer.json()["version"]) == ("accepted", 2)
    collect()
    corrected = rider.get(paid).json()
    assert (corrected["price_cents"], corrected["version"]) == (200, 2)
    assert "corrected" in corrected["flags"]
    first, second = rider.get(f"{paid}/versions").json()["results"]
    assert (first["total_cents"], first["reason"]) == (350, "as_charged")
    assert (second["total_cents"], second["state"]) == (200, "applied")
    assert Refund.objects.get().cents == 150
    assert Receipt.objects.filter(kind="credit_note").get().total_cents == 150
    assert sum(LedgerEntry.objects.values_list("cents", flat=True)) == 0
    (told,) = events("trip_corrected")
    assert (told["price_cents_before"], told["price_cents"]) == (350, 200)
    assert events("dispute_decided")[0]["outcome"] == "accepted"


def test_a_rejected_dispute_changes_nothing_and_says_why(paid, rider, api, marco):
    case = rider.post(f"{paid}/disputes", {"reason": "too_expensive"}).json()
    address = f"/api/v1/trip-disputes/{case['id']}/reject"
    assert api(marco).post(address, {}).status_code == 400
    answer = api(marco).post(address, {"answer": "The price was as shown."}).json()
    assert (answer["state"], answer["answer"]) == ("rejected", "The price was as shown.")
    assert rider.get(paid).json()["price_cents"] == 350
    again = api(marco).post(address, {"answer": "x"})
    assert (again.status_code, again.json()["code"]) == (409, "illegal_move")
    assert rider.post(f"{paid}/disputes", {"reason": "other"}).status_code == 201


def test_only_who_runs_the_vehicles_answers(paid, rider, api, rivale, sara, giulia, piero):
    case = rider.post(f"{paid}/disputes", {"reason": "other"}).json()
    for person, status in ((rivale, 404), (sara, 403), (giulia, 403), (piero, 403)):
        for verb in ("accept", "reject"):
            address = f"/api/v1/trip-disputes/{case['id']}/{verb}"
            assert api(person).post(address, {"answer": "x"}).status_code == status
    assert api(piero).get(f"/api/v1/trip-disputes/{case['id']}").status_code == 404
    assert api(rivale).get("/api/v1/trip-disputes").json()["results"] == []


def test_a_late_answer_is_said_once(paid, rider, travel):
    rider.post(f"{paid}/disputes", {"reason": "other"})
    assert tasks.watch()["reminded"] == 0
    travel.shift(datetime.timedelta(hours=73))
    assert [tasks.watch()["reminded"], tasks.watch()["reminded"]] == [1, 0]
    assert len(events("dispute_overdue")) == 1


def test_staff_correct_a_trip_but_never_to_more(paid, rider, api, marco, the_trip):
    address = f"/api/v1{paid.removeprefix('/api/v1')}/corrections"
    proposed = api(marco).post(address, {"reason": "gift", "waived": "unlock"})
    assert proposed.status_code == 201, proposed.content
    assert (proposed.json()["number"], proposed.json()["total_cents"]) == (2, 250)
    assert rider.get(paid).json()["price_cents"] == 350, "nothing moves before it is applied"
    assert api(marco).post(f"{address}/apply", {"version": 2}).json()["state"] == "applied"
    assert rider.get(paid).json()["price_cents"] == 250
    kinds = [line["kind"] for line in rider.get(f"{paid}/versions").json()["results"][1]["lines"]]
    assert kinds[-1] == "waived_unlock"
    dearer = api(marco).post(address, {"reason": "back", "waived": ""}).json()
    assert dearer["total_cents"] == 350
    refused = api(marco).post(f"{address}/apply", {"version": dearer["number"]})
    assert (refused.status_code, refused.json()["code"]) == (409, "correction_costs_more")
    assert (
        api(marco).post(f"{address}/reject", {"version": dearer["number"]}).json()["state"]
        == "rejected"
    )
    assert rider.get(paid).json()["price_cents"] == 250
    assert TripVersion.objects.count() == 3


@pytest.fixture
def by_the_km(tariff):
    """Ruote charges for kilometres over the first one."""
    from bookings.pricing.services import draft_version, publish_version
    from mobility.core.principals import SYSTEM
    from tests.bookings.conftest import NUMBERS

    dearer = draft_version(
        tariff=tariff.tariff,
        valid_from=clock.now(),
        **{**NUMBERS, "km_cents": 50, "free_km": 1},
    )
    publish_version(version_id=dearer.pk, at=clock.now(), by=SYSTEM)


def test_points_that_come_late_give_back_but_never_charge(
    travel, by_the_km, ride, rider, drive, finish, the_trip
):
    trip = ride()
    drive(minutes=10)
    finish(trip)
    public_id = the_trip().public_id
    Trip.objects.update(distance_m=3000, price_cents=450)
    note_new_distance(trip_id=public_id, distance_m=5000, at=clock.now())
    waiting = TripVersion.objects.get(number=2)
    assert (waiting.state, waiting.total_cents) == ("proposed", 550)
    assert rider.get(trip).json()["price_cents"] == 450
    note_new_distance(trip_id=public_id, distance_m=900, at=clock.now())
    told = rider.get(trip).json()
    assert (told["price_cents"], told["distance_m"], told["version"]) == (350, 900, 3)


def test_the_same_way_told_again_is_proposed_once(
    travel, by_the_km, ride, rider, drive, finish, the_trip
):
    trip = ride()
    drive(minutes=10)
    finish(trip)
    public_id = the_trip().public_id
    Trip.objects.update(distance_m=3000, price_cents=450)
    for _again in range(3):
        note_new_distance(trip_id=public_id, distance_m=5000, at=clock.now())
    assert TripVersion.objects.filter(state="proposed").count() == 1
    note_new_distance(trip_id=public_id, distance_m=6000, at=clock.now())
    (waiting,) = TripVersion.objects.filter(state="proposed")
    assert waiting.distance_m == 6000, "the way before it is outdated"


def test_a_way_that_staff_have_rejected_is_not_proposed_again(
    travel, by_the_km, ride, rider, drive, finish, the_trip, api, marco
):
    trip = ride()
    drive(minutes=10)
    finish(trip)
    public_id = the_trip().public_id
    Trip.objects.update(distance_m=3000, price_cents=450)
    note_new_distance(trip_id=public_id, distance_m=5000, at=clock.now())
    api(marco).post(f"{trip}/corrections/reject", {"version": 2})
    note_new_distance(trip_id=public_id, distance_m=5000, at=clock.now())
    assert TripVersion.objects.count() == 2


@pytest.fixture
def second(ruote, sara):
    """Sara runs the fleet too, and looks at what goes back."""
    Membership.objects.create(user=sara, organisation=ruote, role=Role.FLEET_OPERATOR)
    PaymentPolicy.objects.create(organisation=ruote, refund_limit_cents=100)
    return type(sara).objects.get(pk=sara.pk)


def refuse(api, person, relay):
    """The second person refuses the only refund that waits."""
    refund = Refund.objects.get(state="proposed")
    address = f"/api/v1/money/refunds/{refund.public_id}/reject"
    assert api(person).post(address, {"reason": "rode it all"}).status_code == 200
    relay()


def test_a_correction_whose_money_a_second_person_refuses_is_withdrawn(
    paid, rider, api, marco, second, relay, collect
):
    address = f"{paid}/corrections"
    started = Trip.objects.get().started_at
    shorter = {"reason": "gift", "ended_at": (started + datetime.timedelta(minutes=4)).isoformat()}
    api(marco).post(address, shorter)
    api(marco).post(f"{address}/apply", {"version": 2})
    assert rider.get(paid).json()["price_cents"] == 200
    refuse(api, second, relay)
    collect()
    told = rider.get(paid).json()
    assert (told["price_cents"], told["version"], told["flags"]) == (350, 1, [])
    assert told["ended_at"] == Trip.objects.get().ended_at.isoformat().replace("+00:00", "Z")
    assert Trip.objects.get().ended_at - started == datetime.timedelta(minutes=10)
    first, withdrawn = rider.get(f"{paid}/versions").json()["results"]
    assert (first["state"], withdrawn["state"]) == ("applied", "withdrawn")
    assert Trip.objects.get().payment.refunded_cents == 0
    back = events("trip_corrected")[-1]
    assert (back["price_cents"], back["reason"]) == (350, "refund_rejected")
    assert not ledger_faults()


def test_a_dispute_whose_money_a_second_person_refuses_is_open_again(
    paid, rider, api, marco, second, relay, travel
):
    case = rider.post(f"{paid}/disputes", {"reason": "could_not_end"}).json()
    answer = {"answer": "You are right.", "waived": "all"}
    assert api(marco).post(f"/api/v1/trip-disputes/{case['id']}/accept", answer).status_code == 200
    travel.shift(datetime.timedelta(hours=1))
    refuse(api, second, relay)
    again = rider.get(f"/api/v1/trip-disputes/{case['id']}").json()
    assert (again["state"], again["answer"], again["version"]) == ("open", "", None)
    due = datetime.datetime.fromisoformat(again["due_at"])
    assert due - clock.now() == datetime.timedelta(hours=72)
    less = {"answer": "The unlocking.", "waived": "unlock"}
    settled = api(marco).post(f"/api/v1/trip-disputes/{case['id']}/accept", less).json()
    assert settled["state"] == "accepted"
    assert rider.get(paid).json()["price_cents"] == 250


def test_a_later_correction_asks_again_for_what_was_refused_before_it(
    paid, rider, api, marco, second, relay
):
    address = f"{paid}/corrections"
    started = Trip.objects.get().started_at
    for minutes in (4, 3):
        shorter = (started + datetime.timedelta(minutes=minutes)).isoformat()
        api(marco).post(address, {"reason": "shorter", "ended_at": shorter})
        number = TripVersion.objects.latest("number").number
        api(marco).post(f"{address}/apply", {"version": number})
    large, small = Refund.objects.order_by("id")
    assert (large.cents, small.cents) == (150, 25)
    api(second).post(f"/api/v1/money/refunds/{large.public_id}/reject", {"reason": "no"})
    relay()
    assert rider.get(paid).json()["price_cents"] == 175
    asked = Refund.objects.latest("id")
    assert (asked.state, asked.cents, asked.by) == ("proposed", 150, marco.principal)


def test_another_way_at_the_same_price_is_only_noted(paid, rider, the_trip):
    note_new_distance(trip_id=the_trip().public_id, distance_m=777, at=clock.now())
    assert rider.get(paid).json()["distance_m"] == 777
    assert not TripVersion.objects.exists()


def test_overdue_ones_are_those_that_are_open(paid, rider, travel):
    rider.post(f"{paid}/disputes", {"reason": "other"})
    assert TripDispute.objects.overdue(clock.now()).count() == 0
    assert TripDispute.objects.overdue(clock.now() + datetime.timedelta(days=4)).count() == 1


def test_a_correction_before_the_money_came_takes_only_what_is_left(
    ride, rider, drive, finish, collect, api, marco
):
    trip = ride()
    drive(minutes=10)
    assert finish(trip)["state"] == "priced"
    address = f"{trip}/corrections"
    api(marco).post(address, {"reason": "gift", "waived": "unlock"})
    applied = api(marco).post(f"{address}/apply", {"version": 2})
    assert applied.status_code == 200, applied.content
    for _round in range(3):
        collect()
    settled = rider.get(trip).json()
    assert (settled["state"], settled["price_cents"]) == ("settled", 250)
    payment = Trip.objects.get().payment
    assert payment.captured_cents - payment.refunded_cents == 250
    assert sum(LedgerEntry.objects.values_list("cents", flat=True)) == 0


def test_what_a_pass_paid_for_a_waived_ride_is_given_back(
    ride, rider, drive, finish, collect, api, marco, ruote, giulia
):
    from decimal import Decimal

    from bookings.passes.models import Pass, PassProduct
    from bookings.passes.services import buy_pass

    product = PassProduct.objects.create(
        organisation=ruote,
        code="fifty",
        title={"it": "50 minuti"},
        shape="bundle",
        vehicle_kinds=["scooter"],
        price_cents=500,
        vat_rate=Decimal("0.22"),
        minutes=50,
        days=30,
    )
    buy_pass(product_id=product.public_id, user=giulia, at=clock.now(), by=giulia.principal)
    collect()
    assert Pass.objects.get().state == "active"
    trip = ride()
    drive(minutes=10)
    assert finish(trip)["price_cents"] == 100
    assert Pass.objects.get().minutes_left == 40
    address = f"{trip}/corrections"
    api(marco).post(address, {"reason": "broken", "waived": "all"})
    applied = api(marco).post(f"{address}/apply", {"version": 2})
    assert (applied.status_code, applied.json()["total_cents"]) == (200, 0), applied.content
    assert Pass.objects.get().minutes_left == 50
