"""Tenancy: who sees which rows. Every queryset of the house answers `visible_to(user)`."""

from typing import Any, ClassVar, Self, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db import models

from mobility.accounts.models import User

Person = User | AnonymousUser
Row = TypeVar("Row", bound=models.Model)


class OrganisationScoped(models.QuerySet[Row]):
    """Rows that belong to an organisation, directly or through their parents.

    Subclasses say by `organisation_path` where the organisation stands, and by `staff_roles` which
    roles in it see the rows.
    """

    organisation_path: ClassVar[str] = "organisation"
    staff_roles: ClassVar[frozenset[str]] = frozenset()

    def visible_to(self, user: Person) -> Self:
        """The rows of the organisations in which `user` has one of `staff_roles`."""
        if isinstance(user, AnonymousUser) or not user.is_active:
            return self.none()
        if user.is_superuser:
            return self.all()
        organisations = user.organisations_as(*self.staff_roles)
        if not organisations:
            return self.none()
        condition: dict[str, Any] = {f"{self.organisation_path}__in": organisations}
        return self.filter(**condition)

    def run_by(self, user: Person, *roles: str) -> Self:
        """The rows of the organisations in which `user` has one of `roles`: theirs to act on."""
        if isinstance(user, AnonymousUser) or not user.is_active:
            return self.none()
        if user.is_superuser:
            return self.all()
        condition: dict[str, Any] = {f"{self.organisation_path}__in": user.organisations_as(*roles)}
        return self.filter(**condition)


class Everybodys(models.QuerySet[Row]):
    """Rows that everybody may read: the city's public facts."""

    def visible_to(self, user: Person) -> Self:
        """All rows, for anybody."""
        return self.all()
