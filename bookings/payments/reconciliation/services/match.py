"""A provider's statement, day by day, against what the ledger says the provider holds."""

import datetime
from collections.abc import Iterable, Sequence

from django.db import connection, transaction
from django.db.models import Q, Sum
from django.utils.translation import gettext as _

from bookings.payments.models import Anomaly, Payment, Reconciliation, Refund, StatementLine
from bookings.payments.providers import provider_named, wire
from bookings.payments.providers.wire import LineKind
from bookings.payments.reconciliation.rules import (
    Booked,
    Finding,
    Named,
    Stated,
    match_statement,
    read_key,
)
from bookings.payments.reconciliation.services.anomalies import report_anomaly, resolve_anomaly
from bookings.payments.reconciliation.states import AnomalyKind, AnomalyState
from bookings.payments.rules import Posting
from bookings.payments.services.ledger import post_entries
from bookings.payments.states import AccountKind
from mobility.core.clock import CITY_ZONE
from mobility.core.principals import system_principal

ACCOUNTANT = system_principal("reconciliation")
# What was booked or stated a moment ago may have its other half on the way.
GRACE = datetime.timedelta(hours=2)
DAY = datetime.timedelta(days=1)
MATCHED_KINDS = (LineKind.CAPTURE, LineKind.REFUND)

# One row per deed on the provider's clearing accounts; positive is money that came in.
_BOOKED = """
    SELECT booked.ref, sum(entry.cents)::bigint, account.currency
    FROM bookings_ledgertransaction AS booked
    JOIN bookings_ledgerentry AS entry ON entry.transaction_id = booked.id
    JOIN bookings_ledgeraccount AS account ON account.id = entry.account_id
    WHERE account.kind = 'clearing' AND account.provider = %(provider)s
      AND booked.deed NOT IN ('fee', 'payout', 'suspense')
      AND (booked.at >= %(since)s AND booked.at < %(until)s OR booked.ref = ANY(%(refs)s))
    GROUP BY booked.id, booked.ref, account.currency
"""


def reconcile_day(*, provider: str, day: datetime.date, at: datetime.datetime) -> Reconciliation:
    """Read a provider's statement of one day of the city and hold it against the books.

    1. Keep every line once and link it to the payment or refund that its key names.
    2. Book what the provider kept for itself of linked lines.
    3. Compare with the ledger's clearing account, leaving out the last two hours.
    4. Disagreements become anomalies; those whose other half has turned up are resolved.

    May be repeated at any time. Raises `PaymentsNotSetUp`; `ProviderUnavailable` leaves the day.
    """
    since = datetime.datetime.combine(day, datetime.time(), tzinfo=CITY_ZONE)
    until = datetime.datetime.combine(day + DAY, datetime.time(), tzinfo=CITY_ZONE)
    # Outside of any transaction: the provider is asked over the network.
    stated = list(provider_named(provider).statement(since=since, until=until))
    with transaction.atomic():
        _keep(provider, stated)
        _link(provider, since=since, until=until, at=at)
        booked = _booked(provider, since=since, until=min(until, at - GRACE))
        lines = _lines_about(provider, booked, since=since, until=min(until, at - GRACE))
        findings = match_statement(booked=booked, stated=[_stated(line) for line in lines])
        _report(provider, findings, lines, at=at)
        _settle(provider, booked, lines, findings, at=at)
        return _sum_up(provider, day, since=since, until=until, at=at)


def _keep(provider: str, lines: Iterable[wire.StatementLine]) -> None:
    StatementLine.objects.bulk_create(
        (
            StatementLine(
                provider=provider, line_id=line.line_id, kind=line.kind, key=line.key,
                reference=line.reference, cents=line.cents, fee_cents=line.fee_cents,
                currency=line.currency, at=line.at,
            )
            for line in lines
        ),
        ignore_conflicts=True,
        batch_size=1000,
    )  # fmt: skip


