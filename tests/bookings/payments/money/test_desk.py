"""What the staff of Ruote decide about money in the admin."""

import pytest
from django.test import Client

from bookings.payments import services
from bookings.payments.models import Fee, FeeKind, Payment, PaymentPolicy, Refund
from mobility.accounts.models import Membership
from mobility.accounts.states import Role
from mobility.core import clock, ids
from mobility.core.models import AuditEntry
from tests.bookings.payments.conftest import line

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    """`desk(marco)` is Marco's browser."""

    def sit_down(user):
        browser = Client()
        browser.force_login(user)
        return browser

    return sit_down


@pytest.fixture
def second(ruote, sara):
    """Sara keeps the books of Ruote too."""
    Membership.objects.create(user=sara, organisation=ruote, role=Role.FLEET_OPERATOR)
    return type(sara).objects.get(pk=sara.pk)


def act(browser, page, action, row):
    return browser.post(
        f"/admin/bookings/{page}/", {"action": action, "_selected_action": [row.pk]}, follow=True
    )


def test_a_refund_above_the_limit_needs_a_second_browser(paid, desk, marco, second, rivale):
    payment = paid(line(9000), cents=9000)
    act(desk(marco), "payment", "give_back", payment)
    refund = Refund.objects.get()
    assert refund.state == "proposed"
    for who in (marco, rivale):
        act(desk(who), "refund", "approve", refund)
        refund.refresh_from_db()
        assert refund.state == "proposed"
    act(desk(second), "refund", "approve", refund)
    refund.refresh_from_db()
    assert (refund.state, refund.approver) == ("requested", second.principal)


def test_a_second_person_may_refuse(paid, desk, marco, second):
    payment = paid(line(9000), cents=9000)
    act(desk(marco), "payment", "give_back", payment)
    act(desk(second), "refund", "reject", Refund.objects.get())
    payment.refresh_from_db()
    assert (Refund.objects.get().state, payment.refunded_cents) == ("rejected", 0)


@pytest.mark.parametrize(("action", "kind"), [("write_off", "written_off"), ("lose", "bad_debt")])
def test_debts_are_waived_or_booked_as_lost(paid, desk, marco, action, kind):
    payment = paid(line(350), token="demo-capture-fails")
    act(desk(marco), "payment", action, payment)
    payment.refresh_from_db()
    assert payment.state == "written_off"
    assert payment.organisation.ledger_accounts.filter(kind=kind).count() == 1


def test_fees_are_announced_kept_and_dropped(ruote, giulia, desk, marco):
    kind = FeeKind.objects.create(organisation=ruote, code="x", title={"en": "X"}, cents=100)
    fee = services.propose_fee(
        organisation_id=ruote.pk,
        user_id=giulia.pk,
        kind=kind.code,
        about=ids.uuid7(),
        reason="x",
        at=clock.now(),
        by=marco.principal,
    )
    browser = desk(marco)
    assert browser.get(f"/admin/bookings/fee/{fee.pk}/change/").status_code == 200
    act(browser, "fee", "announce", fee)
    services.dispute_fee(fee_id=fee.public_id, text="no", at=clock.now(), by=giulia.principal)
    act(browser, "fee", "uphold", fee)
    assert Fee.objects.get().state == "noticed"
    act(browser, "fee", "waive", fee)
    assert Fee.objects.get().state == "waived"
    assert not Payment.objects.exists()


def test_limits_are_edited_by_those_whose_they_are_and_every_edit_leaves_a_trail(
    ruote, desk, marco, rivale, sara
):
    policy = PaymentPolicy.objects.create(organisation=ruote)
    address = f"/admin/bookings/paymentpolicy/{policy.pk}/change/"
    page = desk(marco).get(address)
    form = {
        name: field.initial if field.initial is not None else page.context["original"].pk
        for name, field in page.context["adminform"].form.fields.items()
    } | page.context["adminform"].form.initial
    saved = desk(marco).post(address, form | {"refund_limit_cents": 1234})
    assert saved.status_code == 302, saved.context["adminform"].form.errors
    policy.refresh_from_db()
    assert policy.refund_limit_cents == 1234
    assert AuditEntry.objects.filter(row=f"bookings.paymentpolicy:{policy.pk}").exists()
    assert desk(rivale).get(address).status_code == 302
    assert desk(sara).get(address).status_code == 403
