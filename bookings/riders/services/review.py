"""Verdicts on documents: by people, by an automatic checker, by the calendar.

DomainError
├── Conflict   LicenceOnAnotherAccount  the same licence is in force for somebody else
└── Forbidden  OwnDocument              nobody judges their own
"""

import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from bookings.riders import checkers
from bookings.riders.checkers import CheckerUnavailable, CheckRequest, Verdict
from bookings.riders.events import (
    DocumentExpired,
    DocumentExpiring,
    DocumentRejected,
    DocumentVerified,
)
from bookings.riders.models import (
    DrivingLicence,
    IdentityCheck,
    RiderBlock,
    RiderDocument,
    RiderProfile,
)
from bookings.riders.queries import documents_of
from bookings.riders.rules import WARN_DAYS, warning_due
from bookings.riders.states import DocumentState, PaperKind, RejectionReason
from mobility.core import clock, files, jobs, locks, outbox
from mobility.core.errors import Conflict, Forbidden, Gone
from mobility.core.principals import Principal, system_principal
from mobility.core.transitions import IllegalMove, LostRace, move

CALENDAR = system_principal("document-calendar")
AT_ONCE = 500
OVER = (DocumentState.REJECTED, DocumentState.EXPIRED)
PAPERS_KEPT = datetime.timedelta(days=730)
# After this time a check that was never answered is asked for again.
ASK_AGAIN = datetime.timedelta(minutes=2)


class LicenceOnAnotherAccount(Conflict):
    """The same licence is verified for another account: a duplicate, or somebody else's."""

    code = "licence_on_another_account"
    message = _("This licence is verified for another account. Reject it as a duplicate.")


class OwnDocument(Forbidden):
    """A member of staff may not judge their own document."""

    code = "own_document"
    message = _("This is your own document; somebody else must look at it.")


class DocumentLapsed(Gone):
    """While it waited, its last day came."""

    code = "document_lapsed"
    message = _("This document has expired in the meantime. Reject it as out of date.")


@transaction.atomic
def verify_document(*, document: RiderDocument, at: datetime.datetime, by: Principal) -> None:
    """Accept a document; the one that was in force until now ends.

    Its pictures go `RIDER_IMAGES_DAYS` later. Raises `OwnDocument`, `DocumentLapsed`,
    `LicenceOnAnotherAccount`, `IllegalMove`.
    """
    if by == document.user.principal:
        raise OwnDocument
    if document.valid_until < clock.service_day(at):
        raise DocumentLapsed
    accept(document=document, at=at, by=by)


@transaction.atomic
def reject_document(
    *,
    document: RiderDocument,
    reason: RejectionReason | str,
    note: str = "",
    at: datetime.datetime,
    by: Principal,
) -> None:
    """Turn a document down, or withdraw the verdict on one that was accepted.

    Raises `OwnDocument` and `IllegalMove`.
    """
    if by == document.user.principal:
        raise OwnDocument
    move(
        document,
        to=DocumentState.REJECTED,
        at=at,
        by=by,
        reason=str(reason),
        decided_at=at,
        decided_by=by,
        note=note,
    )
    document.reason = str(reason)
    document.save(update_fields=["reason"])
    _let_pictures_go(document, at=at)
    outbox.publish(
        DocumentRejected(
            user=document.user.principal,
            kind=document.kind,
            document=str(document.public_id),
            reason=str(reason),
        ),
        at=at,
    )


def accept(*, document: RiderDocument, at: datetime.datetime, by: Principal) -> None:
    """Move a document into force, in the caller's transaction; see `verify_document`."""
    in_force = documents_of(document.kind).verified().filter(user_id=document.user_id)
    for former in in_force.exclude(pk=document.pk):
        retire(document=former, reason="replaced", at=at, by=by)
    try:
        with transaction.atomic():
            move(document, to=DocumentState.VERIFIED, at=at, by=by, decided_at=at, decided_by=by)
    except IntegrityError as problem:
        raise LicenceOnAnotherAccount from problem
    _let_pictures_go(document, at=at)
    outbox.publish(
        DocumentVerified(
            user=document.user.principal,
            kind=document.kind,
            document=str(document.public_id),
            valid_until=document.valid_until.isoformat(),
        ),
        at=at,
    )


def retire(*, document: RiderDocument, reason: str, at: datetime.datetime, by: Principal) -> None:
    """End a document that another one replaces, and remove its pictures at once."""
    move(document, to=DocumentState.EXPIRED, at=at, by=by, reason=reason, decided_at=at)
    files.remove_files(files=document.pictures, at=at, by=by)


