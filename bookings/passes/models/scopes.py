"""Who sees what is sold and handed out, and for which vehicles it is good."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from fleet.vehicles.states import Kind
from mobility.accounts.states import Role

OFFER_READERS = frozenset({Role.FLEET_OPERATOR, Role.CITY_OFFICER})
SELLERS = (Role.FLEET_OPERATOR,)


def good_for() -> ArrayField[Any, Any]:
    """A column of the kinds of vehicles that something is good for."""
    return ArrayField(
        models.CharField(max_length=20, choices=Kind.choices), verbose_name=_("vehicle kinds")
    )
