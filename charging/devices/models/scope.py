"""Rows that hang on a station: their operator's business."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db import models

from charging.stations.scoping import operated_by

if TYPE_CHECKING:
    from mobility.accounts.scoping import Person

Row = TypeVar("Row", bound=models.Model)


class OfStation(models.QuerySet[Row]):
    """Rows by the operator of their station."""

    def visible_to(self, user: Person) -> Self:
        """What this person may see."""
        return self.filter(operated_by(user, site="station__site"))

    def run_by(self, user: Person, *roles: str) -> Self:
        """The rows of the organisations in which this person has one of `roles`."""
        if isinstance(user, AnonymousUser) or not user.is_active:
            return self.none()
        if user.is_superuser:
            return self.all()
        return self.filter(station__site__organisation__in=user.organisations_as(*roles))