def check_document(*, kind: PaperKind, document_id: int, at: datetime.datetime) -> None:
    """Let the automatic checker look at a document, and book what it says.

    Outside of any transaction: a checker may take its time. One that does not answer is asked again by
    the sweep; one that is unsure leaves the document to people.
    """
    locks.refuse_transaction("asking a checker of documents")
    document = documents_of(kind).filter(pk=document_id, state=DocumentState.SUBMITTED).first()
    if document is None or not document.checker or document.checked_at is not None:
        return
    try:
        verdict = checkers.of_name(document.checker).check(request=_request(document))
    except CheckerUnavailable:
        return
    with transaction.atomic():
        _book(document, verdict, at=at)


def ask_again(*, at: datetime.datetime) -> int:
    """Send documents back to the checker that never answered; returns how many."""
    sent = 0
    for kind in PaperKind:
        rows = documents_of(kind).unasked(at - ASK_AGAIN).values_list("pk", flat=True)[:AT_ONCE]
        for document_id in rows:
            jobs.enqueue("bookings.riders.check", kind=kind.value, document_id=document_id)
            sent += 1
    return sent


def follow_calendar(*, at: datetime.datetime) -> int:
    """Warn of documents that end within 30 and within 7 days, and end those whose last day is over.

    Returns how many were touched. Called again on the same day it does nothing.
    """
    day = clock.service_day(at)
    horizon = day + datetime.timedelta(days=max(WARN_DAYS))
    touched = 0
    for model in (IdentityCheck, DrivingLicence):
        rows = model.objects.verified().filter(valid_until__lte=horizon).select_related("user")
        for document in rows.iterator(chunk_size=AT_ONCE):
            touched += _follow(document, day=day, at=at)
    return touched


def forget_old_papers(*, at: datetime.datetime) -> int:
    """Delete what is known of documents and blocks that were over two years ago; returns how many rows.

    Two years: claims for damage by vehicles lapse then (Codice civile, art. 2947).
    """
    before = at - PAPERS_KEPT
    gone = 0
    for kind in PaperKind:
        over = documents_of(kind).filter(state__in=OVER, decided_at__lt=before)
        gone += over.delete()[0]
    return gone + RiderBlock.objects.filter(lifted_at__lt=before).delete()[0]


def _follow(document: RiderDocument, *, day: datetime.date, at: datetime.datetime) -> bool:
    due = warning_due(valid_until=document.valid_until, warned_days=document.warned_days, day=day)
    told: dict[str, Any] = {
        "user": document.user.principal,
        "kind": document.kind.value,
        "document": str(document.public_id),
        "valid_until": document.valid_until.isoformat(),
    }
    try:
        with transaction.atomic():
            if document.valid_until < day:
                move(
                    document,
                    to=DocumentState.EXPIRED,
                    at=at,
                    by=CALENDAR,
                    reason="last_day",
                    decided_at=at,
                )
                outbox.publish(DocumentExpired(**told), at=at)
                return True
            if due is None:
                return False
            type(document)._default_manager.filter(pk=document.pk).update(warned_days=due)
            outbox.publish(DocumentExpiring(**told, days=due), at=at)
            return True
    except LostRace:
        return False


def _book(document: RiderDocument, verdict: Verdict, *, at: datetime.datetime) -> None:
    """A person may have been faster; then the checker's word counts for nothing."""
    rows = documents_of(document.kind).waiting().filter(pk=document.pk, checked_at=None)
    if not rows.update(checked_at=at, checker_ref=verdict.reference):
        return
    by = system_principal(f"checker-{document.checker}")
    try:
        with transaction.atomic():
            if verdict.outcome == "approved":
                verify_document(document=document, at=at, by=by)
            elif verdict.outcome == "rejected":
                reject_document(document=document, reason=verdict.reason, at=at, by=by)
    except (LicenceOnAnotherAccount, DocumentLapsed, LostRace, IllegalMove):
        return  # a machine's approval is no match for these: people look


def _request(document: RiderDocument) -> CheckRequest:
    profile = RiderProfile.objects.filter(user=document.user_id).first()
    return CheckRequest(
        key=str(document.public_id),
        kind=document.kind,
        country=document.country,
        valid_until=document.valid_until,
        name=document.user.name,
        birth_date=profile.birth_date if profile else None,
        pictures=[_content(file) for file in document.pictures],
    )


def _content(file: files.StoredFile) -> bytes:
    with files.open_file(file) as content:
        return content.read()


def _let_pictures_go(document: RiderDocument, *, at: datetime.datetime) -> None:
    until = at + datetime.timedelta(days=settings.RIDER_IMAGES_DAYS)
    files.keep_until(files=document.pictures, until=until)
