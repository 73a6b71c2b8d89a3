"""Pages of what may follow a ride: its photo, an objection, money given back, cases of support."""

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from bookings.payments.models import Refund
from bookings.payments.states import RefundState
from bookings.support import services as support
from bookings.support.models import SupportCase
from bookings.support.queries import about_own, problems_of
from bookings.support.states import UNDERWAY, CaseKind, CaseState
from bookings.trips import services
from bookings.trips.models import EndPhoto, StartPhoto, Trip, TripDispute
from bookings.trips.services.photos import PHOTOS_PER_TRIP, WANTED_FOR
from bookings.trips.states import (
    ACTIVE,
    OVER,
    DisputeReason,
    DisputeState,
    PhotoState,
    TripState,
)
from fleet.maintenance.states import FaultCategory, FaultState
from mobility.core import clock
from mobility.core.errors import DomainError, NotFound
from mobility.core.files.api import image_bytes
from mobility.resident.aftermath.forms import (
    AppealForm,
    CaseForm,
    DisputeForm,
    PhotoForm,
    WordForm,
)
from mobility.resident.pages import OwnPage

# How the words of the three kinds of problems are said.
KINDS: dict[str, Any] = {"case": CaseKind, "dispute": DisputeReason, "fault": FaultCategory}
STATES: dict[str, Any] = {"case": CaseState, "dispute": DisputeState, "fault": FaultState}


class RidePage(OwnPage):
    """A page about one ride of the person's own."""

    tab = "trips"
    template = "resident/aftermath/ride.html"

    def trip(self, public_id: uuid.UUID) -> Trip:
        """Raises `TripNotFound` for anybody else's."""
        found = Trip.objects.with_story().filter(user=self.person, public_id=public_id).first()
        if found is None:
            raise services.TripNotFound
        return found

    def page(self, trip: Trip, form: DisputeForm, *, status: int = 200) -> HttpResponse:
        """The ride with all that followed it."""
        disputes = list(TripDispute.objects.filter(trip=trip))
        photos = list(EndPhoto.objects.filter(trip=trip).order_by("id"))
        at = clock.now()
        recent = trip.ended_at is not None and at - trip.ended_at <= WANTED_FOR
        return self.show(
            status=status,
            trip=trip,
            form=form,
            photos=photos,
            found=list(StartPhoto.objects.before(trip).select_related("file").order_by("pk")),
            photo_form=PhotoForm(),
            appeal_form=AppealForm(),
            takes_photo=recent and len(photos) < PHOTOS_PER_TRIP,
            photo_asked=trip.photo_due_at is not None,
            disputes=disputes,
            can_dispute=trip.state not in {TripState.STARTING, TripState.START_FAILED}
            and not any(one.state == DisputeState.OPEN for one in disputes),
            refunds=_refunds(trip),
            is_over=trip.state in OVER,
            is_active=trip.state in ACTIVE,
            bad=PhotoState.BAD,
        )

    def way_back(self) -> str:
        """The ride's page."""
        return reverse("resident:ride", args=[self.kwargs["public_id"]])


