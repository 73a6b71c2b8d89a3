"""The life of a ticket: what is wrong with a charger, and who sees to it."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class TicketKind(models.TextChoices):
    """What is wrong."""

    FAULT = "fault", _("Faulted")
    OFFLINE = "offline", pgettext_lazy("station", "Silent")


class TicketState(models.TextChoices):
    """Where it stands.

    open     nobody sees to it yet; closes by itself when the charger has been well for a while
    in_work  somebody took it, and closes it
    closed   over; the next fault is a ticket of its own
    """

    OPEN = "open", pgettext_lazy("ticket", "Open")
    IN_WORK = "in_work", _("Being worked on")
    CLOSED = "closed", pgettext_lazy("ticket", "Closed")


TICKET_MOVES: Final[dict[str, frozenset[str]]] = {
    TicketState.OPEN: frozenset({TicketState.IN_WORK, TicketState.CLOSED}),
    TicketState.IN_WORK: frozenset({TicketState.OPEN, TicketState.CLOSED}),
    TicketState.CLOSED: frozenset(),
}


class Outcome(models.TextChoices):
    """How it ended."""

    RECOVERED = "recovered", _("Recovered by itself")
    REPAIRED = "repaired", _("Repaired")
    NO_FAULT = "no_fault", _("Nothing found")
