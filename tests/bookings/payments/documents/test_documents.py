"""Receipts, invoices and credit notes: numbered without gaps, readable, right for the tax office."""

import contextlib
import dataclasses
import datetime
from collections import defaultdict

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bookings.payments import services
from bookings.payments.documents.pdf import render_pdf
from bookings.payments.documents.queries import daily_totals, shown_documents
from bookings.payments.documents.services import issue_document, make_invoice
from bookings.payments.documents.sheet import Row, sheet_of
from bookings.payments.models import DocumentSeries, Payment, Receipt
from bookings.payments.queries import ledger_faults
from bookings.payments.states import DocumentKind, Purpose
from mobility.core import clock, ids
from mobility.core.principals import SYSTEM
from tests.bookings.payments.conftest import line
from tests.bookings.races import at_once

pytestmark = pytest.mark.django_db

DETAILS = {
    "name": "Giulia Rossi", "tax_code": "RSSMRA85T10A562S", "address": "Corso Lodi 1",
    "postcode": "20135", "town": "Milano", "province": "MI",
}  # fmt: skip
DAY = datetime.date(2026, 5, 4)


@pytest.fixture
def receipt(sell, giulia, travel):
    """Giulia's receipt: a ride with VAT, and something of another rate."""
    payment = sell(giulia, line(350), line(110, "0.10", "time"))
    return Receipt.objects.get(payment=payment)


def test_giulia_lists_reads_and_prints_her_receipts(receipt, api, giulia):
    phone = api(giulia)
    (listed,) = phone.get("/api/v1/receipts").json()["results"]
    assert phone.get(f"/api/v1/receipts/{receipt.public_id}").json() == listed
    assert (listed["number"], listed["total_cents"]) == ("ruote/R/2026/000001", 460)
    page = phone.get(listed["html"], headers={"Accept": "text/html"})
    assert (page.status_code, page["Cache-Control"]) == (200, "private, no-store")
    assert "€4.60" in page.content.decode()
    paper = phone.get(listed["pdf"], headers={"Accept": "application/pdf"})
    assert (paper.status_code, paper["Content-Type"]) == (200, "application/pdf")
    assert paper.content.startswith(b"%PDF-")
    assert 'filename="ruote-R-2026-000001.pdf"' in paper["Content-Disposition"]


def test_the_sheet_speaks_both_languages(receipt):
    document = shown_documents().get(pk=receipt.pk)
    with translation.override("it"):
        sheet = sheet_of(document)
    assert sheet.total == "4,60\u00a0€"
    assert sheet.vat == (
        Row(cells=("10 %", "1,00\u00a0€", "0,10\u00a0€", "1,10\u00a0€")),
        Row(cells=("22 %", "2,87\u00a0€", "0,63\u00a0€", "3,50\u00a0€")),
    )
    with translation.override("en"):
        sheet = sheet_of(document)
    assert sheet.total == "€4.60"
    assert sheet.issuer == ("Ruote di Milano S.r.l.", "VAT number IT00000000017")
    assert sheet.lines[0] == Row(cells=("Ride", "10 min", "€3.50"))
    assert "10:00" in sheet.issued or "10 a.m." in sheet.issued, "the city's clock, not UTC"


def test_a_document_of_many_lines_and_odd_signs_still_prints(receipt):
    sheet = sheet_of(shown_documents().get(pk=receipt.pk))
    odd = Row(cells=("<b>& Kärnten €", "1", "€1.00"))
    short, long = (
        render_pdf(dataclasses.replace(sheet, lines=(odd,) * rows)).count(b"/Type /Page\n")
        for rows in (1, 120)
    )
    assert (short, long > 2) == (1, True)


