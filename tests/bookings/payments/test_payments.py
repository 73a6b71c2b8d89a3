"""Money: promised, collected, refused, owed, paid, given back – and never twice."""

import datetime
from collections import Counter

import pytest
from django.db import IntegrityError, connection, transaction

from bookings.payments import services
from bookings.payments.models import (
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    Payment,
    ProviderOperation,
    Receipt,
    Refund,
)
from bookings.payments.rules import Posting
from bookings.payments.services.ledger import post_entries
from bookings.payments.states import AccountKind, Purpose
from bookings.trips.models import Trip
from mobility.core import clock, ids
from mobility.core.principals import SYSTEM
from tests.bookings.races import at_once

pytestmark = pytest.mark.django_db


def balances() -> dict[str, int]:
    """What stands on each account of Ruote."""
    totals: Counter[str] = Counter()
    for kind, cents in LedgerEntry.objects.values_list("account__kind", "cents"):
        totals[kind] += cents
    return dict(totals)


@pytest.fixture
def ride(api, card, obey, travel, scooter):
    """`ride(giulia, "demo-ok")` rides ten minutes for 3.50 € and returns phone and trip id."""

    def go(person, token="demo-ok"):
        card(person, token)
        phone = api(person)
        trip = phone.post("/api/v1/trips", {"vehicle": "SC1"})
        assert trip.status_code == 201, trip.content
        obey(scooter)
        travel.shift(datetime.timedelta(minutes=10))
        assert phone.post(f"/api/v1/trips/{trip.json()['id']}/end").status_code == 200
        obey(scooter)
        return phone, trip.json()["id"]

    return go


def test_a_sale_owes_the_vat_and_a_capture_moves_what_is_owed(ride, giulia, collect):
    ride(giulia)
    assert balances() == {"receivable": 350, "revenue": -287, "vat": -63}
    collect()
    assert balances() == {"receivable": 0, "clearing": 350, "revenue": -287, "vat": -63}
    assert Payment.objects.get().state == "captured"
    assert Trip.objects.get().state == "settled"


def test_without_a_card_nobody_rides(api, giulia, scooter):
    refused = api(giulia).post("/api/v1/trips", {"vehicle": "SC1"})
    assert (refused.status_code, refused.json()["code"]) == (402, "payment_method_required")
    scooter.refresh_from_db()
    assert scooter.rental_state == "free"


def test_a_refused_promise_leaves_nothing_behind(api, giulia, card, scooter):
    card(giulia, "demo-declined")
    refused = api(giulia).post("/api/v1/trips", {"vehicle": "SC1"})
    assert (refused.status_code, refused.json()["code"]) == (402, "payment_declined")
    assert Payment.objects.get().state == "refused"
    assert Trip.objects.get().state == "start_failed"
    assert not LedgerTransaction.objects.exists()
    scooter.refresh_from_db()
    assert scooter.rental_state == "free"


def test_a_refused_card_is_a_debt_that_blocks_the_next_ride_and_can_be_paid(
    ride, giulia, collect, card, scooter
):
    phone, trip = ride(giulia, "demo-capture-fails")
    collect()
    assert phone.get(f"/api/v1/trips/{trip}").json()["state"] == "payment_due"
    refused = phone.post("/api/v1/trips", {"vehicle": "SC1"})
    assert (refused.status_code, refused.json()["code"]) == (402, "payment_due")
    (owed,) = refused.json()["payments"]
    assert owed["cents"] == 350
    address = f"/api/v1/payments/{owed['id']}/pay"
    assert phone.post(address).json()["state"] == "capturing"
    refused = phone.post("/api/v1/trips", {"vehicle": "SC1"})
    assert refused.json()["code"] == "payment_due", "a card being asked again pays for no ride"
    collect()
    assert Payment.objects.get().state == "due"
    card(giulia, "demo-ok")
    assert phone.post(address).json()["state"] == "capturing"
    collect()
    assert phone.get(f"/api/v1/trips/{trip}").json()["state"] == "settled"
    assert balances() == {"receivable": 0, "clearing": 350, "revenue": -287, "vat": -63}
    assert phone.post(address).json()["code"] == "nothing_due"
    assert phone.post("/api/v1/trips", {"vehicle": "SC1"}).status_code == 201