class RideView(RidePage):
    """`/rides/<id>/`: what became of a ride, and the form to object."""

    same_door = "api:trip-disputes"

    def get(self, request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
        """Photos, objections, refunds."""
        return self.page(self.trip(public_id), DisputeForm())

    def post(self, request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
        """Object; the answer is a case number and by when staff decide."""
        trip, form = self.trip(public_id), DisputeForm(request.POST, request.FILES)
        if not form.is_valid():
            return self.page(trip, form, status=422)
        try:
            opened = services.open_dispute(
                trip=trip,
                reason=form.cleaned_data["reason"],
                text=form.cleaned_data["text"],
                photos=form.pictures(),
                at=clock.now(),
                by=self.person.principal,
            )
        except DomainError as refusal:
            form.add_error(None, refusal.detail)
            return self.page(trip, form, status=refusal.status)
        thanks = _("Thank you for telling us. Your case number is %(number)s.")
        return self.done(thanks % {"number": opened.case_number}, self.way_back())


class RidePhotoView(RidePage):
    """`/rides/<id>/photo/`"""

    same_door = "api:trip-photo"

    def post(self, request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
        """Send a photo of the vehicle as it was left."""
        trip, form = self.trip(public_id), PhotoForm(request.POST, request.FILES)
        if not form.is_valid():
            return self.page(trip, DisputeForm(), status=422)
        services.add_photo(
            trip=trip,
            data=image_bytes(form.cleaned_data["photo"]),
            at=clock.now(),
            by=self.person.principal,
        )
        return self.done(_("Thank you. The photo has arrived."), self.way_back())


class PhotoAppealView(RidePage):
    """`/rides/<id>/photos/<photo>/appeal/`"""

    same_door = "api:trip-disputes"

    def post(self, request: HttpRequest, public_id: uuid.UUID, photo: uuid.UUID) -> HttpResponse:
        """Object to what staff said about a photo."""
        rows = EndPhoto.objects.select_related("file", "trip", "user")
        found = rows.filter(user=self.person, trip__public_id=public_id, public_id=photo).first()
        if found is None:
            raise NotFound
        form = AppealForm(request.POST)
        if not form.is_valid():
            return self.page(self.trip(public_id), DisputeForm(), status=422)
        services.appeal_photo(
            photo=found,
            text=form.cleaned_data["text"],
            at=clock.now(),
            by=self.person.principal,
        )
        return self.done(_("Thank you. Somebody else looks at it again."), self.way_back())


class HelpView(OwnPage):
    """`/help/`: everything the person told us is wrong, on one list."""

    tab = "trips"
    template = "resident/aftermath/help.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Newest first, each with its state and by when it is answered."""
        rows = [
            {
                **one,
                "title": _word(KINDS[one["what"]], one["kind"]),
                "state_words": _word(STATES[one["what"]], one["state"]),
                "address": reverse("resident:case", args=[one["id"]])
                if one["what"] == "case"
                else "",
            }
            for one in problems_of(user=self.person)
        ]
        return self.show(rows=rows)


class NewCaseView(OwnPage):
    """`/help/new/`: ask for help; `?trip=`, `?recharge=` or `?payment=` says about what."""

    tab = "trips"
    template = "resident/aftermath/new_case.html"
    same_door = "api:cases"

    def get(self, request: HttpRequest) -> HttpResponse:
        """The form."""
        about = {name: request.GET.get(name, "") for name in ("trip", "recharge", "payment")}
        return self.show(form=CaseForm(initial=about))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Open the case; the same thing twice within half an hour is one case."""
        form = CaseForm(request.POST, request.FILES)
        if not form.is_valid():
            return self.show(form=form, status=422)
        told = dict(form.cleaned_data)
        kind, text, photo = told.pop("kind"), told.pop("text"), told.pop("photo")
        try:
            about = about_own(user=self.person, **told)
            case = support.open_case(
                user=self.person,
                kind=kind,
                text=text,
                about=about,
                photos=[image_bytes(photo)] if photo else [],
                at=clock.now(),
            )
        except DomainError as refusal:
            form.add_error(None, refusal.detail)
            return self.show(form=form, status=refusal.status)
        thanks = _("Thank you for telling us. Your case number is %(number)s.")
        address = reverse("resident:case", args=[case.public_id])
        return self.done(thanks % {"number": case.case_number}, address)


class CaseView(OwnPage):
    """`/help/<id>/`: one case with all that was said."""

    tab = "trips"
    template = "resident/aftermath/case.html"
    same_door = "api:case-messages"

    def get(self, request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
        """The talk, the state, and what came of it."""
        return self._page(public_id, WordForm())

    def post(self, request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
        """A further word, or that it has settled itself."""
        case = self._case(public_id)
        if "withdraw" in request.POST:
            support.withdraw_case(case=case, at=clock.now())
            return self.done(_("The case is closed."), reverse("resident:help"))
        form = WordForm(request.POST, request.FILES)
        if not form.is_valid():
            return self._page(public_id, form, status=422)
        text, photo = form.cleaned_data["text"], form.cleaned_data["photo"]
        photos = [image_bytes(photo)] if photo else []
        support.add_message(case=case, text=text, photos=photos, at=clock.now())
        return self.done(_("Your message has been sent."), request.path)

    def _page(self, public_id: uuid.UUID, form: WordForm, *, status: int = 200) -> HttpResponse:
        case = self._case(public_id)
        return self.show(
            status=status,
            case=case,
            talk=case.messages.all(),
            form=form,
            underway=case.state in UNDERWAY,
            closed=case.state == CaseState.CLOSED,
        )

    def _case(self, public_id: uuid.UUID) -> SupportCase:
        found = (
            SupportCase.objects.with_story().filter(user=self.person, public_id=public_id).first()
        )
        if found is None:
            raise NotFound
        return found


def _refunds(trip: Trip) -> list[Refund]:
    """What goes back for the ride; what is undecided or refused inside the house is no news."""
    rows = Refund.objects.filter(payment=trip.payment_id).select_related("payment")
    inside = [RefundState.PROPOSED, RefundState.REJECTED]
    return list(rows.exclude(state__in=inside).order_by("-id"))


def _word(words: Any, value: str) -> str:
    return capfirst(words(value).label) if value in words.values else value
