"""Every night the provider's statement is held against the books, and what disagrees waits for a
person."""

import datetime
import json

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from bookings.payments import services
from bookings.payments.models import (
    Anomaly,
    LedgerEntry,
    Payment,
    ProviderOperation,
    ProviderWebhook,
    Reconciliation,
    Refund,
    StatementLine,
)
from bookings.payments.providers.ingest import hear_webhook
from bookings.payments.providers.wire import EventKind
from bookings.payments.queries import ledger_faults
from bookings.payments.reconciliation import tasks
from bookings.payments.reconciliation.queries import money_figures
from mobility.core import clock, ids
from mobility.core.principals import SYSTEM
from tests.bookings.payments.conftest import line
from tests.bookings.payments.providers import stripe_stand_in

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


@pytest.fixture
def night(travel):
    """`night()`: the next night's round."""

    def fall():
        travel.shift(DAY)
        tasks.reconcile()

    return fall


@pytest.fixture
def paid(sell, giulia, travel):
    """Giulia has paid 3.50 €."""
    return sell(giulia, line(350))


def found():
    """Every anomaly that is open, by kind."""
    return sorted(Anomaly.objects.filter(state="open").values_list("kind", flat=True))


def capture_of(payment):
    return ProviderOperation.objects.get(deed="capture", reference=payment.provider_ref)


def test_books_that_agree_leave_no_anomaly_and_a_line_of_figures(paid, night, collect):
    services.request_refund(payment_id=paid.pk, cents=100, reason="bell", at=clock.now(), by=SYSTEM)
    collect()
    night()
    night()
    assert not Anomaly.objects.exists()
    day = Reconciliation.objects.get(day=datetime.date(2026, 5, 4))
    assert (day.lines, day.matched, day.stated_cents, day.booked_cents) == (2, 2, 250, 250)
    assert StatementLine.objects.count() == 2


def test_money_we_booked_and_the_provider_does_not_state(paid, night):
    capture_of(paid).delete()
    night()
    anomaly = Anomaly.objects.get()
    assert (anomaly.kind, anomaly.payment, anomaly.organisation) == (
        "missing_at_provider", paid, paid.organisation,
    )  # fmt: skip
    assert (anomaly.booked_cents, anomaly.stated_cents) == (350, 0)


def test_money_the_provider_states_and_we_never_booked(paid, night):
    operation = capture_of(paid)
    operation.pk, operation.key, operation.reference = None, "a stranger's", "local:elsewhere"
    operation.save()
    night()
    anomaly = Anomaly.objects.get()
    assert (anomaly.kind, anomaly.payment, anomaly.stated_cents) == ("missing_at_us", None, 350)


def test_a_late_success_behind_a_debt_is_found(sell, giulia, travel, night):
    owed = sell(giulia, line(350), token="demo-capture-fails")
    assert owed.state == "due"
    ProviderOperation.objects.filter(deed="capture").update(outcome="ok")
    night()
    anomaly = Anomaly.objects.get(kind="missing_at_us")
    assert (anomaly.payment, anomaly.stated_cents) == (owed, 350)


def test_another_amount_and_one_taken_twice(paid, sell, piero, night):
    ProviderOperation.objects.filter(pk=capture_of(paid).pk).update(cents=349)
    other = sell(piero, line(220))
    operation = capture_of(other)
    operation.pk, operation.key = None, f"{other.public_id}:capture:9"
    operation.save()
    night()
    assert found() == ["amount_differs", "duplicate"]
    amounts = Anomaly.objects.values_list("booked_cents", "stated_cents")
    assert set(amounts) == {(350, 349), (220, 440)}


def test_what_turns_up_later_resolves_itself_and_is_found_once(paid, night):
    operation = capture_of(paid)
    ProviderOperation.objects.filter(pk=operation.pk).delete()
    night()
    night()
    assert found() == ["missing_at_provider"]
    operation.save(force_insert=True)
    night()
    anomaly = Anomaly.objects.get()
    assert (anomaly.state, anomaly.closed_by) == ("resolved", "system:reconciliation")


def test_what_moved_a_moment_ago_is_not_missing_yet(sell, giulia, travel):
    travel.move_to(datetime.datetime(2026, 5, 4, 21, 59, tzinfo=datetime.UTC))
    capture_of(sell(giulia, line(350))).delete()
    travel.shift(datetime.timedelta(hours=1))
    tasks.reconcile()
    assert found() == []
    travel.shift(datetime.timedelta(hours=2))
    tasks.reconcile()
    assert found() == ["missing_at_provider"]