def _link(
    provider: str, *, since: datetime.datetime, until: datetime.datetime, at: datetime.datetime
) -> None:
    """Find the payment or refund of every line that has none yet, in three queries."""
    loose = list(
        StatementLine.objects.filter(
            provider=provider, at__gte=since, at__lt=until, payment__isnull=True
        )
    )
    named = {line.pk: read_key(line.key) for line in loose}
    wanted = {
        what: {key for kind, key in named.values() if kind is what and key is not None}
        for what in Named
    }
    by_id = {
        payment.public_id: payment
        for payment in Payment.objects.filter(public_id__in=wanted[Named.PAYMENT])
    }
    by_purpose = {
        payment.purpose_ref: payment
        for payment in Payment.objects.filter(purpose_ref__in=wanted[Named.PURPOSE])
    }
    references = {line.reference for line in loose if line.reference}
    by_reference = {
        payment.provider_ref: payment
        for payment in Payment.objects.filter(provider_ref__in=references)
    }
    refunds = {
        refund.public_id: refund
        for refund in Refund.objects.select_related("payment").filter(
            public_id__in=wanted[Named.REFUND]
        )
    }
    for line in loose:
        kind, key = named[line.pk]
        if key is not None and kind is Named.REFUND and line.kind == LineKind.REFUND:
            line.refund = refunds.get(key)
            line.payment = line.refund.payment if line.refund else None
        elif key is not None and line.kind != LineKind.REFUND:
            line.payment = by_id.get(key) or by_purpose.get(key)
        if line.payment is None:
            line.payment = by_reference.get(line.reference)
    linked = [line for line in loose if line.payment is not None]
    StatementLine.objects.bulk_update(linked, ["payment", "refund"], batch_size=1000)
    for line in linked:
        _book_fee(line, at=at)


def _book_fee(line: StatementLine, *, at: datetime.datetime) -> None:
    """What the provider kept is a cost of the organisation whose sale it was, once per line."""
    if not line.fee_cents or line.payment is None:
        return
    post_entries(
        organisation_id=line.payment.organisation_id,
        currency=line.currency,
        deed="fee",
        ref=f"{line.provider}:{line.line_id}",
        postings=[
            Posting(AccountKind.FEES, line.fee_cents),
            Posting(AccountKind.CLEARING, -line.fee_cents),
        ],
        provider=line.provider,
        at=at,
    )


def _booked(provider: str, *, since: datetime.datetime, until: datetime.datetime) -> list[Booked]:
    """Deeds on the clearing account in the interval, and those that its lines are about."""
    lines = StatementLine.objects.filter(provider=provider, at__gte=since, at__lt=until)
    about = lines.values_list("payment__public_id", "refund__public_id")
    refs = {str(refund or payment) for payment, refund in about if refund or payment}
    with connection.cursor() as cursor:
        cursor.execute(
            _BOOKED, {"provider": provider, "since": since, "until": until, "refs": sorted(refs)}
        )
        return [
            Booked(
                kind=LineKind.CAPTURE if cents > 0 else LineKind.REFUND,
                subject=_subject(ref, refund=cents < 0),
                cents=cents,
                currency=currency,
            )
            for ref, cents, currency in cursor.fetchall()
        ]


def _lines_about(
    provider: str,
    booked: Sequence[Booked],
    *,
    since: datetime.datetime,
    until: datetime.datetime,
) -> list[StatementLine]:
    """Lines of the interval, and every other line of the deeds that are looked at."""
    refs = [deed.subject.partition(":")[2] for deed in booked]
    return list(
        StatementLine.objects.select_related("payment", "refund")
        .filter(provider=provider, kind__in=[*MATCHED_KINDS, LineKind.DISPUTE])
        .filter(
            Q(at__gte=since, at__lt=until)
            | Q(payment__public_id__in=refs, kind=LineKind.CAPTURE)
            | Q(refund__public_id__in=refs)
        )
        .order_by("at", "id")
    )


