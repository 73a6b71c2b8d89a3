"""The words of support cases, and their declared moves."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mobility.core.transitions import Moves


class CaseKind(models.TextChoices):
    """What a person needs help with."""

    CANNOT_END = "cannot_end", _("I cannot end my ride")
    CANNOT_START = "cannot_start", _("It did not start")
    PRICE = "price", _("The price is wrong")
    PAYMENT = "payment", _("A payment or a refund")
    VEHICLE = "vehicle", _("Something is wrong with a vehicle")
    CHARGER = "charger", _("Something is wrong with a charger")
    NOT_MINE = "not_mine", _("This was not me")
    LOST_ITEM = "lost_item", _("I left something behind")
    OTHER = "other", _("Something else")


class CaseState(models.TextChoices):
    """`open` waits for us, `answered` for the person; `resolved` may be opened again for a while."""

    OPEN = "open", _("Waiting for us")
    ANSWERED = "answered", _("Waiting for you")
    RESOLVED = "resolved", _("Resolved")
    CLOSED = "closed", _("Closed")


class Resolution(models.TextChoices):
    """What came of it."""

    REFUNDED = "refunded", _("Money was given back")
    CORRECTED = "corrected", _("The price was corrected")
    REPAIRED = "repaired", _("It was repaired")
    EXPLAINED = "explained", _("It was explained")
    DECLINED = "declined", _("Nothing could be done")
    WITHDRAWN = "withdrawn", _("Withdrawn by the person")


CASE_MOVES: Moves = {
    CaseState.OPEN: frozenset({CaseState.ANSWERED, CaseState.RESOLVED}),
    CaseState.ANSWERED: frozenset({CaseState.OPEN, CaseState.RESOLVED}),
    CaseState.RESOLVED: frozenset({CaseState.OPEN, CaseState.CLOSED}),
    CaseState.CLOSED: frozenset(),
}

UNDERWAY = (CaseState.OPEN, CaseState.ANSWERED)
