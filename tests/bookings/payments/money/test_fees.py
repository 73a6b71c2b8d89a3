"""Fees: announced with a reason, disputed in time, charged only after that."""

import datetime

import pytest
from django.db import IntegrityError, transaction

from bookings.payments import services
from bookings.payments.models import Fee, FeeKind, Payment, PaymentPolicy
from bookings.payments.services import fees as charging
from mobility.core import clock, ids

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


@pytest.fixture
def parking(ruote):
    """An entry of Ruote's catalogue; penalties are outside of VAT."""
    return FeeKind.objects.create(
        organisation=ruote,
        code="bad_parking",
        title={"it": "Sosta vietata", "en": "Bad parking"},
        cents=1500,
    )


@pytest.fixture
def proposed(parking, giulia, marco, card):
    """Marco has found Giulia's scooter on the tram's rails."""
    card(giulia)
    return services.propose_fee(
        organisation_id=parking.organisation_id,
        user_id=giulia.pk,
        kind="bad_parking",
        about=ids.uuid7(),
        reason="on the rails",
        evidence=[ids.uuid7()],
        at=clock.now(),
        by=marco.principal,
    )


def staff(api, marco, fee, deed, **body):
    return api(marco).post(f"/api/v1/money/fees/{fee.public_id}/{deed}", body)


def test_a_fee_is_charged_a_week_after_it_was_announced_and_not_before(
    proposed, travel, collect, api, giulia, marco
):
    phone = api(giulia)
    assert phone.get("/api/v1/fees").json()["results"] == [], "nobody was told yet"
    assert staff(api, marco, proposed, "announce").json()["state"] == "noticed"
    (told,) = phone.get("/api/v1/fees").json()["results"]
    assert (told["cents"], told["reason"], told["title"]) == (1500, "on the rails", "Bad parking")
    travel.shift(7 * DAY - datetime.timedelta(seconds=1))
    collect()
    assert not Payment.objects.exists()
    travel.shift(datetime.timedelta(seconds=1))
    collect()
    collect()
    payment = Payment.objects.get()
    assert (payment.purpose, payment.state, payment.captured_cents) == ("fee", "captured", 1500)
    assert payment.documents.get().vat[0]["vat_cents"] == 0
    proposed.refresh_from_db()
    assert (proposed.state, proposed.payment) == ("charged", payment)


def test_a_disputed_fee_waits_for_a_decision(proposed, travel, collect, api, giulia, marco):
    staff(api, marco, proposed, "announce")
    address = f"/api/v1/fees/{proposed.public_id}/dispute"
    disputed = api(giulia).post(address, {"text": "The rails are out of use."})
    assert disputed.json()["state"] == "disputed"
    travel.shift(30 * DAY)
    collect()
    assert not Payment.objects.exists()
    kept = staff(api, marco, proposed, "uphold", reason="A tram had to wait.")
    assert (kept.json()["state"], kept.json()["decision"]) == ("noticed", "A tram had to wait.")
    collect()
    assert not Payment.objects.exists(), "the person hears of it first"
    travel.shift(DAY)
    collect()
    assert Payment.objects.get().amount_cents == 1500


def test_nobody_gets_less_time_to_dispute_or_a_dispute_without_an_answer(
    proposed, api, giulia, marco
):
    early = staff(api, marco, proposed, "uphold", reason="Because.")
    assert (early.status_code, early.json()["code"]) == (409, "illegal_move")
    staff(api, marco, proposed, "announce")
    api(giulia).post(f"/api/v1/fees/{proposed.public_id}/dispute", {"text": "It was not me."})
    passed_over = staff(api, marco, proposed, "announce")
    assert (passed_over.status_code, passed_over.json()["code"]) == (409, "illegal_move")
    proposed.refresh_from_db()
    assert proposed.state == "disputed"