def test_a_provider_that_is_silent_leaves_the_day_for_later(paid, travel, settings):
    settings.STRIPE_SECRET_KEY = "sk_test_stand_in"
    settings.STRIPE_API_URL = "http://127.0.0.1:9"
    travel.shift(DAY)
    assert tasks.reconcile() == {"days": tasks.DAYS}
    assert set(Reconciliation.objects.values_list("provider", flat=True)) == {"local"}


def test_what_stripe_keeps_for_itself_is_booked_once(giulia, ruote, settings, sell, collect):
    with stripe_stand_in.stand_in() as (account, address):
        settings.STRIPE_SECRET_KEY = "sk_test_stand_in"
        settings.STRIPE_API_URL = address
        settings.PAYMENT_PROVIDER = "stripe"
        setup = services.begin_card_setup(user_id=giulia.pk, return_url="", at=clock.now())
        account.finish_setup(account.setups[setup.reference])
        paid = sell(giulia, line(350), token=setup.reference)
        assert (paid.provider, paid.state) == ("stripe", "captured")
        # Stripe writes the time of this machine; make it yesterday's.
        for entry in account.lines:
            entry["created"] -= 86_400
        for _night in range(2):
            tasks.reconcile()
    fees = LedgerEntry.objects.filter(account__kind="fees")
    assert [entry.cents for entry in fees] == [30]
    assert StatementLine.objects.get(provider="stripe").payment == paid
    assert found() == []
    assert ledger_faults() == []


def test_a_silent_payment_is_stuck_until_it_moves(sell, giulia, travel, collect):
    stuck = sell(giulia, line(350), token="demo-delayed")
    assert stuck.state == "capturing"
    assert tasks.watch_stuck() == 0
    Refund.objects.create(
        payment=sell(giulia, line(100)), cents=10, reason="x", by="user:x",
        requested_at=clock.now(), next_attempt_at=clock.now() + DAY,
    )  # fmt: skip
    travel.shift(DAY + datetime.timedelta(hours=1))
    ProviderWebhook.objects.create(
        provider="local", event_id="e", kind="captured", wire_type="captured",
        happened_at=clock.now(), received_at=clock.now() - DAY,
    )  # fmt: skip
    assert tasks.watch_stuck() == 3
    assert found() == ["stuck"] * 3
    collect()
    ProviderWebhook.objects.update(state="ignored")
    assert tasks.watch_stuck() == 0
    assert set(Anomaly.objects.values_list("state", flat=True)) == {"resolved"}


def test_a_payment_nobody_finished_opening_is_stuck(ruote, giulia, travel):
    Payment.objects.create(
        organisation=ruote, payer=giulia, purpose="trip", purpose_ref=ids.uuid7(),
        authorised_cents=500, provider="local", created_at=clock.now(), state="opening",
    )  # fmt: skip
    travel.shift(datetime.timedelta(hours=2))
    assert tasks.watch_stuck() == 1


@pytest.mark.parametrize(
    ("kind", "anomalies"),
    [
        (EventKind.DISPUTED, ["disputed"]),
        (EventKind.REFUND_FAILED, ["missing_at_provider"]),
        (EventKind.REFUNDED, []),
        (EventKind.AUTHORISED, []),
    ],
)
def test_bad_news_by_webhook_waits_for_a_person(kind, anomalies, paid, collect):
    refund = services.request_refund(
        payment_id=paid.pk, cents=100, reason="bell", at=clock.now(), by=SYSTEM
    )
    collect()
    about_refund = kind in (EventKind.REFUND_FAILED, EventKind.REFUNDED)
    webhook = ProviderWebhook.objects.create(
        provider="local", event_id="e", kind=kind, wire_type=kind, cents=100,
        reference=paid.provider_ref, key=f"{refund.public_id}:refund" if about_refund else "",
        happened_at=clock.now(), received_at=clock.now(),
    )  # fmt: skip
    hear_webhook(webhook_id=webhook.pk, at=clock.now())
    hear_webhook(webhook_id=webhook.pk, at=clock.now())
    assert found() == anomalies


