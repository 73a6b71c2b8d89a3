"""Classes of cars that can be booked: one type of one operator, at one price."""

import dataclasses
import datetime

from django.utils.translation import gettext_lazy as _

from bookings.pricing.queries import fares_in_force
from bookings.pricing.rules import Fare
from bookings.reservations.rules import BOOKABLE
from fleet.vehicles.models import Vehicle, VehicleType
from fleet.vehicles.states import LifeState
from mobility.accounts.models import Organisation
from mobility.core.errors import NotFound


class BookingClassNotFound(NotFound):
    """No such class of cars, or none of it in service."""

    code = "booking_class_not_found"
    message = _("There is no such class of cars.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class BookingClass:
    """A type of car of an operator, and what it costs."""

    organisation: Organisation
    type: VehicleType
    fare: Fare

    @property
    def ref(self) -> str:
        """How the API names it."""
        return f"{self.organisation.slug}:{self.type.code}"


def booking_classes(*, at: datetime.datetime) -> list[BookingClass]:
    """Every class of which a car is in service and that has a price, in a stable order."""
    pairs = (
        Vehicle.objects.filter(life_state=LifeState.IN_SERVICE, type__kind__in=BOOKABLE)
        .order_by("organisation__slug", "type__code")
        .values_list("organisation", "type")
        .distinct()
    )
    known = list(pairs)
    book = fares_in_force(at=at) if known else {}
    owners = Organisation.objects.in_bulk([owner for owner, _type in known])
    types = VehicleType.objects.in_bulk([type_id for _owner, type_id in known])
    classes = []
    for owner_id, type_id in known:
        priced = book.get((owner_id, types[type_id].kind))
        if priced is not None:
            classes.append(
                BookingClass(organisation=owners[owner_id], type=types[type_id], fare=priced.fare)
            )
    return classes


def booking_class(ref: str, *, at: datetime.datetime) -> BookingClass:
    """The class that the API names so; raises `BookingClassNotFound`."""
    for one in booking_classes(at=at):
        if one.ref == ref:
            return one
    raise BookingClassNotFound
