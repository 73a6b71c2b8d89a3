"""What the forms of a station's page ask, read and turned into one call each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _

from charging.certificates.services import raise_security_profile
from charging.desk import services
from charging.desk.forms import FirmwareForm, LogForm, ProfileForm, VariableForm
from charging.stations.models import ChargingStation, StationCommand
from charging.stations.services import rotate_password
from charging.tickets.models import StationTicket
from charging.tickets.services import close_ticket, leave_ticket, take_ticket
from charging.tickets.states import Outcome
from mobility.accounts.models import User
from mobility.core import ids
from mobility.core.principals import Principal


class NotAsked(Exception):
    """The form sent is none of the page's, or lacks something."""


Ask = Callable[..., Any]


def _rise(
    *, station: ChargingStation, at: datetime, by: Principal, profile: int, **_key: Any
) -> Any:
    return raise_security_profile(station_id=station.pk, profile=profile, at=at, by=by)


def _rotate(*, station: ChargingStation, at: datetime, by: Principal, **_key: Any) -> Any:
    return rotate_password(station_id=station.pk, at=at, by=by)


_QUESTIONS: Final[dict[str, tuple[type[forms.Form], Ask]]] = {
    "read_configuration": (forms.Form, services.read_configuration),
    "change_variable": (VariableForm, services.change_variable),
    "update_firmware": (FirmwareForm, services.update_firmware),
    "bring_log": (LogForm, services.bring_log),
    "raise_profile": (ProfileForm, _rise),
    "rotate_password": (forms.Form, _rotate),
}


def ask(
    *,
    station: ChargingStation,
    data: Mapping[str, Any],
    key: str,
    at: datetime,
    by: Principal,
) -> str:
    """Do what `data["question"]` and its fields ask; a sentence about it.

    Raises NotAsked, and what the services raise.
    """
    form_class, act = _QUESTIONS.get(str(data.get("question")), (None, None))
    if form_class is None or act is None:
        raise NotAsked
    form = form_class(data)
    if not form.is_valid():
        raise NotAsked
    done = act(station=station, idempotency_key=key, at=at, by=by, **form.cleaned_data)
    return " ".join(_sentence(one) for one in (done if isinstance(done, list) else [done]))


def see_to(
    *, ticket: StationTicket, deed: str, note: str, person: User, at: datetime
) -> StationTicket:
    """Do what a button beside a ticket says. Raises NotAsked, StillWrong, IllegalMove."""
    if deed == "take":
        return take_ticket(ticket_id=ticket.pk, person=person, at=at)
    if deed == "leave":
        return leave_ticket(ticket_id=ticket.pk, at=at, by=person.principal)
    if deed not in (Outcome.REPAIRED, Outcome.NO_FAULT):
        raise NotAsked
    return close_ticket(ticket_id=ticket.pk, outcome=deed, note=note, at=at, by=person.principal)


def _sentence(done: Any) -> str:
    if isinstance(done, StationCommand):
        return f"{done.get_action_display()}: {done.get_state_display()}."
    return _("Noted.")


def key_of(request: HttpRequest) -> str:
    """One command for one button, however often it is pressed; several sessions share a form."""
    told = request.POST.get("key") or str(ids.uuid7())
    return ":".join(filter(None, [told, request.POST.get("session")]))[:120]
