"""Giulia tells us what is wrong; Marco answers in time, and gives money back where that is right."""

import datetime

import pytest

from bookings.payments.models import Refund
from bookings.support import tasks
from bookings.support.models import SupportCase
from bookings.trips.models import Trip
from tests.bookings.support.test_reports import ride, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def trip(travel, rider, scooter, obey, collect):
    """A ride of ten minutes that is over and paid."""
    begun = ride(rider, scooter, obey)
    travel.shift(datetime.timedelta(minutes=10))
    assert rider.post(f"/api/v1/trips/{begun['id']}/end").status_code == 200
    obey(scooter)
    collect()
    return Trip.objects.get()


@pytest.fixture
def case(rider, trip):
    told = rider.post(
        "/api/v1/cases", {"kind": "price", "text": "Too much.", "trip": str(trip.public_id)}
    )
    assert told.status_code == 201, told.content
    return told.json()


def test_a_case_says_by_when_it_is_answered_and_knows_its_payment(case, trip):
    opened = datetime.datetime.fromisoformat(case["opened_at"])
    assert datetime.datetime.fromisoformat(case["due_at"]) - opened == datetime.timedelta(hours=48)
    assert len(case["case_number"]) == 8
    assert (case["trip"], case["payment"]) == (str(trip.public_id), str(trip.payment.public_id))
    assert [said["text"] for said in case["messages"]] == ["Too much."]


def test_told_twice_is_one_case_with_both_words(rider, case, trip):
    about = {"kind": "price", "trip": str(trip.public_id)}
    again = rider.post("/api/v1/cases", {**about, "text": "Much too much."}).json()
    assert again["id"] == case["id"]
    rider.post("/api/v1/cases", {**about, "text": "Much too much."})
    assert [said["text"] for said in again["messages"]] == ["Too much.", "Much too much."]
    assert SupportCase.objects.count() == 1


def test_answered_spoken_to_and_resolved_with_money(rider, api, marco, case, trip, collect):
    address = f"/api/v1/cases/{case['id']}"
    asked = api(marco).post(f"{address}/answer", {"text": "Which part?"}).json()
    assert (asked["state"], asked["messages"][-1]["from_staff"]) == ("answered", True)
    assert rider.post(f"{address}/messages", {"text": "The unlock."}).json()["state"] == "open"
    wrong = {"resolution": "explained", "text": "Sorry.", "refund_cents": 50}
    assert api(marco).post(f"{address}/resolve", wrong).json()["code"] == "nothing_to_refund"
    done = (
        api(marco)
        .post(
            f"{address}/resolve", {"resolution": "refunded", "text": "Sorry.", "refund_cents": 100}
        )
        .json()
    )
    assert (done["state"], done["refund_cents"]) == ("resolved", 100)
    collect()
    refund = Refund.objects.get()
    assert (refund.state, refund.cents) == ("done", 100)
    assert case["case_number"] in refund.reason


def test_a_resolved_case_opens_again_for_two_weeks(rider, api, marco, case, travel):
    address = f"/api/v1/cases/{case['id']}"
    end = {"resolution": "explained", "text": "It is the tariff."}
    assert api(marco).post(f"{address}/resolve", end).json()["resolution"] == "explained"
    travel.shift(datetime.timedelta(days=13))
    assert tasks.close_resolved() == 0
    assert rider.post(f"{address}/messages", {"text": "No."}).json()["state"] == "open"
    api(marco).post(f"{address}/resolve", end)
    travel.shift(datetime.timedelta(days=14))
    assert tasks.close_resolved() == 1
    late = rider.post(f"{address}/messages", {"text": "No!"})
    assert (late.status_code, late.json()["code"]) == (410, "case_closed")


def test_what_waits_too_long_is_on_the_staffs_list(rider, api, marco, rivale, case, travel):
    overdue = "/api/v1/cases?state=overdue"
    assert api(marco).get(overdue).json()["results"] == []
    travel.shift(datetime.timedelta(hours=49))
    assert [row["id"] for row in api(marco).get(overdue).json()["results"]] == [case["id"]]
    assert api(rivale).get("/api/v1/cases").json()["results"] == []


def test_a_case_is_its_persons_and_their_operators_business(
    rider, api, piero, rivale, elena, marco, case, trip
):
    address = f"/api/v1/cases/{case['id']}"
    for stranger in (piero, rivale, elena):
        assert api(stranger).get(address).status_code == 404
        assert api(stranger).post(f"{address}/answer", {"text": "x"}).status_code == 404
    assert api(marco).post(f"{address}/messages", {"text": "x"}).status_code == 404
    assert rider.post(f"{address}/answer", {"text": "x"}).status_code == 404
    foreign = {"kind": "price", "text": "x", "trip": str(trip.public_id)}
    assert api(piero).post("/api/v1/cases", foreign).status_code == 404


def test_all_problems_stand_on_one_list(rider, case, trip, scooter, travel):
    travel.shift(datetime.timedelta(minutes=5))
    fault = tell(rider, scooter)
    problems = rider.get("/api/v1/problems").json()["results"]
    assert [(row["what"], row["over"]) for row in problems] == [("fault", False), ("case", False)]
    assert problems[0]["case_number"] == fault.case_number
    rider.post(f"/api/v1/cases/{case['id']}/withdraw")
    assert rider.get("/api/v1/problems").json()["results"][1]["over"]


def test_somebody_without_a_ride_is_answered_too(api, piero, ruote):
    told = api(piero).post("/api/v1/cases", {"kind": "lost_item", "text": "My hat."})
    assert told.status_code == 201
    assert SupportCase.objects.get().organisation == ruote
