"""The support console: who is found, what is seen, what is done, and what is left in the trail."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from bookings.payments.models import Payment, PaymentPolicy, Refund
from bookings.payments.states import PaymentState
from bookings.support.models import SupportCase
from mobility.accounts import services as accounts
from mobility.accounts.models import Organisation, User
from mobility.accounts.states import Role
from mobility.core import clock
from mobility.core.models import AuditEntry
from mobility.core.principals import SYSTEM
from mobility.desk.support import queries
from tests.tenancy.conftest import WholeCity, whole_city

pytestmark = pytest.mark.django_db
__all__ = ["whole_city"]

SUPPORT = "/admin/support/"


def desk(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def address(person: User) -> str:
    return f"{SUPPORT}{person.public_id}/"


@pytest.fixture
def paid(whole_city: WholeCity) -> Payment:
    """Giulia's ride has cost five euros."""
    payment = Payment.objects.get(purpose="trip")
    Refund.objects.all().delete()
    Payment.objects.filter(pk=payment.pk).update(
        state=PaymentState.CAPTURED,
        amount_cents=500,
        captured_cents=500,
        refunded_cents=0,
        captured_at=clock.now(),
    )
    payment.refresh_from_db()
    return payment


def give_back(client: Client, person: User, payment: Payment, amount: str, attempt: str) -> Any:
    fields = {
        "payment": str(payment.public_id),
        "amount": amount,
        "reason": "The lock did not close",
        "attempt": attempt,
    }
    return client.post(f"{address(person)}refunds/", fields, follow=True)


def told(answer: Any) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def test_people_are_found_by_whoever_dealt_with_them(whole_city: WholeCity) -> None:
    people = whole_city.people
    case = SupportCase.objects.get()
    trip = whole_city.rows["trip"]
    for words in ("giulia@", "Giulia", case.case_number, "tenant1", str(trip.public_id)):  # type: ignore[attr-defined]
        page = desk(people["marco"]).get(SUPPORT, {"q": words})
        assert [one.email for one in page.context["found"]] == ["giulia@demo.example"], words
    for stranger in ("rivale", "scossa"):
        assert desk(people[stranger]).get(SUPPORT, {"q": "giulia@"}).context["found"] == []
        assert desk(people[stranger]).get(address(people["giulia"])).status_code == 404
    assert desk(people["marco"]).get(address(people["piero"])).status_code == 404
    for person in ("sara", "elena", "giulia"):
        assert desk(people[person]).get(SUPPORT).status_code == 403


def test_one_sees_only_what_ones_own_organisation_has_to_do_with_somebody(
    whole_city: WholeCity,
) -> None:
    people = whole_city.people
    seen = desk(people["marco"]).get(address(people["giulia"])).context["dealings"]
    assert len(seen.trips) == 1
    assert seen.recharges == []
    seen = desk(people["luca"]).get(address(people["giulia"])).context["dealings"]
    assert seen.trips == []
    assert len(seen.recharges) == 1


def test_every_look_and_every_search_is_recorded(whole_city: WholeCity) -> None:
    marco, giulia = whole_city.people["marco"], whole_city.people["giulia"]
    trip: Any = whole_city.rows["trip"]
    client = desk(marco)
    client.get(SUPPORT, {"q": "giulia"})
    client.get(address(giulia))
    page = client.get(f"{address(giulia)}trips/{trip.public_id}/")
    assert page.status_code == 200
    assert "private" in page["Cache-Control"]
    looks = AuditEntry.objects.filter(by=marco.principal, action__in=("look", "search"))
    assert list(looks.order_by("id").values_list("action", "row")) == [
        ("search", f"mobility.user:{marco.pk}"),
        ("look", f"mobility.user:{giulia.pk}"),
        ("look", f"bookings.trip:{trip.pk}"),
    ]


def test_a_small_refund_goes_out_once_however_often_it_is_sent(
    whole_city: WholeCity, paid: Payment
) -> None:
    giulia, client = whole_city.people["giulia"], desk(whole_city.people["marco"])
    for _ in range(2):
        answer = give_back(client, giulia, paid, "1.20", "one")
    assert answer.status_code == 200
    assert list(Refund.objects.values_list("cents", "state")) == [(120, "requested")]


def test_a_refund_above_the_limit_needs_a_second_person(
    whole_city: WholeCity, paid: Payment, ruote: Organisation
) -> None:
    PaymentPolicy.objects.update_or_create(organisation=ruote, defaults={"refund_limit_cents": 200})
    giulia, marco = whole_city.people["giulia"], whole_city.people["marco"]
    assert told(give_back(desk(marco), giulia, paid, "4.00", "big")) == [
        "Above the limit: a second person has to approve it."
    ]
    refund = Refund.objects.get()
    decision = f"{address(giulia)}refunds/{refund.public_id}/"
    refused = desk(marco).post(decision, {"verdict": "approve"}, follow=True)
    assert told(refused) == ["Somebody else has to decide about this refund."]
    second = User.objects.create_user("anna@demo.example", language="en")
    accounts.grant_role(
        user=second, organisation=ruote, role=Role.FLEET_OPERATOR, at=clock.now(), by=SYSTEM
    )
    desk(second).post(decision, {"verdict": "approve"})
    refund.refresh_from_db()
    assert (refund.state, refund.approver) == ("requested", second.principal)


