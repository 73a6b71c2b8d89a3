"""Pages of bookings ahead: find a car, see the whole price, book it, change it, give it back."""

import datetime
import uuid
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import dateparse, formats
from django.utils.translation import gettext as _

from bookings.pricing.rules import estimate
from bookings.pricing.texts import line_name
from bookings.reservations import services, spans
from bookings.reservations.booking_wire import booking_body, booking_quote_body
from bookings.reservations.models import Booking
from bookings.reservations.policies import policy_of
from bookings.reservations.queries import (
    BookingClass,
    booking_classes,
    calendar_of,
    free_cars,
    vehicle_by_ref,
)
from bookings.reservations.rules import BOOKABLE
from bookings.reservations.states import OPEN_BOOKINGS, BookingState
from bookings.reservations.wallclock import shown
from bookings.riders.queries import obstacles
from bookings.trips.models import StartPhoto
from bookings.trips.services import add_start_photo, takes_start_photos
from fleet.vehicles.models import Vehicle
from fleet.vehicles.states import Kind, LifeState
from mobility.core import clock
from mobility.core.errors import DomainError
from mobility.core.files.api import image_bytes
from mobility.core.money import total_cents
from mobility.resident import texts
from mobility.resident.ahead.forms import (
    EndForm,
    FoundForm,
    SpanForm,
    WishForm,
    place_of,
    span_sentences,
    usual_span,
    wall,
)
from mobility.resident.pages import OwnPage, new_attempt
from mobility.resident.papers.views import with_way

SHOWN = 60
CARS_SHOWN = 8
STEP = datetime.timedelta(hours=2)
DAYS_AHEAD = 400


class BookingPage(OwnPage):
    """A page under the tab of bookings."""

    tab = "bookings"

    def own(self) -> "QuerySet[Booking]":
        """The person's own bookings, with their story."""
        return Booking.objects.with_story().filter(user=self.person)

    def booking(self, public_id: uuid.UUID) -> Booking:
        """One of them; raises `BookingNotFound`."""
        found = self.own().filter(public_id=public_id).first()
        if found is None:
            raise services.BookingNotFound
        return found


class BookingsView(BookingPage):
    """`/bookings/`: what is coming, and what was."""

    template = "resident/ahead/bookings.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Coming ones, the next first; then those that are over."""
        rows = list(self.own().order_by("-starts_at")[:SHOWN])
        coming = sorted(
            (one for one in rows if one.state in OPEN_BOOKINGS), key=lambda one: one.starts_at
        )
        over = [one for one in rows if one.state not in OPEN_BOOKINGS]
        return self.show(coming=coming, over=over)


class FindCarView(BookingPage):
    """`/bookings/new/`: when and where, then the classes with their whole price."""

    template = "resident/ahead/find.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Without a span the form; with one also what is free then."""
        at = clock.now()
        asked = "start" in request.GET
        form = SpanForm(request.GET if asked else None, initial=usual_span(at=at))
        offers = _offers(form, at=at) if asked and form.is_valid() else None
        return self.show(form=form, offers=offers, in_the_way=_in_the_way(self.person.pk, at=at))


class CarCalendarView(BookingPage):
    """`/bookings/car/<code>/`: when one car is free on a day."""

    template = "resident/ahead/calendar.html"

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        """The day in half hours; a free one leads to the price."""
        vehicle, at = vehicle_by_ref(code), clock.now()
        if vehicle.kind not in BOOKABLE:
            raise services.NotBookable
        today = clock.service_day(at)
        day = _day(request.GET.get("day", "")) or today
        day = min(max(day, today), today + datetime.timedelta(days=DAYS_AHEAD))
        slots, _busy = calendar_of(vehicle_id=vehicle.pk, day=day, at=at)
        hours = [
            {
                "words": formats.time_format(clock.local(slot.start), "H:i"),
                "free": slot.free,
                "address": _offer_address(vehicle=code, start=slot.start, end=slot.start + STEP),
            }
            for slot in slots
            if slot.end > at
        ]
        one = datetime.timedelta(days=1)
        before = day - one if day > today else None
        return self.show(vehicle=vehicle, day=day, before=before, after=day + one, hours=hours)


