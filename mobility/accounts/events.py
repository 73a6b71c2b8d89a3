"""Facts about people's accounts."""

import dataclasses
from typing import ClassVar

from mobility.core.outbox import Event


@dataclasses.dataclass(frozen=True)
class ConsentWithdrawn(Event):
    """A person agrees no longer; whoever keeps something on its strength lets it go."""

    name: ClassVar = "mobility.consent_withdrawn.v1"
    user: str
    topic: str


@dataclasses.dataclass(frozen=True)
class PersonErased(Event):
    """An account was closed and its data erased; `user` means nothing to anybody any more."""

    name: ClassVar = "mobility.person_erased.v1"
    user: str
