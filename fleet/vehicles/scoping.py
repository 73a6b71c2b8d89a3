"""Tenancy of fleet rows: an operator's staff see their own, the city's officer those in the city."""

from typing import ClassVar, Self, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

from mobility.accounts.scoping import Person
from mobility.accounts.states import Role

FLEET_STAFF = frozenset({Role.FLEET_OPERATOR, Role.CREW})

Row = TypeVar("Row", bound=models.Model)


class FleetScoped(models.QuerySet[Row]):
    """Rows that hang on an operator and, where `city_path` says so, on a city.

    The city sees vehicles and zones, and nothing of how an operator works with them.

    `staff_paths` name the organisations whose fleet staff see the row, `city_path` the one whose
    officer does.
    """

    staff_paths: ClassVar[tuple[str, ...]] = ("vehicle__organisation",)
    city_path: ClassVar[str] = ""

    def visible_to(self, user: Person) -> Self:
        """The rows this person may see; a resident sees none of the fleet's inner life."""
        if isinstance(user, AnonymousUser) or not user.is_active:
            return self.none()
        if user.is_superuser:
            return self.all()
        staff = user.organisations_as(*FLEET_STAFF)
        scope = Q(pk__in=[])
        for path in self.staff_paths if staff else ():
            scope |= Q(**{f"{path}__in": staff})
        officer = user.organisations_as(Role.CITY_OFFICER)
        if officer and self.city_path:
            scope |= Q(**{f"{self.city_path}__in": officer})
        return self.filter(scope)

    def run_by(self, user: Person, *roles: str) -> Self:
        """The rows whose operator this person works for in one of `roles`: theirs to act on.

        Narrower than `visible_to`: who sees a row as the city's officer does not act on it, even
        with a role in another fleet.
        """
        if isinstance(user, AnonymousUser) or not user.is_active:
            return self.none()
        if user.is_superuser:
            return self.all()
        scope = Q(pk__in=[])
        for path in self.staff_paths:
            scope |= Q(**{f"{path}__in": user.organisations_as(*roles)})
        return self.filter(scope)