def test_an_invoice_takes_the_receipts_place(receipt, api, giulia):
    phone = api(giulia)
    address = f"/api/v1/receipts/{receipt.public_id}/invoice"
    assert phone.post(address).json()["code"] == "billing_details_missing"
    assert phone.get("/api/v1/billing-details").status_code == 404
    wrong = phone.put("/api/v1/billing-details", DETAILS | {"tax_code": "RSSMRA85T10A562A"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "billing_details_wrong")
    assert set(wrong.json()["fields"]) == {"tax_code"}
    kept = phone.put("/api/v1/billing-details", DETAILS)
    assert (kept.status_code, kept.json()["country"]) == (200, "IT")
    assert phone.get("/api/v1/billing-details").json() == kept.json()
    made = phone.post(address)
    assert made.status_code == 201, made.content
    invoice = made.json()
    assert (invoice["number"], invoice["refers_to"]) == ("ruote/F/2026/000001", receipt.number)
    assert (invoice["customer"]["tax_code"], invoice["vat"]) == ("RSSMRA85T10A562S", receipt.vat)
    assert phone.post(address).json()["id"] == invoice["id"]
    phone.put("/api/v1/billing-details", DETAILS | {"name": "Giulia Bianchi"})
    again = phone.get(f"/api/v1/receipts/{invoice['id']}").json()
    assert again["customer"]["name"] == "Giulia Rossi", "as on the day it was made out"


def test_a_credit_note_reduces_what_stands_and_keeps_its_customer(
    receipt, api, giulia, piero, sell, collect
):
    plain = sell(piero, line(350))
    api(giulia).put("/api/v1/billing-details", DETAILS)
    api(giulia).post(f"/api/v1/receipts/{receipt.public_id}/invoice")
    for payment in (receipt.payment, plain):
        services.request_refund(
            payment_id=payment.pk, cents=100, reason="bell", at=clock.now(), by=SYSTEM
        )
    collect()
    of_invoice, of_receipt = Receipt.objects.filter(kind="credit_note").order_by("payment_id")
    assert (of_invoice.corrects.kind, of_invoice.customer["name"]) == ("invoice", "Giulia Rossi")
    assert (of_receipt.corrects.kind, of_receipt.customer) == ("receipt", {})


def test_an_invoice_can_be_had_for_twelve_days(receipt, api, giulia, travel):
    api(giulia).put("/api/v1/billing-details", DETAILS)
    travel.shift(datetime.timedelta(days=13))
    refused = api(giulia).post(f"/api/v1/receipts/{receipt.public_id}/invoice")
    assert (refused.status_code, refused.json()["code"]) == (409, "invoice_too_late")


def test_nobody_else_reads_a_receipt_or_has_it_invoiced(receipt, api, piero, marco, rivale, elena):
    address = f"/api/v1/receipts/{receipt.public_id}"
    for person in (piero, rivale, elena):
        for door in ("", "/receipt.html", "/receipt.pdf"):
            assert api(person).get(address + door).status_code == 404
        assert api(person).get("/api/v1/receipts").json()["results"] == []
    assert api(marco).get(f"{address}/receipt.pdf").status_code == 200
    assert api(marco).post(f"{address}/invoice").status_code == 404
    assert api(None).get(address).status_code == 401


def totals(ruote, first=DAY, last=DAY):
    rows = daily_totals(organisation_ids=[ruote.pk], first=first, last=last)
    return [
        (row.day, f"{row.rate:.4f}", row.receipts, row.credit_notes, row.net_cents, row.gross_cents)
        for row in rows
    ]


def test_daily_totals_leave_out_what_was_invoiced(
    receipt, sell, giulia, piero, ruote, api, collect
):
    other = sell(piero, line(1220))
    assert totals(ruote) == [
        (DAY, "0.1000", 1, 0, 100, 110),
        (DAY, "0.2200", 2, 0, 1287, 1570),
    ]
    api(giulia).put("/api/v1/billing-details", DETAILS)
    api(giulia).post(f"/api/v1/receipts/{receipt.public_id}/invoice")
    for payment in (receipt.payment, other):
        services.request_refund(
            payment_id=payment.pk, cents=122, reason="bell", at=clock.now(), by=SYSTEM
        )
    collect()
    ((day, _rate, receipts, notes, net, gross),) = totals(ruote)
    assert (day, receipts, notes, net, gross) == (DAY, 1, 1, 900, 1098)


def test_an_invoice_after_a_part_went_back_is_for_what_is_left(
    receipt, giulia, ruote, api, collect
):
    services.request_refund(
        payment_id=receipt.payment_id, cents=60, reason="bell", at=clock.now(), by=SYSTEM
    )
    collect()
    api(giulia).put("/api/v1/billing-details", DETAILS)
    invoice = api(giulia).post(f"/api/v1/receipts/{receipt.public_id}/invoice").json()
    assert invoice["total_cents"] == 400
    by_rate = {part["rate"]: part for part in invoice["vat"]}
    assert sum(part["gross_cents"] for part in by_rate.values()) == 400
    (note,) = Receipt.objects.filter(kind="credit_note")
    for part in note.vat:
        whole = next(one for one in receipt.vat if one["rate"] == part["rate"])
        left = by_rate[part["rate"]]
        for what in ("net_cents", "vat_cents", "gross_cents"):
            assert left[what] == whole[what] - part[what]
    assert totals(ruote) == [], "the register of invoices has it all"
    services.request_refund(
        payment_id=receipt.payment_id, cents=400, reason="all", at=clock.now(), by=SYSTEM
    )
    collect()
    notes = Receipt.objects.filter(kind="credit_note").order_by("id")
    assert [row.corrects.kind for row in notes] == ["receipt", "invoice"]
    assert totals(ruote) == []
    assert not ledger_faults()


def test_of_what_went_back_whole_there_is_no_invoice(receipt, giulia, api, collect):
    services.request_refund(
        payment_id=receipt.payment_id, cents=460, reason="never rode", at=clock.now(), by=SYSTEM
    )
    collect()
    api(giulia).put("/api/v1/billing-details", DETAILS)
    refused = api(giulia).post(f"/api/v1/receipts/{receipt.public_id}/invoice")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_invoiceable")
    assert not Receipt.objects.filter(kind="invoice").exists()


def test_days_end_at_the_citys_midnight(sell, giulia, ruote, travel):
    for hour, minute in ((21, 59), (22, 1)):  # UTC; Milan is two hours ahead in May
        travel.move_to(datetime.datetime(2026, 5, 4, hour, minute, tzinfo=datetime.UTC))
        sell(giulia, line(122))
    tomorrow = DAY + datetime.timedelta(days=1)
    days = [row[0] for row in totals(ruote, DAY, tomorrow)]
    assert days == [DAY, tomorrow]


# --- numbers ----------------------------------------------------------------------------------------


@pytest.fixture
def unsold(ruote, giulia):
    """`unsold()` is a payment without a document."""

    def make(organisation=ruote):
        return Payment.objects.create(
            organisation=organisation, payer=giulia, purpose=Purpose.TRIP, purpose_ref=ids.uuid7(),
            authorised_cents=0, provider="local", created_at=clock.now(), state="captured",
        )  # fmt: skip

    return make


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["ruote", "comune"]), st.sampled_from([2026, 2027]), st.booleans()
        ),
        max_size=8,
    )
)
def test_numbers_are_gapless_in_every_series_whatever_fails_in_between(
    ruote, comune, giulia, unsold, tills
):
    shops = {"ruote": ruote, "comune": comune}
    given_out = defaultdict(list)
    with transaction.atomic():
        for shop, year, fails in tills:
            payment = unsold(organisation=shops[shop])
            at = datetime.datetime(year, 6, 1, tzinfo=datetime.UTC)
            with contextlib.suppress(RuntimeError), transaction.atomic():
                receipt = issue_document(
                    payment=payment, kind=DocumentKind.RECEIPT, lines=[line(122)], at=at
                )
                if fails:
                    raise RuntimeError("the sale comes to nothing")
                given_out[shop, year].append(receipt.sequence)
        transaction.set_rollback(True)
    for numbers in given_out.values():
        assert numbers == list(range(1, len(numbers) + 1))