class OfferView(BookingPage):
    """`/bookings/offer/`: the whole price and the terms; the button books at that price."""

    template = "resident/ahead/offer.html"
    same_door = "api:bookings"

    def get(self, request: HttpRequest) -> HttpResponse:
        """What it would come to; asking holds nothing."""
        return self._page(WishForm(request.GET))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Book it; two taps are one booking."""
        form, at = WishForm(request.POST), clock.now()
        if not form.is_valid():
            return self._page(form, status=422)
        person = self.person

        def book() -> str:
            booked = services.book_car(
                user=person, wish=form.wish(at=at), at=at, by=person.principal
            )
            return reverse("resident:booking", args=[booked.public_id])

        try:
            return self.once(book)
        except DomainError as refusal:
            found = refusal.extra.get("reasons") or []
            reasons = [one for one in found if isinstance(one, dict)]
            return self._page(form, status=refusal.status, refusal=refusal, reasons=reasons)

    def _page(
        self,
        form: WishForm,
        *,
        status: int = 200,
        refusal: DomainError | None = None,
        reasons: list[Any] | None = None,
    ) -> HttpResponse:
        at = clock.now()
        told: dict[str, Any] = {"form": form, "reasons": reasons, "attempt": new_attempt()}
        told["refusals"] = span_sentences(refusal) if refusal else []
        if form.is_valid():
            try:
                offer = services.offer_booking(wish=form.wish(at=at), at=at)
            except DomainError as problem:
                # The same thing twice is no more help.
                told["refusals"] = told["refusals"] or span_sentences(problem)
                status = max(status, problem.status)
            else:
                told |= _priced(booking_quote_body(offer)) | {"offered": offer.vehicle}
                told["start"], told["end"] = shown(offer.wish.starts_at), shown(offer.wish.ends_at)
        told["in_the_way"] = _in_the_way(self.person.pk, at=at)
        return self.show(status=status, **told)


class OneBookingPage(BookingPage):
    """A page about one booking of the person's own."""

    template = "resident/ahead/booking.html"

    def page(
        self,
        booking: Booking,
        *,
        form: EndForm | None = None,
        found_form: FoundForm | None = None,
        status: int = 200,
        options: Any = (),
    ) -> HttpResponse:
        """The booking with what can be done about it now."""
        at = clock.now()
        open_now = booking.state in OPEN_BOOKINGS
        warnings = services.booking_warnings(booking=booking, at=at) if open_now else ()
        photos = StartPhoto.objects.filter(booking=booking, vehicle=booking.vehicle_id)
        return self.show(
            status=status,
            booking=booking,
            form=form or EndForm(initial={"end": wall(booking.ends_at)}),
            options=options,
            is_open=open_now,
            can_unlock=_can_unlock(booking, at=at),
            can_cancel=open_now and booking.state != BookingState.IN_USE,
            free=at < booking.free_until or booking.at_risk_since is not None,
            warnings=[with_way(one) for one in warnings],
            photos=list(photos.select_related("file").order_by("pk")),
            takes_photos=takes_start_photos(claim=booking, at=at),
            found_form=found_form or FoundForm(),
            page={
                "signed_in": True,
                "login_url": reverse("account_login"),
                "texts": texts.rendered(),
                "booking": str(booking.public_id),
            },
            **_priced(booking_body(booking)),
        )