def _stated(line: StatementLine) -> Stated:
    subject = ""
    if line.refund is not None:
        subject = _subject(str(line.refund.public_id), refund=True)
    elif line.payment is not None and line.kind == LineKind.CAPTURE:
        subject = _subject(str(line.payment.public_id), refund=False)
    return Stated(
        line=wire.StatementLine(
            line_id=line.line_id, kind=LineKind(line.kind), reference=line.reference,
            key=line.key, cents=line.cents, fee_cents=line.fee_cents, currency=line.currency,
            at=line.at,
        ),
        subject=subject,
    )  # fmt: skip


def _subject(public_id: str, *, refund: bool) -> str:
    return f"{'refund' if refund else 'capture'}:{public_id}"


def _report(
    provider: str,
    findings: Sequence[Finding],
    lines: Sequence[StatementLine],
    *,
    at: datetime.datetime,
) -> None:
    by_line = {line.line_id: line for line in lines}
    for finding in findings:
        line = by_line.get(finding.line_id)
        payment, refund = _about(finding.subject, line)
        report_anomaly(
            kind=finding.kind,
            subject=finding.subject,
            provider=provider,
            payment=payment,
            refund=refund,
            line=line,
            booked_cents=finding.booked_cents,
            stated_cents=finding.stated_cents,
            currency=finding.currency,
            at=at,
        )


def _about(subject: str, line: StatementLine | None) -> tuple[Payment | None, Refund | None]:
    if line is not None:
        return line.payment, line.refund
    kind, _colon, public_id = subject.partition(":")
    if kind == "refund":
        refund = Refund.objects.select_related("payment").filter(public_id=public_id).first()
        return (refund.payment if refund else None), refund
    return Payment.objects.filter(public_id=public_id).first(), None


def _settle(
    provider: str,
    booked: Sequence[Booked],
    lines: Sequence[StatementLine],
    findings: Sequence[Finding],
    *,
    at: datetime.datetime,
) -> None:
    """Resolve what was open about the things just looked at and is found no more."""
    still = {(finding.kind, finding.subject) for finding in findings}
    looked_at = {deed.subject for deed in booked} | {f"line:{line.line_id}" for line in lines}
    gone = Anomaly.objects.filter(
        provider=provider,
        state=AnomalyState.OPEN,
        subject__in=looked_at,
        kind__in=[
            AnomalyKind.MISSING_AT_PROVIDER,
            AnomalyKind.MISSING_AT_US,
            AnomalyKind.AMOUNT_DIFFERS,
        ],
    )
    for anomaly in gone:
        if (anomaly.kind, anomaly.subject) not in still:
            resolve_anomaly(anomaly=anomaly, note=_("Both sides agree now."), at=at, by=ACCOUNTANT)


def _sum_up(
    provider: str,
    day: datetime.date,
    *,
    since: datetime.datetime,
    until: datetime.datetime,
    at: datetime.datetime,
) -> Reconciliation:
    lines = StatementLine.objects.filter(
        provider=provider, at__gte=since, at__lt=until, kind__in=MATCHED_KINDS
    )
    sums = lines.aggregate(cents=Sum("cents", default=0), fees=Sum("fee_cents", default=0))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT coalesce(sum(cents), 0) FROM ({_BOOKED}) AS deeds (ref, cents, currency)",  # noqa: S608 - our own text
            {"provider": provider, "since": since, "until": until, "refs": []},
        )
        (booked_cents,) = cursor.fetchone()
    row, _fresh = Reconciliation.objects.update_or_create(
        provider=provider,
        day=day,
        defaults={
            "ran_at": at,
            "lines": lines.count(),
            "matched": lines.filter(payment__isnull=False).count(),
            "stated_cents": sums["cents"],
            "fee_cents": sums["fees"],
            # The sum of bigints is a numeric.
            "booked_cents": int(booked_cents),
        },
    )
    return row