def test_one_fee_that_resists_does_not_keep_the_others(
    proposed, parking, piero, card, marco, travel, collect, api, monkeypatch
):
    card(piero)
    other = services.propose_fee(
        organisation_id=parking.organisation_id,
        user_id=piero.pk,
        kind="bad_parking",
        about=ids.uuid7(),
        reason="in the bed of tulips",
        at=clock.now(),
        by=marco.principal,
    )
    for fee in (proposed, other):
        staff(api, marco, fee, "announce")
    charge = charging.charge_directly

    def resist(*, purpose_ref, **terms):
        if purpose_ref == proposed.public_id:
            raise ValueError(purpose_ref)
        return charge(purpose_ref=purpose_ref, **terms)

    monkeypatch.setattr(charging, "charge_directly", resist)
    travel.shift(8 * DAY)
    collect()
    assert Payment.objects.get().payer == piero


def test_a_dropped_fee_is_never_charged(proposed, travel, collect, api, marco):
    staff(api, marco, proposed, "announce")
    for _time in range(2):
        assert staff(api, marco, proposed, "waive", reason="map was wrong").json()["state"] == (
            "waived"
        )
    travel.shift(30 * DAY)
    collect()
    assert not Payment.objects.exists()


def test_a_charged_fee_that_was_wrong_goes_back(proposed, travel, collect, api, marco):
    staff(api, marco, proposed, "announce")
    travel.shift(7 * DAY)
    collect()
    collect()
    staff(api, marco, proposed, "waive", reason="appeal")
    collect()
    payment = Payment.objects.get()
    assert (payment.captured_cents, payment.refunded_cents) == (1500, 1500)


def test_too_late_is_said(proposed, travel, collect, api, giulia, marco):
    staff(api, marco, proposed, "announce")
    travel.shift(7 * DAY)
    address = f"/api/v1/fees/{proposed.public_id}/dispute"
    late = api(giulia).post(address, {"text": "Sorry, I was away."})
    assert (late.status_code, late.json()["code"]) == (409, "too_late_to_dispute")


def test_the_organisation_sets_the_days(travel, proposed, ruote, api, marco):
    PaymentPolicy.objects.create(organisation=ruote, dispute_days=14)
    told = staff(api, marco, proposed, "announce").json()
    assert Fee.objects.get().charge_after == clock.now() + 14 * DAY
    assert told["charge_after"].startswith("2026-05-18T08:00:00")


def test_a_fee_is_proposed_once_for_a_ride_and_only_from_the_catalogue(proposed, parking, giulia):
    terms = {
        "organisation_id": parking.organisation_id,
        "user_id": giulia.pk,
        "about": proposed.about,
        "reason": "again",
        "at": clock.now(),
        "by": giulia.principal,
    }
    assert services.propose_fee(kind="bad_parking", **terms) == proposed
    assert services.propose_fee(kind="smoking", **terms) is None
    FeeKind.objects.update(active=False)
    assert services.propose_fee(kind="bad_parking", **terms) is None
    assert Fee.objects.count() == 1


def test_the_database_lets_no_fee_be_charged_unannounced(proposed):
    with pytest.raises(IntegrityError), transaction.atomic():
        Fee.objects.update(state="charged")


def test_staff_decide_nothing_about_themselves(parking, marco, api):
    own = services.propose_fee(
        organisation_id=parking.organisation_id,
        user_id=marco.pk,
        kind="bad_parking",
        about=ids.uuid7(),
        reason="x",
        at=clock.now(),
        by=marco.principal,
    )
    assert staff(api, marco, own, "waive", reason="mine").status_code == 404


def test_the_person_hears_of_a_fee_by_mail(
    proposed, api, marco, relay, mailoutbox, django_capture_on_commit_callbacks
):
    staff(api, marco, proposed, "announce")
    with django_capture_on_commit_callbacks(execute=True):
        relay()
    (letter,) = mailoutbox
    assert "15,00" in letter.body or "15.00" in letter.body
    assert "on the rails" in letter.body
