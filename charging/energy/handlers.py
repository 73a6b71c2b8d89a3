"""What makes a site's plan old, and what guards and follows charging profiles."""

from __future__ import annotations

from datetime import datetime

from charging.energy import services
from charging.energy.events import NeedsTold, SiteLoadChanged
from charging.energy.queries import is_any_site_managed, managed_site_of
from charging.sessions.events import SessionEnded, SessionStarted
from charging.stations.events import StationCommandFinished
from charging.stations.followers import follow
from charging.stations.queries import find_command
from charging.stations.states import CommandAction
from mobility.core import outbox

follow([CommandAction.SET_PROFILE, CommandAction.CLEAR_PROFILE], queued=services.guard_profile)


def _is_ours(event: StationCommandFinished) -> bool:
    return event.action == CommandAction.SET_PROFILE and services.is_of_plan(event.purpose_ref)


@outbox.handles(StationCommandFinished, when=_is_ours)
def on_profile_answered(event: StationCommandFinished, *, at: datetime) -> None:
    """A station took a profile of ours, or did not."""
    command = find_command(public_id=event.command_id)
    if command is not None:
        services.note_profile_answer(command=command, at=at)


@outbox.handles(NeedsTold)
def on_needs_told(event: NeedsTold, *, at: datetime) -> None:
    """A vehicle's own wish becomes a demand."""
    services.take_needs(event=event, at=at)


@outbox.handles(SiteLoadChanged)
def on_site_load_changed(event: SiteLoadChanged, *, at: datetime) -> None:
    """Plan the site anew."""
    services.plan_site(site_id=event.site_id, at=at)


def _is_anything_shared(_event: SessionStarted | SessionEnded) -> bool:
    """Where nothing is shared out, sessions come and go without a thought of it."""
    return is_any_site_managed()


@outbox.handles(SessionStarted, when=_is_anything_shared)
def on_session_started(event: SessionStarted, *, at: datetime) -> None:
    """One more draws current at a site that is shared out."""
    _plan_around(event.station_identity, at=at)


@outbox.handles(SessionEnded, when=_is_anything_shared)
def on_session_ended(event: SessionEnded, *, at: datetime) -> None:
    """One less."""
    _plan_around(event.station_identity, at=at)


def _plan_around(identity: str, *, at: datetime) -> None:
    site_id = managed_site_of(identity=identity)
    if site_id is not None:
        services.plan_site(site_id=site_id, at=at)
