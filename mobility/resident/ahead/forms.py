"""What somebody wants to book, as they type it: the city's wall clock, a place, how far."""

import datetime
from typing import Any

from django import forms
from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from bookings.reservations import spans
from bookings.reservations.queries import Place, booking_class, vehicle_by_ref
from bookings.reservations.services import BookingSpanRefused, Wish
from bookings.reservations.wallclock import read_moment
from mobility.core import clock
from mobility.core.errors import DomainError, NotFound
from mobility.core.texts import pick
from mobility.geography.models import District, Hub
from mobility.resident.papers.forms import picture_field

METRES = 1000
MOST_KM = 2000
LONGEST = datetime.timedelta(days=31)
HALF_HOUR = datetime.timedelta(minutes=30)
USUAL = datetime.timedelta(hours=3)

SPAN_WORDS: dict[str, str | Promise] = {
    spans.IN_PAST: _("The beginning is in the past."),
    spans.NO_LENGTH: _("The end must come after the beginning."),
    spans.TOO_SHORT: _(
        "That is too short: a car is booked for %(shortest_minutes)s minutes or more."
    ),
    spans.TOO_LONG: _("That is too long: a car is booked for %(longest_hours)s hours at most."),
    spans.TOO_FAR: _("That is too far ahead: cars are booked up to %(days_ahead)s days before."),
}
# Where an end is changed nobody names the limits.
NO_LIMITS = {"shortest_minutes": "…", "longest_hours": "…", "days_ahead": "…"}


class MomentField(forms.CharField):
    """A moment on the city's clocks; one that comes twice is chosen from a list of both."""

    def __init__(self, **options: Any) -> None:
        """The browser's own calendar and clock: to the minute, or it would refuse an end that is kept."""
        kind = {"type": "datetime-local"}
        super().__init__(max_length=40, widget=forms.TextInput(attrs=kind), **options)

    def prepare_value(self, value: Any) -> Any:
        """The browser's field knows no offset: it is shown the city's clocks."""
        if not isinstance(value, str) or isinstance(self.widget, forms.Select):
            return value
        try:
            moment = datetime.datetime.fromisoformat(value.strip())
        except ValueError:
            return value
        return value if moment.tzinfo is None else wall(moment)

    def clean(self, value: Any) -> Any:
        """The instant; the two that a changed clock offers become the choices of the field."""
        typed = super().clean(value)
        try:
            return read_moment(typed)
        except DomainError as refusal:
            choices = refusal.extra.get("choices", [])
            if choices:
                self.widget = forms.Select(choices=[(one, _both(one)) for one in choices])
            raise forms.ValidationError(refusal.detail) from refusal


class SpanForm(forms.Form):
    """From when until when, where, how far; what was chosen goes along."""

    start = MomentField(label=_("From"))
    end = MomentField(label=_("Until"))
    place = forms.ChoiceField(label=_("Where"), required=False)
    range_km = forms.IntegerField(
        label=_("How far will you drive? (km, optional)"),
        required=False,
        min_value=1,
        max_value=MOST_KM,
        help_text=_("We leave out cars that would not make it."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """The places of the city."""
        super().__init__(*args, **kwargs)
        place: Any = self.fields["place"]
        place.choices = places()

    def clean(self) -> dict[str, Any]:
        """Nobody's policy allows an end before the beginning, or more than a month."""
        told = super().clean() or {}
        start, end = told.get("start"), told.get("end")
        if start and end and end <= start:
            self.add_error("end", str(SPAN_WORDS[spans.NO_LENGTH]))
        if start and end and end - start > LONGEST:
            self.add_error("end", _("Cars are not booked for so long."))
        return told

    @property
    def range_m(self) -> int | None:
        """How far the car has to go, in metres."""
        kilometres = self.cleaned_data["range_km"]
        return kilometres * METRES if kilometres else None


class WishForm(SpanForm):
    """And which car: this very one, or one of a class."""

    vehicle = forms.CharField(max_length=40, required=False, widget=forms.HiddenInput)
    car_class = forms.CharField(max_length=120, required=False, widget=forms.HiddenInput)

    def wish(self, *, at: datetime.datetime) -> Wish:
        """What the service is asked for, once the form is valid; raises what finding it raises."""
        told = self.cleaned_data
        if not (told["vehicle"] or told["car_class"]):
            raise NotFound
        return Wish(
            starts_at=told["start"],
            ends_at=told["end"],
            vehicle=vehicle_by_ref(told["vehicle"]) if told["vehicle"] else None,
            car_class=None if told["vehicle"] else booking_class(told["car_class"], at=at),
            place=place_of(told["place"]),
            range_m=self.range_m,
        )


class EndForm(forms.Form):
    """When a booking shall end instead."""

    end = MomentField(label=_("New end"))
    may_move = forms.BooleanField(
        label=_("Take another car that is as good, if this one is booked then"), required=False
    )


def wall(at: datetime.datetime) -> str:
    """The instant as the browser's field wants it, on the city's clocks."""
    return clock.local(at).strftime("%Y-%m-%dT%H:%M")


def usual_span(*, at: datetime.datetime) -> dict[str, str]:
    """What the form proposes: from the next half hour but one, for three hours."""
    past = datetime.timedelta(
        minutes=at.minute % 30, seconds=at.second, microseconds=at.microsecond
    )
    start = at - past + 2 * HALF_HOUR
    return {"start": wall(start), "end": wall(start + USUAL)}


def places() -> list[Any]:
    """Everywhere, hubs, districts: values that `place_of` reads."""
    hubs = [(f"hub:{one.code}", pick(one.name)) for one in Hub.objects.only("code", "name")]
    districts = District.objects.only("code", "name")
    names = [(f"district:{one.code}", pick(one.name)) for one in districts]
    return [
        ("", _("The whole city")),
        (_("Hubs"), sorted(hubs, key=lambda one: one[1])),
        (_("Districts"), sorted(names, key=lambda one: one[1])),
    ]


def place_of(value: str) -> Place:
    """The place of a choice of `places`."""
    kind, _colon, code = value.partition(":")
    if kind == "hub":
        return Place(hub=Hub.objects.filter(code=code).first())
    if kind == "district":
        return Place(district=District.objects.filter(code=code).first())
    return Place()


def span_sentences(refusal: DomainError) -> list[str]:
    """What is wrong with a span, each fault in a sentence."""
    if not isinstance(refusal, BookingSpanRefused):
        return [refusal.detail]
    limits = {**NO_LIMITS, **refusal.extra.get("limits", {})}
    return [str(SPAN_WORDS[code]) % limits for code in refusal.extra["reasons"]]


def _both(moment: str) -> str:
    at = datetime.datetime.fromisoformat(moment)
    return f"{formats.date_format(at, 'SHORT_DATE_FORMAT')} {at:%H:%M} (UTC{at:%z})"


class FoundForm(forms.Form):
    """What the driver sees on the car before driving it."""

    photo = picture_field(_("Photo of the damage"))
    note = forms.CharField(
        label=_("What do you see? (optional)"),
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
