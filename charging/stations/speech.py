"""Whether a command can be said to a station at all, asked before it is queued.

The protocol's room is above this one and registers what it can say; a station that was never
connected speaks nothing yet, and nothing is known to be impossible.

DomainError
├── Conflict  CommandImpossible
└── Invalid   CommandMalformed
"""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext_lazy as _

from charging.stations.facts import CommandToSend
from mobility.core.errors import Conflict, Invalid


class CommandImpossible(Conflict):
    """The station's protocol has no word for it; `extra["reason"]` says what is in the way."""

    code = "command_impossible"
    message = _("This station cannot be asked that in %(version)s: %(reason)s.")


class CommandMalformed(Invalid):
    """The command's arguments are none that its action has; `extra["reason"]` says which."""

    code = "command_malformed"
    message = _("The arguments do not fit the command: %(reason)s.")


Speaker = Callable[[CommandToSend], None]
_speakers: dict[str, Speaker] = {}


def register(version: str, speaker: Speaker) -> None:
    """Let `speaker(command)` raise CommandImpossible or CommandMalformed for a version."""
    _speakers[version] = speaker


def check(command: CommandToSend, *, version: str) -> None:
    """Raise CommandImpossible or CommandMalformed where the version cannot say the command."""
    speaker = _speakers.get(version)
    if speaker is not None:
        speaker(command)
