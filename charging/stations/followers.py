"""Features above that keep books about commands: told in the transaction that queues or ends one.

A job, a report or a charging profile is one fact with its command; an event would come later and
leave a moment in which one is there without the other. A follower may refuse a command by raising
a `DomainError` when it is queued.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from charging.stations.models import StationCommand

Follower = Callable[["StationCommand", datetime], None]

_queued: defaultdict[str, list[Follower]] = defaultdict(list)
_finished: defaultdict[str, list[Follower]] = defaultdict(list)


def follow(
    actions: Collection[str],
    *,
    queued: Follower | None = None,
    finished: Follower | None = None,
) -> None:
    """Call `queued(command, at)` and `finished(command, at)` for commands of these actions."""
    for action in actions:
        if queued is not None:
            _queued[action].append(queued)
        if finished is not None:
            _finished[action].append(finished)


def tell_queued(command: StationCommand, *, at: datetime) -> None:
    """A command was written down; in the caller's transaction."""
    for follower in _queued[command.action]:
        follower(command, at)


def tell_finished(command: StationCommand, *, at: datetime) -> None:
    """A command is over, however; in the caller's transaction."""
    for follower in _finished[command.action]:
        follower(command, at)
