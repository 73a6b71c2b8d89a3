"""What every page of the desk knows: which of its pages this person may open."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from bookings.support.models import ANSWERERS
from mobility.accounts.models import User
from mobility.accounts.states import Role

# Who answers for what colleagues do; a crew's members do not look over each other's shoulder.
TRAIL_READERS = (Role.FLEET_OPERATOR, Role.CHARGE_POINT_OPERATOR, Role.CITY_OFFICER)
FLEET = (Role.FLEET_OPERATOR, Role.CREW)


def desk_roles(request: HttpRequest) -> dict[str, Any]:
    """`desk_roles.fleet`, `.zones` and the like, asked only by templates that show them."""
    return {"desk_roles": SimpleLazyObject(lambda: _roles(request))}


def _roles(request: HttpRequest) -> dict[str, bool]:
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return {}
    return {
        "fleet": user.has_role(*FLEET),
        "zones": user.has_role(*FLEET, Role.CITY_OFFICER),
        "support": user.has_role(*ANSWERERS),
        "trail": user.has_role(*TRAIL_READERS),
        "chargers": user.has_role(Role.CHARGE_POINT_OPERATOR),
    }