def test_a_debt_is_never_taken_from_two_cards(ride, giulia, collect, card, travel):
    phone, _trip = ride(giulia, "demo-capture-fails")
    collect()
    payment = Payment.objects.get()
    address = f"/api/v1/payments/{payment.public_id}/pay"
    card(giulia, "demo-answer-lost")
    for _tap in range(2):
        assert (
            phone.post(address, headers={"Idempotency-Key": "pay"}).json()["state"] == "capturing"
        )
    collect()  # the money has moved, and nobody has told us
    card(giulia, "demo-ok")
    assert phone.post(address).json()["code"] == "nothing_due"
    travel.shift(datetime.timedelta(minutes=1))
    collect()
    payment.refresh_from_db()
    assert (payment.state, payment.captured_cents) == ("captured", 350)
    paid = ProviderOperation.objects.get(deed="capture", outcome="ok")
    assert (paid.token, paid.reference) == ("demo-answer-lost", payment.provider_ref)


def test_a_payment_that_breaks_the_collector_does_not_keep_the_others_waiting(
    ride, giulia, piero, collect
):
    ride(giulia)
    ProviderOperation.objects.update(token="no longer known")
    ride(piero)
    collect()
    assert list(Payment.objects.order_by("id").values_list("state", flat=True)) == [
        "capturing",
        "captured",
    ]


def test_the_card_is_asked_again_after_one_three_and_seven_days(ride, giulia, collect, travel):
    ride(giulia, "demo-capture-fails")
    asked = []
    for _day in range(15):
        collect()
        asked.append(ProviderOperation.objects.filter(deed="capture").count())
        travel.shift(datetime.timedelta(days=1))
    attempts = [day for day in range(15) if asked[day] > (asked[day - 1] if day else 0)]
    assert attempts == [0, 1, 3, 7]
    assert Payment.objects.get().next_attempt_at is None


def test_a_second_attempt_that_succeeds_settles_the_trip(ride, giulia, collect, travel):
    phone, trip = ride(giulia, "demo-first-capture-fails")
    collect()
    assert phone.get(f"/api/v1/trips/{trip}").json()["state"] == "payment_due"
    travel.shift(datetime.timedelta(days=1))
    collect()
    assert phone.get(f"/api/v1/trips/{trip}").json()["state"] == "settled"


def test_a_lost_answer_is_asked_for_again_and_charges_once(ride, giulia, collect, travel):
    ride(giulia, "demo-answer-lost")
    collect()
    payment = Payment.objects.get()
    assert (payment.state, payment.captured_cents) == ("capturing", 0)
    travel.shift(datetime.timedelta(minutes=1))
    collect()
    payment.refresh_from_db()
    assert (payment.state, payment.captured_cents) == ("captured", 350)
    assert ProviderOperation.objects.filter(deed="capture").count() == 1


def test_collecting_again_and_again_books_once(ride, giulia, collect):
    ride(giulia)
    assert Payment.objects.get().state == "capturing"
    collect()
    collect()
    assert Payment.objects.get().state == "captured"
    assert Receipt.objects.count() == 1
    assert LedgerTransaction.objects.filter(deed="capture").count() == 1


def test_receipts_are_numbered_without_gaps_per_organisation_and_year(ride, giulia, travel):
    for _ride in range(3):
        ride(giulia)
    travel.move_to(datetime.datetime(2026, 12, 31, 23, 30, tzinfo=datetime.UTC))
    from fleet.vehicles.models import LatestState

    LatestState.objects.update(at=clock.now())
    ride(giulia)  # half past midnight of the new year in Milan
    numbers = Receipt.objects.order_by("id").values_list("number", flat=True)
    assert list(numbers) == [
        "ruote/R/2026/000001",
        "ruote/R/2026/000002",
        "ruote/R/2026/000003",
        "ruote/R/2027/000001",
    ]