def test_a_lapse_told_by_webhook_brings_the_renewal_forward(ruote, giulia, card, travel):
    card(giulia, "demo-ok")
    at = clock.now()
    payment = services.open_payment(
        payer_id=giulia.pk, organisation_id=ruote.pk, purpose="trip", purpose_ref=ids.uuid7(),
        cents=500, currency="EUR", at=at,
    )  # fmt: skip
    payment = services.authorise_payment(payment_id=payment.pk, at=at)
    webhook = ProviderWebhook.objects.create(
        provider="local", event_id="e", kind="lapsed", wire_type="lapsed",
        reference=payment.provider_ref, happened_at=at, received_at=at,
    )  # fmt: skip
    hear_webhook(webhook_id=webhook.pk, at=at)
    payment.refresh_from_db()
    assert (payment.state, payment.expires_at, payment.next_attempt_at) == ("authorised", at, at)


def test_an_accountant_repeats_a_day_by_hand(paid, travel, settings, capsys):
    travel.shift(DAY)
    call_command("reconcile_payments", "2026-05-04", "--json")
    (said,) = json.loads(capsys.readouterr().out)
    assert (said["lines"], said["matched"], said["stated_cents"], said["booked_cents"]) == (
        1, 1, 350, 350,
    )  # fmt: skip
    call_command("reconcile_payments", "2026-05-03")
    assert "local: 0 of 0 lines" in capsys.readouterr().out
    settings.STRIPE_SECRET_KEY = "sk_test_stand_in"
    settings.STRIPE_API_URL = "http://127.0.0.1:9"
    with pytest.raises(CommandError, match="does not answer"):
        call_command("reconcile_payments", "2026-05-04")
    with pytest.raises(CommandError, match="written like"):
        call_command("reconcile_payments", "yesterday")


# --- people -----------------------------------------------------------------------------------------


def desk(user):
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user)
    return client


def close(client, anomaly, action, note):
    return client.post(
        reverse("admin:bookings_anomaly_changelist"),
        {"action": action, "note": note, "_selected_action": [anomaly.pk]},
    )


def test_staff_explain_an_anomaly_and_say_what_it_was(paid, night, marco, rivale):
    capture_of(paid).delete()
    night()
    anomaly = Anomaly.objects.get()
    close(desk(marco), anomaly, "explain", "")
    close(desk(rivale), anomaly, "explain", "none of my business")
    anomaly.refresh_from_db()
    assert anomaly.state == "open"
    close(desk(marco), anomaly, "explain", "Test card, statement cut")
    anomaly.refresh_from_db()
    assert (anomaly.state, anomaly.note) == ("explained", "Test card, statement cut")
    assert anomaly.closed_by == marco.principal
    close(desk(marco), anomaly, "resolve", "Booked by hand")
    anomaly.refresh_from_db()
    assert anomaly.state == "resolved"


def test_nobody_explains_away_their_own_payment(sell, marco, night, travel):
    capture_of(sell(marco, line(350))).delete()
    night()
    anomaly = Anomaly.objects.get()
    close(desk(marco), anomaly, "explain", "trust me")
    anomaly.refresh_from_db()
    assert anomaly.state == "open"


def test_figures_say_what_is_open(paid, night):
    capture_of(paid).delete()
    night()
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for metric in money_figures()
        for sample in metric.samples
    }
    assert samples[("mobility_money_anomalies_open", "missing_at_provider")] == 1
    assert samples[("mobility_money_anomalies_open", "stuck")] == 0
    stamp = samples[("mobility_money_reconciled_timestamp_seconds", "local")]
    assert stamp == clock.now().timestamp()


def test_the_register_of_takings_is_a_file_for_the_organisations_own_staff(
    paid, marco, rivale, sara
):
    address = reverse("admin:bookings_receipt_totals")
    day = clock.service_day(clock.now()).isoformat()
    period = {"first": day, "last": day}
    rows = desk(marco).get(address, period).content.decode().splitlines()
    assert rows[0].startswith("day,organisation,vat_rate,receipts")
    assert rows[1:] == [f"{day},ruote,0.2200,1,0,2.87,0.63,3.50,EUR"]
    assert len(desk(rivale).get(address, period).content.decode().splitlines()) == 1
    assert desk(sara).get(address, period).status_code == 403
    assert desk(marco).get(address, {"first": day, "last": "1999-01-01"}).status_code == 400