def test_more_than_was_paid_and_strangers_money_are_refused(
    whole_city: WholeCity, paid: Payment
) -> None:
    people = whole_city.people
    answer = give_back(desk(people["marco"]), people["giulia"], paid, "9.00", "much")
    assert told(answer) == ["Only €5.00 of this payment can still be given back."]
    assert give_back(desk(people["luca"]), people["giulia"], paid, "1.00", "x").status_code == 404
    assert not Refund.objects.exists()


def test_what_is_paid_ahead_and_not_collected_yet_is_not_offered_for_giving_back(
    whole_city: WholeCity, paid: Payment
) -> None:
    page, client = address(whole_city.people["giulia"]), desk(whole_city.people["marco"])
    offered = f'name="payment" value="{paid.public_id}"'
    assert offered in client.get(page).content.decode()
    Payment.objects.filter(pk=paid.pk).update(state=PaymentState.CAPTURING, lines=[])
    assert offered not in client.get(page).content.decode()


def test_a_case_is_answered_where_it_is_read(
    whole_city: WholeCity, api: Callable[[User | None], APIClient]
) -> None:
    giulia, case = whole_city.people["giulia"], SupportCase.objects.get()
    target = f"{address(giulia)}cases/{case.public_id}/"
    assert told(desk(whole_city.people["marco"]).post(target, {"text": " "}, follow=True)) == [
        "Write an answer first."
    ]
    desk(whole_city.people["marco"]).post(target, {"text": "We give it back."})
    told_giulia = api(giulia).get(f"/api/v1/cases/{case.public_id}").json()
    assert told_giulia["state"] == "answered"
    assert desk(whole_city.people["luca"]).post(target, {"text": "x"}).status_code == 404


def test_a_case_is_settled_with_money_or_without(whole_city: WholeCity, paid: Payment) -> None:
    people, case = whole_city.people, SupportCase.objects.get()
    SupportCase.objects.filter(pk=case.pk).update(payment=paid)
    target, marco = f"{address(people['giulia'])}cases/{case.public_id}/", desk(people["marco"])
    half = {"text": "Sorry!", "resolution": "refunded"}
    astray = {"text": "Sorry!", "resolution": "explained", "amount": "1.00"}
    for wrong in (half, astray):
        assert told(marco.post(target, wrong, follow=True)) == [
            "Say how much goes back, or choose something else."
        ]
    assert told(marco.post(target, half | {"resolution": "withdrawn"}, follow=True)) == [
        "Write an answer first."
    ], "only the person withdraws"

    done = marco.post(target, half | {"amount": "1.50"}, follow=True)

    case.refresh_from_db()
    assert told(done) == ["Settled; the person is told."]
    assert (case.state, case.resolution) == ("resolved", "refunded")
    assert case.refund is not None
    assert case.refund.cents == 150
    marco.post(target, half | {"amount": "1.50"})
    assert Refund.objects.count() == 1, "a second tap gives nothing back"


def test_a_ride_is_shown_again_with_what_happened(whole_city: WholeCity) -> None:
    giulia, trip = whole_city.people["giulia"], whole_city.rows["trip"]
    type(trip)._default_manager.filter(pk=trip.pk).update(
        tried_at=[clock.now() + datetime.timedelta(minutes=1)]
    )
    page = desk(whole_city.people["marco"]).get(f"{address(giulia)}trips/{trip.public_id}/")  # type: ignore[attr-defined]
    words = [str(moment["what"]) for moment in page.context["moments"]]
    assert words[0] == "Asked for"
    assert "Tried to end and could not" in words
    assert [command.kind for command in page.context["commands"]] == ["unlock"]
    assert (
        desk(whole_city.people["luca"])
        .get(
            f"{address(giulia)}trips/{trip.public_id}/"  # type: ignore[attr-defined]
        )
        .status_code
        == 404
    )


def test_what_is_older_stands_in_lists(
    whole_city: WholeCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    giulia, client = whole_city.people["giulia"], desk(whole_city.people["marco"])
    assert "Older ones" not in client.get(address(giulia)).content.decode()
    monkeypatch.setattr(queries, "MOST_DEALINGS", 0)
    page = client.get(address(giulia))
    assert not page.context["dealings"].trips
    assert "(0+)" in page.content.decode()
    older = page.context["older"]
    assert {"trips", "payments", "refunds"} <= older.keys()
    for name, listed in older.items():
        if listed:
            assert listed in page.content.decode(), name
            assert client.get(listed).context["cl"].result_count > 0, name
    everybody = client.get("/admin/bookings/trip/").context["cl"].result_count
    assert client.get(older["trips"]).context["cl"].result_count <= everybody