def test_a_rolled_back_receipt_gives_its_number_back(ride, giulia, monkeypatch):
    from bookings.trips.services import settle

    def fail(**facts):
        raise RuntimeError(facts)

    with monkeypatch.context() as patched:
        patched.setattr(settle, "TripPriced", fail)
        ride(giulia)
    trip = Trip.objects.get()
    assert (trip.state, Receipt.objects.count()) == ("ended", 0)
    settle.price_ended_trip(trip_id=trip.public_id, at=clock.now())
    assert Receipt.objects.get().number == "ruote/R/2026/000001"


def test_staff_refund_a_part_and_a_credit_note_follows(ride, giulia, marco, api, collect):
    ride(giulia)
    collect()
    payment = Payment.objects.get()
    address = f"/api/v1/payments/{payment.public_id}/refunds"
    asked = api(marco).post(address, {"cents": 122, "reason": "brakes squeaked"})
    assert (asked.status_code, asked.json()["state"]) == (201, "requested")
    collect()
    assert Refund.objects.get().state == "done"
    note = Receipt.objects.get(kind="credit_note")
    assert (note.number, note.total_cents) == ("ruote/N/2026/000001", 122)
    assert note.vat == [{"rate": "0.2200", "net_cents": 100, "vat_cents": 22, "gross_cents": 122}]
    assert balances() == {"receivable": 0, "clearing": 228, "revenue": -187, "vat": -41}
    too_much = api(marco).post(address, {"cents": 229, "reason": "again"})
    assert (too_much.status_code, too_much.json()["code"]) == (409, "refund_too_large")
    absurd = api(marco).post(address, {"cents": 2**31 - 1, "reason": "all of it"})
    assert (absurd.status_code, absurd.json()["code"]) == (400, "invalid_fields")


def test_a_refund_the_provider_refuses_frees_its_amount(ride, giulia, marco, api, collect):
    ride(giulia, "demo-refund-fails")
    collect()
    payment = Payment.objects.get()
    address = f"/api/v1/payments/{payment.public_id}/refunds"
    api(marco).post(address, {"cents": 350, "reason": "never rode"})
    collect()
    payment.refresh_from_db()
    assert (Refund.objects.get().state, payment.refunded_cents) == ("failed", 0)
    assert "clearing" in balances()


def test_nobody_refunds_themselves_and_strangers_see_no_payment(
    ride, giulia, piero, rivale, elena, sara, marco, api, collect
):
    phone, _trip = ride(giulia)
    collect()
    payment = Payment.objects.get()
    body = {"cents": 1, "reason": "x"}
    for person in (giulia, piero, elena, sara):
        refused = api(person).post(f"/api/v1/payments/{payment.public_id}/refunds", body)
        assert refused.status_code == 403
    refused = api(rivale).post(f"/api/v1/payments/{payment.public_id}/refunds", body)
    assert refused.status_code == 404
    for person in (piero, rivale, elena):
        assert api(person).get(f"/api/v1/payments/{payment.public_id}").status_code == 404
    assert api(marco).post(f"/api/v1/payments/{payment.public_id}/pay").status_code == 404
    assert len(phone.get("/api/v1/payments").json()["results"]) == 1


def test_writing_a_debt_off_lets_the_person_ride_again(ride, giulia, collect, relay):
    phone, trip = ride(giulia, "demo-capture-fails")
    collect()
    services.write_off(
        payment_id=Payment.objects.get().pk, reason="goodwill", at=clock.now(), by=SYSTEM
    )
    assert balances()["written_off"] == 350
    assert balances()["receivable"] == 0
    relay()
    assert phone.get(f"/api/v1/trips/{trip}").json()["state"] == "written_off"


def test_without_a_provider_nobody_rides_on_demonstration_cards(
    ride, giulia, api, collect, settings
):
    ride(giulia)
    settings.DEMO_PAYMENTS = False
    phone = api(giulia)
    for address, body in (
        ("payment-methods", {"token": "demo-ok"}),
        ("trips", {"vehicle": "SC1"}),
    ):
        refused = phone.post(f"/api/v1/{address}", body)
        assert (refused.status_code, refused.json()["code"]) == (503, "payments_not_set_up")
    collect()
    assert Payment.objects.get().state == "capturing"


