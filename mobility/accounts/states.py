"""The words of accounts: roles people have and kinds of organisations."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mobility.core.transitions import Moves


class Role(models.TextChoices):
    """What a person may be within an organisation; everybody with an account is a resident besides."""

    RESIDENT = "resident", _("resident")
    FLEET_OPERATOR = "fleet_operator", _("fleet operator")
    CREW = "crew", _("van crew")
    CHARGE_POINT_OPERATOR = "charge_point_operator", _("charge-point operator")
    CITY_OFFICER = "city_officer", _("city officer")


STAFF_ROLES = frozenset(
    {Role.FLEET_OPERATOR, Role.CREW, Role.CHARGE_POINT_OPERATOR, Role.CITY_OFFICER}
)


class OrganisationKind(models.TextChoices):
    """What an organisation does in the city; one may do several things through several organisations."""

    CITY = "city", _("city")
    FLEET_OPERATOR = "fleet_operator", _("fleet operator")
    CHARGE_POINT_OPERATOR = "charge_point_operator", _("charge-point operator")


class ConsentTopic(models.TextChoices):
    """What a person may agree to, or not; nobody needs any of them to ride."""

    MARKETING = "marketing", _("news and offers")
    RESEARCH = "research", _("use of my trips in studies")
    REDUCED_MOBILITY = "reduced_mobility", _("that I told about reduced mobility")


class PrivacyKind(models.TextChoices):
    """What a person may ask of us about their data (GDPR articles 15, 20 and 17)."""

    EXPORT = "export", _("a copy of my data")
    ERASE = "erase", _("erasure of my data")


class PrivacyState(models.TextChoices):
    """How far the answer is."""

    ASKED = "asked", _("asked")
    DONE = "done", _("done")


PRIVACY_MOVES: Moves = {
    PrivacyState.ASKED: frozenset({PrivacyState.DONE}),
    PrivacyState.DONE: frozenset(),
}
