"""Who may see the money of an organisation."""

from typing import TYPE_CHECKING, Any, Self, TypeVar

from django.db import models
from django.db.models import Q

from mobility.accounts.states import Role

if TYPE_CHECKING:
    from mobility.accounts.models import User

Row = TypeVar("Row", bound=models.Model)

# Who may see the money of an organisation.
MONEY_READERS = (Role.FLEET_OPERATOR, Role.CHARGE_POINT_OPERATOR)


class MoneyQuerySet(models.QuerySet[Row]):
    """Rows that belong to a person and to the organisation that issued them."""

    def visible_to(self, user: "User") -> Self:
        """A person's own, and for staff those of the organisations whose money they look after."""
        if user.is_superuser:
            return self
        model: Any = self.model
        owner, organisation = model.owner_path, model.organisation_path
        theirs = Q(**{f"{organisation}__in": user.organisations_as(*MONEY_READERS)})
        return self.filter(Q(**{owner: user}) | theirs) if owner else self.filter(theirs)
