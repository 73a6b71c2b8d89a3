"""Who of the staff acts on which fleet."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError

from fleet.vehicles.scoping import FLEET_STAFF
from mobility.accounts.models import Organisation, User
from mobility.accounts.states import Role
from mobility.core.errors import Forbidden

STAFF = tuple(sorted(FLEET_STAFF))


class NotYourFleet(Forbidden):
    code = "not_your_fleet"
    message = _("You do not run this fleet.")


def own_fleet(user: User, *, slug: str | None) -> int:
    """The organisation to plan for: the one named, or the only one this person runs."""
    own = Organisation.objects.filter(pk__in=user.organisations_as(Role.FLEET_OPERATOR))
    if user.is_superuser:
        own = Organisation.objects.all()
    chosen = list(own.filter(slug=slug) if slug else own[:2])
    if len(chosen) > 1:
        raise ValidationError({"organisation": [_("Say for which of your fleets.")]})
    if not chosen:
        raise NotYourFleet
    return chosen[0].pk


def runs(user: User, *, organisation_id: int) -> bool:
    """Whether this person decides about the plans of an operator."""
    return user.is_superuser or organisation_id in user.organisations_as(Role.FLEET_OPERATOR)
