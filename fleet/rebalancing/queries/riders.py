"""Asking those above what riders were asked to do: plans know neither offers nor riders."""

from __future__ import annotations

import datetime
from collections import defaultdict
from typing import Protocol

from fleet.rebalancing.rules.riders import RiderWork


class Source(Protocol):
    """Whoever asks riders for something says what is expected of them."""

    def __call__(
        self, *, organisation_id: int, city_id: int, at: datetime.datetime
    ) -> RiderWork: ...


_sources: list[Source] = []


def expects_of_riders(source: Source) -> Source:
    """Let a function say what riders are expected to do; once, when the app is ready."""
    _sources.append(source)
    return source


def rider_work(*, organisation_id: int, city_id: int, at: datetime.datetime) -> RiderWork:
    """All that riders of an operator are expected to bring and take in a city."""
    bringing: defaultdict[str, defaultdict[int, float]] = defaultdict(lambda: defaultdict(float))
    taking: dict[int, float] = {}
    for source in _sources:
        told = source(organisation_id=organisation_id, city_id=city_id, at=at)
        for kind, cells in told.bringing.items():
            for cell, expected in cells.items():
                bringing[kind][cell] += expected
        taking.update(told.taking)
    return RiderWork(bringing=bringing, taking=taking)