def test_a_database_sequence_would_leave_gaps():
    # The other guard one might think of: fast, and it forgets what was rolled back.
    with connection.cursor() as cursor:
        cursor.execute("CREATE SEQUENCE till")
        try:
            with transaction.atomic():
                cursor.execute("SELECT nextval('till')")
                raise RuntimeError
        except RuntimeError:
            cursor.execute("SELECT nextval('till')")
            assert cursor.fetchone() == (2,)
        finally:
            cursor.execute("DROP SEQUENCE till")


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    """Many tills, one series."""

    def issue(self, payment, *, fails=False):
        with transaction.atomic():
            receipt = issue_document(
                payment=payment, kind=DocumentKind.RECEIPT, lines=[line(122)], at=clock.now()
            )
            if fails:
                raise RuntimeError("the sale comes to nothing")
            return receipt.sequence

    def test_counting_first_and_writing_then_gives_one_number_twice(self, unsold, ruote):
        # The guard off: what one would write without the series' row.
        payments = [unsold() for _till in range(4)]

        def naive(payment):
            with transaction.atomic():
                sequence = Receipt.objects.filter(organisation=ruote).count() + 1
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_sleep(0.1)")
                Receipt.objects.create(
                    organisation=ruote, payment=payment, kind="receipt", year=2026,
                    sequence=sequence, number=f"x{sequence}", issued_at=clock.now(), lines=[],
                    vat=[], total_cents=0,
                )  # fmt: skip
                return sequence

        answers = at_once([lambda p=p: naive(p) for p in payments])
        assert [type(answer) for answer in answers].count(IntegrityError) >= 1

    def test_numbers_have_no_gaps_and_no_twins_though_sales_fail(self, unsold, ruote):
        payments = [unsold() for _till in range(12)]
        answers = at_once(
            [lambda p=p, n=n: self.issue(p, fails=n % 3 == 0) for n, p in enumerate(payments)]
        )
        given = sorted(answer for answer in answers if isinstance(answer, int))
        assert given == list(range(1, 9))
        assert DocumentSeries.objects.get(organisation=ruote).last_number == 8

    def test_an_invoice_asked_for_twice_at_once_is_one(self, sell, giulia, api):
        payment = sell(giulia, line(350))
        api(giulia).put("/api/v1/billing-details", DETAILS)
        receipt = Receipt.objects.select_related("payment").get(payment=payment)
        answers = at_once(
            [lambda: make_invoice(receipt=receipt, at=clock.now(), by=SYSTEM).number] * 4
        )
        assert len(set(answers)) == 1
        assert DocumentSeries.objects.get(kind="invoice").last_number == 1
