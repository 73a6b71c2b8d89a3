"""What makes a site's plan old, and what guards and follows charging profiles."""

from __future__ import annotations

from datetime import datetime

from charging.energy import services
from charging.energy.events import SiteLoadChanged
from charging.energy.queries import is_any_site_managed, managed_site_of
from charging.sessions.events import SessionEnded, SessionStarted
from charging.stations.followers import follow
from charging.stations.states import CommandAction
from mobility.core import outbox

follow(
    [CommandAction.SET_PROFILE],
    queued=services.guard_profile,
    finished=services.note_profile_answer,
)
follow([CommandAction.CLEAR_PROFILE], queued=services.guard_profile)


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
