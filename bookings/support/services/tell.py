"""The person's side of a case: tell, add, withdraw."""

import dataclasses
import datetime
from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from bookings.payments.models import Payment
from bookings.recharges.models import Recharge
from bookings.support import rules
from bookings.support.events import CaseOpened
from bookings.support.models import ANSWERERS, CaseMessage, SupportCase
from bookings.support.states import UNDERWAY, CaseState, Resolution
from bookings.trips.models import Trip
from fleet.maintenance.models import FaultReport
from mobility.accounts.models import Organisation, User
from mobility.accounts.states import OrganisationKind
from mobility.core import files, locks, outbox
from mobility.core.errors import Conflict, Gone, Unavailable
from mobility.core.transitions import move

CASE_PHOTO = "case_photo"


def may_look(user: User, file: files.StoredFile) -> bool:
    """Whoever answers for the organisation of the case."""
    return file.organisation_id in user.organisations_as(*ANSWERERS)


# Two years, as pictures of objections: what money was given back for can be looked at again.
files.register(CASE_PHOTO, may_read=may_look, keep=datetime.timedelta(days=730))


class TooManyCases(Conflict):
    """So many at once can nobody answer."""

    code = "too_many_cases"
    message = _("You have %(most)s open cases. Please add to one of them.")


class CaseClosed(Gone):
    """It was settled too long ago."""

    code = "case_closed"
    message = _("This case is closed. Please open a new one.")


class NobodyAnswers(Unavailable):
    """No operator is set up here."""

    code = "nobody_answers"
    message = _("Support is not set up here yet.")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a case is about, as far as it can be named: all of it the person's own."""

    trip: Trip | None = None
    recharge: Recharge | None = None
    payment: Payment | None = None
    fault: FaultReport | None = None


def open_case(
    *,
    user: User,
    kind: str,
    text: str,
    about: About,
    at: datetime.datetime,
    photos: Sequence[bytes] = (),
) -> SupportCase:
    """Open a case and say by when it is answered.

    1. The same kind about the same thing within half an hour is the same case; new words join it.
    2. Whose vehicle, charger or bill it is answers; without any, who served the person last.
    3. A payment follows from its trip or charge, so that staff can give money back from the case.

    Raises `TooManyCases`, `NobodyAnswers`, and what `files.store_image` raises of `photos`.
    """
    with transaction.atomic():
        locks.advisory(f"support:{user.pk}")
        known = _same(user, kind, about, at=at)
        if known is not None:
            _say(known, user, text, photos=photos, at=at)
            return known
        if SupportCase.objects.underway().filter(user=user).count() >= rules.MOST_UNDERWAY:
            raise TooManyCases(most=rules.MOST_UNDERWAY)
        case = SupportCase.objects.create(
            user=user,
            organisation_id=_answerer(user, about),
            kind=kind,
            trip=about.trip,
            recharge=about.recharge,
            payment=about.payment or _payment(about),
            fault=about.fault,
            opened_at=at,
            due_at=rules.due_at(kind=kind, at=at),
        )
        _say(case, user, text, photos=photos, at=at)
        outbox.publish(
            CaseOpened(
                case_id=str(case.public_id),
                case_number=case.case_number,
                organisation_id=case.organisation_id,
                kind=case.kind,
                due_at=case.due_at,
            ),
            at=at,
        )
    return case


def add_message(
    *, case: SupportCase, text: str, at: datetime.datetime, photos: Sequence[bytes] = ()
) -> SupportCase:
    """A word of the person: staff have to answer again, also after it was resolved, for two weeks.

    Raises `CaseClosed`.
    """
    with transaction.atomic():
        case = SupportCase.objects.select_for_update().select_related("user").get(pk=case.pk)
        if _over(case, at=at):
            raise CaseClosed
        _say(case, case.user, text, photos=photos, at=at)
        if case.state != CaseState.OPEN:
            move(
                case,
                to=CaseState.OPEN,
                at=at,
                by=case.user.principal,
                due_at=rules.due_at(kind=case.kind, at=at),
                resolved_at=None,
                resolution="",
            )
    return case


def withdraw_case(*, case: SupportCase, at: datetime.datetime) -> SupportCase:
    """It has settled itself. Doing it twice is doing it once."""
    with transaction.atomic():
        if case.state in UNDERWAY:
            move(
                case,
                to=CaseState.RESOLVED,
                at=at,
                by=case.user.principal,
                resolved_at=at,
                resolution=Resolution.WITHDRAWN,
            )
    return case


def _over(case: SupportCase, *, at: datetime.datetime) -> bool:
    resolved = case.resolved_at
    return case.state == CaseState.CLOSED or (
        resolved is not None and at - resolved > rules.REOPEN_WITHIN
    )


def _same(user: User, kind: str, about: About, *, at: datetime.datetime) -> SupportCase | None:
    return (
        SupportCase.objects.underway()
        .filter(
            user=user,
            kind=kind,
            trip=about.trip,
            recharge=about.recharge,
            fault=about.fault,
            opened_at__gt=at - rules.SAME_WITHIN,
        )
        .order_by("-id")
        .first()
    )


def _say(
    case: SupportCase,
    user: User,
    text: str,
    *,
    photos: Sequence[bytes],
    at: datetime.datetime,
) -> None:
    last = case.messages.order_by("-pk").first()
    if text and (last is None or last.text != text or last.from_staff):
        kept = [str(_keep(case, user, data, at=at).public_id) for data in photos]
        CaseMessage.objects.create(case=case, by=user.principal, text=text, photos=kept, at=at)


def _keep(case: SupportCase, user: User, data: bytes, *, at: datetime.datetime) -> files.StoredFile:
    return files.store_image(
        data=data,
        purpose=CASE_PHOTO,
        owner=user.principal,
        organisation_id=case.organisation_id,
        at=at,
    )


def _payment(about: About) -> Payment | None:
    if about.trip is not None:
        return about.trip.payment
    return about.recharge.payment if about.recharge is not None else None


def _answerer(user: User, about: About) -> int:
    for thing in (about.trip, about.recharge, about.payment):
        if thing is not None:
            return thing.organisation_id
    if about.fault is not None:
        return about.fault.vehicle.organisation_id
    last = Trip.objects.filter(user=user).order_by("-id").first()
    charge = Recharge.objects.filter(user=user).order_by("-id").first()
    if last is not None and (charge is None or charge.requested_at < last.requested_at):
        return last.organisation_id
    if charge is not None:
        return charge.organisation_id
    anybody = Organisation.objects.exclude(kind=OrganisationKind.CITY).order_by("pk").first()
    if anybody is None:
        raise NobodyAnswers
    return anybody.pk
