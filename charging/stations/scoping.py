"""Whose rows are whose: the operator of a site, and the officer of the city it stands in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q

from mobility.accounts.states import Role

if TYPE_CHECKING:
    from mobility.accounts.scoping import Person


def operated_by(user: Person, *, site: str = "") -> Q:
    """Rows whose site (reached by the lookup path `site`) this person operates."""
    if isinstance(user, AnonymousUser) or not user.is_active:
        return Q(pk__in=[])
    if user.is_superuser:
        return Q()
    prefix = f"{site}__" if site else ""
    own = user.organisations_as(Role.CHARGE_POINT_OPERATOR)
    return Q(**{f"{prefix}organisation__in": own})


def operates(user: Person, *, organisation_id: int) -> bool:
    """Whether this person operates the sites of that organisation: `operated_by` for one row."""
    if isinstance(user, AnonymousUser) or not user.is_active:
        return False
    own = user.organisations_as(Role.CHARGE_POINT_OPERATOR)
    return user.is_superuser or organisation_id in own


def seen_by(user: Person, *, site: str = "") -> Q:
    """Rows whose site this person operates, or that stand in the city whose officer they are.

    For the hardware itself; what happens on it (sessions, commands) is the operator's business.
    """
    scope = operated_by(user, site=site)
    if isinstance(user, AnonymousUser) or not user.is_active or user.is_superuser:
        return scope
    prefix = f"{site}__" if site else ""
    in_city = user.organisations_as(Role.CITY_OFFICER)
    return scope | Q(**{f"{prefix}city__organisation__in": in_city})
