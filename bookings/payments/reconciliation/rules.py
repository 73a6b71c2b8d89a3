"""Reading keys and matching a provider's statement with the books; no database, no clock."""

import dataclasses
import enum
import re
import uuid
from collections import defaultdict
from collections.abc import Iterable

from bookings.payments.providers.wire import LineKind, StatementLine
from bookings.payments.reconciliation.states import AnomalyKind

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Named(enum.StrEnum):
    """What a key of ours is about."""

    PURPOSE = "purpose"
    PAYMENT = "payment"
    REFUND = "refund"
    NOTHING = "nothing"


def read_key(key: str) -> tuple[Named, uuid.UUID | None]:
    """What one of our idempotency keys names: `<purpose>:<id>:authorise`, `<id>:refund`, `<id>:…`."""
    found = _UUID.search(key)
    if found is None:
        return Named.NOTHING, None
    named = Named.PAYMENT
    if found.start():
        named = Named.PURPOSE
    elif key[found.end() :].startswith(":refund"):
        named = Named.REFUND
    return named, uuid.UUID(found.group())


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """One capture or refund as we booked it: `cents` positive to us, negative from us."""

    kind: LineKind
    subject: str
    cents: int
    currency: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """A statement line and the deed of ours that it names, empty if none."""

    line: StatementLine
    subject: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One disagreement: about a deed of ours, a line, or both."""

    kind: AnomalyKind
    subject: str
    line_id: str
    booked_cents: int
    stated_cents: int
    currency: str


def match_statement(*, booked: Iterable[Booked], stated: Iterable[Stated]) -> tuple[Finding, ...]:
    """Every disagreement between the books and a statement, each deed of ours looked at once.

    1. A line that names no deed of ours is missing here; disputes are named as such.
    2. A deed without a line is missing at the provider.
    3. A deed with two or more lines was done twice, whatever the sum says.
    4. A deed with one line must agree in amount and currency.
    """
    lines: defaultdict[str, list[StatementLine]] = defaultdict(list)
    findings: list[Finding] = []
    ours = {deed.subject: deed for deed in booked}
    for entry in stated:
        if entry.line.kind is LineKind.DISPUTE:
            findings.append(_about(entry.line, AnomalyKind.DISPUTED, entry.subject))
        elif entry.line.kind in (LineKind.CAPTURE, LineKind.REFUND):
            if entry.subject in ours:
                lines[entry.subject].append(entry.line)
            else:
                findings.append(_about(entry.line, AnomalyKind.MISSING_AT_US, ""))
    for subject, deed in ours.items():
        finding = _compare(deed, lines[subject])
        if finding is not None:
            findings.append(finding)
    return tuple(findings)


def _about(line: StatementLine, kind: AnomalyKind, subject: str) -> Finding:
    return Finding(
        kind=kind,
        subject=subject or f"line:{line.line_id}",
        line_id=line.line_id,
        booked_cents=0,
        stated_cents=line.cents,
        currency=line.currency,
    )


def _compare(deed: Booked, lines: list[StatementLine]) -> Finding | None:
    kind = None
    if not lines:
        kind = AnomalyKind.MISSING_AT_PROVIDER
    elif len(lines) > 1:
        kind = AnomalyKind.DUPLICATE
    elif (lines[0].cents, lines[0].currency) != (deed.cents, deed.currency):
        kind = AnomalyKind.AMOUNT_DIFFERS
    if kind is None:
        return None
    return Finding(
        kind=kind,
        subject=deed.subject,
        line_id=lines[-1].line_id if lines else "",
        booked_cents=deed.cents,
        stated_cents=sum(line.cents for line in lines),
        currency=deed.currency,
    )