class BookingView(OneBookingPage):
    """`/bookings/<id>/`: one booking, and what can be done about it now."""

    same_door = "api:bookings"

    def get(self, request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
        """Times, car, price, terms, warnings."""
        return self.page(self.booking(public_id))

    def post(self, request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
        """Let it end at another time; where somebody else is next, say what can be done."""
        booking, form = self.booking(public_id), EndForm(request.POST)
        if not form.is_valid():
            return self.page(booking, form=form, status=422)
        try:
            services.resize_booking(
                booking_id=booking.pk,
                ends_at=form.cleaned_data["end"],
                may_move=form.cleaned_data["may_move"],
                at=clock.now(),
                by=self.person.principal,
            )
        except services.ExtensionBlocked as refusal:
            form.add_error("end", refusal.detail)
            options = [_option(one) for one in refusal.extra["options"]]
            fresh = self.booking(public_id)
            return self.page(fresh, form=form, status=refusal.status, options=options)
        except DomainError as refusal:
            for sentence in span_sentences(refusal):
                form.add_error("end", sentence)
            return self.page(self.booking(public_id), form=form, status=refusal.status)
        return self.done(_("Your booking has been changed."), request.path)


class FoundView(OneBookingPage):
    """`/bookings/<id>/photos/`"""

    same_door = "api:booking-photos"

    def post(self, request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
        """Send a photo of the car as it was found."""
        booking, form = self.booking(public_id), FoundForm(request.POST, request.FILES)
        if not form.is_valid():
            return self.page(booking, found_form=form, status=422)
        try:
            add_start_photo(
                claim=booking,
                data=image_bytes(form.cleaned_data["photo"]),
                note=form.cleaned_data["note"],
                at=clock.now(),
                by=self.person.principal,
            )
        except DomainError as refusal:
            form.add_error("photo", refusal.detail)
            return self.page(booking, found_form=form, status=refusal.status)
        return self.done(_("Thank you. The photo has arrived."), f"{self.way_back()}#found")

    def way_back(self) -> str:
        """The booking itself."""
        return reverse("resident:booking", kwargs=self.kwargs)


class CancelBookingView(BookingPage):
    """`/bookings/<id>/cancel/`"""

    same_door = "api:bookings"

    def post(self, request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
        """Give the car back."""
        booking = self.booking(public_id)
        done = services.cancel_booking(
            booking_id=booking.pk, at=clock.now(), by=self.person.principal
        )
        free = done.state == BookingState.CANCELLED_FREE
        words = _("Cancelled. It costs you nothing.") if free else _("Cancelled.")
        return self.done(words, reverse("resident:bookings"))

    def way_back(self) -> str:
        """The booking itself."""
        return reverse("resident:booking", kwargs=self.kwargs)


def _offers(form: SpanForm, *, at: datetime.datetime) -> list[dict[str, Any]]:
    """Every class: how many are free, the whole price, and the cars themselves, best charged first."""
    told, place = form.cleaned_data, place_of(form.cleaned_data["place"])
    found = []
    for one in booking_classes(at=at):
        cars = free_cars(
            organisation_id=one.organisation.pk,
            starts_at=told["start"],
            until=spans.hold_until(told["end"], policy=policy_of(one.organisation.pk)),
            type_id=one.type.pk,
            range_needed_m=form.range_m,
            place=place,
            at=at,
        )
        common = {
            "start": told["start"],
            "end": told["end"],
            "place": told["place"],
            "range_km": told["range_km"],
        }
        found.append(
            {
                "one": one,
                "free": len(cars),
                "total_cents": _total(one, told["start"], told["end"]),
                "address": _offer_address(car_class=one.ref, **common),
                "cars": [
                    {
                        "car": car,
                        "address": _offer_address(vehicle=car.vehicle.code, **common),
                        "km": car.range_m // 1000 if car.range_m else None,
                    }
                    for car in cars[:CARS_SHOWN]
                ],
            }
        )
    return found


def _total(one: BookingClass, start: datetime.datetime, end: datetime.datetime) -> int:
    minutes = -(-int((end - start).total_seconds()) // 60)
    return total_cents(estimate(fare=one.fare, minutes=minutes, at=start))


def _offer_address(*, start: datetime.datetime, end: datetime.datetime, **told: Any) -> str:
    query = {"start": shown(start), "end": shown(end), **told}
    return f"{reverse('resident:offer')}?{urlencode({k: v for k, v in query.items() if v})}"


def _priced(body: dict[str, Any]) -> dict[str, Any]:
    """A booking or an offer with the names of its lines."""
    bill = body["quote"]["estimate"]
    lines = [{"name": line_name(line["kind"]), **line} for line in bill["lines"]]
    return {"body": body, "lines": lines, "hours": body["minutes"] / 60}


def _option(option: dict[str, Any]) -> dict[str, Any]:
    if option["option"] != "until":
        return {"may_move": True}
    end = datetime.datetime.fromisoformat(option["end"])
    return {"end": end, "value": shown(end)}


def _can_unlock(booking: Booking, *, at: datetime.datetime) -> bool:
    return booking.state == BookingState.WINDOW_OPEN and at >= spans.opens_at(
        booking.starts_at, policy=policy_of(booking.organisation_id)
    )


def _in_the_way(user_id: int, *, at: datetime.datetime) -> list[dict[str, Any]]:
    """What keeps the person from driving any operator's car; empty when one of them would do."""
    cars = Vehicle.objects.filter(life_state=LifeState.IN_SERVICE, type__kind__in=BOOKABLE)
    found = [
        obstacles(user_id=user_id, organisation_id=operator, kind=Kind.CAR, at=at)
        for operator in sorted(
            set(cars.order_by().values_list("organisation", flat=True).distinct())
        )
    ]
    if not found or not all(any(one.blocking for one in each) for each in found):
        return []
    return [with_way(one) for one in found[0]]


def _day(text: str) -> datetime.date | None:
    try:
        return dateparse.parse_date(text)
    except ValueError:
        return None
