"""Documents come in: pictures are kept privately, of a licence's number only a hash.

DomainError
├── Invalid      DocumentOutOfDate   its last day is over
├── Invalid      LicenceImplausible  held since a day to come, or without a known category
└── Unavailable  NobodyReviews       no operator to look at it
"""

import datetime
import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from bookings.riders import checkers
from bookings.riders.models import AccessPolicy, DrivingLicence, IdentityCheck, RiderDocument
from bookings.riders.queries import documents_of
from bookings.riders.rules import CATEGORIES
from bookings.riders.services.review import accept, retire
from bookings.riders.states import PaperKind
from mobility.accounts.models import Organisation
from mobility.accounts.states import OrganisationKind, Role
from mobility.core import audit, clock, files, jobs
from mobility.core.errors import Invalid, Unavailable
from mobility.core.locks import advisory
from mobility.core.principals import Principal

# A document that nobody has decided about by then has lost its pictures and must be sent again.
UNDECIDED_KEPT = datetime.timedelta(days=90)
PURPOSES = {PaperKind.IDENTITY: "identity_picture", PaperKind.LICENCE: "licence_picture"}


class DocumentOutOfDate(Invalid):
    """The last day of the document is over."""

    code = "document_out_of_date"
    message = _("This document has expired already. Send one that is still good.")


class LicenceImplausible(Invalid):
    """What was typed cannot be on a licence."""

    code = "licence_implausible"
    message = _("Check the categories and the day since when you hold the licence.")


class NobodyReviews(Unavailable):
    """There is no operator who could look at the document."""

    code = "nobody_reviews"
    message = _("At the moment nobody can check documents. Please try again later.")


def may_review(user: Any, file: files.StoredFile) -> bool:
    """Only the operator who was asked to review sees the pictures."""
    if user.is_superuser:
        return True
    return file.organisation_id in user.organisations_as(Role.FLEET_OPERATOR)


for _purpose in PURPOSES.values():
    files.register(_purpose, may_read=may_review, keep=UNDECIDED_KEPT)


@transaction.atomic
def submit_identity(
    *,
    user_id: int,
    paper: str,
    country: str,
    valid_until: datetime.date,
    pictures: Mapping[str, bytes],
    organisation: Organisation | None = None,
    at: datetime.datetime,
    by: Principal,
) -> IdentityCheck:
    """Take an identity document with its pictures (`front`, and `back`, `selfie` if there are any).

    One that still waits for review is replaced. Raises `DocumentOutOfDate`, `FileTooLarge`,
    `FileNotAnImage`, `NobodyReviews`.
    """
    check = IdentityCheck(user_id=user_id, paper=paper, country=country, valid_until=valid_until)
    _receive(check, pictures=pictures, organisation=organisation, at=at, by=by)
    return check


@transaction.atomic
def submit_licence(
    *,
    user_id: int,
    number: str,
    country: str,
    categories: Sequence[str],
    held_since: datetime.date,
    valid_until: datetime.date,
    pictures: Mapping[str, bytes],
    organisation: Organisation | None = None,
    at: datetime.datetime,
    by: Principal,
) -> DrivingLicence:
    """Take a driving licence with pictures of both sides (`front`, `back`).

    One that still waits for review is replaced. Raises `LicenceImplausible` and what
    `submit_identity` raises.
    """
    licence = _licence(user_id, number, country, categories, held_since, valid_until)
    _refuse_implausible(licence, day=clock.service_day(at))
    _receive(licence, pictures=pictures, organisation=organisation, at=at, by=by)
    return licence


@transaction.atomic
def record_licence(
    *,
    user_id: int,
    number: str,
    country: str,
    categories: Sequence[str],
    held_since: datetime.date,
    valid_until: datetime.date,
    organisation: Organisation,
    at: datetime.datetime,
    by: Principal,
) -> DrivingLicence:
    """Enter a licence that was verified elsewhere: at a counter, or in a system that we replace.

    Raises `LicenceImplausible`, `DocumentOutOfDate`, `LicenceOnAnotherAccount`.
    """
    licence = _licence(user_id, number, country, categories, held_since, valid_until)
    day = clock.service_day(at)
    _refuse_implausible(licence, day=day)
    if valid_until < day:
        raise DocumentOutOfDate
    licence.organisation, licence.submitted_at = organisation, at
    licence.save(force_insert=True)
    accept(document=licence, at=at, by=by)
    return licence


def hash_number(number: str) -> str:
    """A keyed hash of a licence's number: without the key nobody can try out all numbers."""
    return salted_hmac(
        "bookings.riders.licence", plain_number(number), algorithm="sha256"
    ).hexdigest()


def plain_number(number: str) -> str:
    """A licence's number as it is compared: capitals and digits only."""
    return re.sub(r"[^0-9A-Z]", "", number.upper())


def _licence(
    user_id: int,
    number: str,
    country: str,
    categories: Sequence[str],
    held_since: datetime.date,
    valid_until: datetime.date,
) -> DrivingLicence:
    return DrivingLicence(
        user_id=user_id,
        number_hash=hash_number(number),
        number_last3=plain_number(number)[-3:],
        country=country,
        categories=sorted(set(categories), key=lambda one: (len(one), one)),
        held_since=held_since,
        valid_until=valid_until,
    )


def _refuse_implausible(licence: DrivingLicence, *, day: datetime.date) -> None:
    known = bool(licence.categories) and set(licence.categories) <= set(CATEGORIES)
    if not known or len(licence.number_last3) < 3 or licence.held_since > day:
        raise LicenceImplausible


def _receive(
    document: RiderDocument,
    *,
    pictures: Mapping[str, bytes],
    organisation: Organisation | None,
    at: datetime.datetime,
    by: Principal,
) -> None:
    """1. Judge the date. 2. Replace what waits. 3. Keep the pictures. 4. Let the checker look."""
    if document.valid_until < clock.service_day(at):
        raise DocumentOutOfDate
    # Two phones sending at once take turns, and the later one stands.
    advisory(f"rider-document:{document.kind}:{document.user_id}")
    for waiting in documents_of(document.kind).waiting().filter(user_id=document.user_id):
        retire(document=waiting, reason="replaced", at=at, by=by)
    document.organisation = organisation or _reviewer(document.kind)
    document.submitted_at, document.checker = at, checkers.chosen()
    for side, data in pictures.items():
        picture = files.store_image(
            data=data,
            purpose=PURPOSES[document.kind],
            owner=document.user.principal,
            organisation_id=document.organisation.pk,
            at=at,
        )
        setattr(document, side, picture)
    document.save(force_insert=True)
    audit.record(by=by, action="submit_document", row=document, at=at)
    if document.checker:
        jobs.enqueue("bookings.riders.check", kind=str(document.kind), document_id=document.pk)


def _reviewer(kind: PaperKind) -> Organisation:
    """Who looks at it if the person named nobody: an operator that asks for it, else any."""
    asked = {"identity_required": True} if kind == PaperKind.IDENTITY else {}
    policies = AccessPolicy.objects.filter(**asked)
    if kind == PaperKind.LICENCE:
        policies = policies.exclude(licence_category="")
    operators = Organisation.objects.filter(kind=OrganisationKind.FLEET_OPERATOR).order_by("pk")
    first = operators.filter(pk__in=policies.values("organisation")).first() or operators.first()
    if first is None:
        raise NobodyReviews
    return first