def test_cards_are_added_chosen_and_removed(api, giulia, piero):
    phone = api(giulia)
    unknown = phone.post("/api/v1/payment-methods", {"token": "4242424242424242"})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "card_unknown")
    first = phone.post("/api/v1/payment-methods", {"token": "demo-ok"}).json()
    second = phone.post("/api/v1/payment-methods", {"token": "demo-declined"}).json()
    again = phone.post("/api/v1/payment-methods", {"token": "demo-ok"}).json()
    assert again["id"] == first["id"]
    listed = phone.get("/api/v1/payment-methods").json()["results"]
    assert [(row["id"], row["is_default"]) for row in listed] == [
        (first["id"], True),
        (second["id"], False),
    ]
    assert "token" not in listed[0]
    address = f"/api/v1/payment-methods/{first['id']}"
    assert api(piero).delete(address).status_code == 404
    assert phone.delete(address).status_code == 204
    (left,) = phone.get("/api/v1/payment-methods").json()["results"]
    assert (left["id"], left["is_default"]) == (second["id"], True)


def book(organisation, *cents):
    """A sale of Ruote, straight into the books."""
    kinds = [AccountKind.RECEIVABLE, AccountKind.REVENUE, AccountKind.VAT]
    with transaction.atomic():
        post_entries(
            organisation_id=organisation.pk,
            currency="EUR",
            deed="sale",
            ref=str(ids.uuid7()),
            postings=[Posting(kind, value) for kind, value in zip(kinds, cents, strict=False)],
            at=clock.now(),
        )
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")


@pytest.fixture
def owed(ruote, giulia):
    """`owed(state="captured")` is a payment of Giulia's to Ruote."""

    def make(**fields):
        return Payment.objects.create(
            organisation=ruote,
            payer=giulia,
            purpose=Purpose.TRIP,
            purpose_ref=ids.uuid7(),
            authorised_cents=500,
            provider="local",
            provider_ref="x",
            created_at=clock.now(),
            **fields,
        )

    return make


def test_entries_that_do_not_balance_do_not_commit(ruote):
    book(ruote, 122, -100, -22)
    with pytest.raises(IntegrityError, match="does not balance"):
        book(ruote, 122, -100, -21)
    assert LedgerTransaction.objects.count() == 1


@pytest.mark.parametrize("verb", ["UPDATE {} SET id = id", "DELETE FROM {}"])
@pytest.mark.parametrize("model", [LedgerEntry, LedgerTransaction, Receipt])
def test_money_that_moved_is_never_rewritten(model, verb, ruote, owed):
    book(ruote, 122, -122)
    services.charge_payment(payment=owed(state="authorised"), lines=[], at=clock.now(), by=SYSTEM)
    assert model.objects.exists()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        connection.cursor().execute(verb.format(model._meta.db_table))


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    """Two hands on the same money."""

    def test_two_refunds_at_once_never_exceed_what_was_collected(self, owed):
        payment = owed(state="captured", amount_cents=350, captured_cents=350)

        def refund():
            return services.request_refund(
                payment_id=payment.pk, cents=200, reason="x", at=clock.now(), by=SYSTEM
            ).state

        answers = at_once([refund] * 6)
        refused = [a for a in answers if isinstance(a, services.RefundTooLarge)]
        assert (answers.count("requested"), len(refused)) == (1, 5)
        payment.refresh_from_db()
        assert payment.refunded_cents == 200

    def test_two_collectors_at_once_book_one_capture(self, ruote, giulia, card):
        card(giulia)
        payment = services.open_payment(
            payer_id=giulia.pk,
            organisation_id=ruote.pk,
            purpose=Purpose.TRIP,
            purpose_ref=ids.uuid7(),
            cents=500,
            currency="EUR",
            at=clock.now(),
        )
        services.authorise_payment(payment_id=payment.pk, at=clock.now())
        Payment.objects.filter(pk=payment.pk).update(state="capturing", amount_cents=350)

        def collect():
            return services.capture_payment(payment_id=payment.public_id, at=clock.now()).state

        assert set(at_once([collect] * 4)) == {"captured"}
        assert LedgerTransaction.objects.filter(deed="capture").count() == 1
        assert LedgerAccount.objects.count() == 2
