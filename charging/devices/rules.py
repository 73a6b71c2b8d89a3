"""Pure rules of devices: parts in order, statuses in order, variables in handy portions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeGuard, TypeVar

Item = TypeVar("Item")


def gaps(*, seen: Collection[int], last: int | None) -> list[int]:
    """Which numbers are missing among parts counted from 0; `last` is the final one's, if it came.

    Without the final part nothing after the highest number seen is known to be missing.
    """
    end = last if last is not None else max(seen, default=-1)
    return [number for number in range(end + 1) if number not in seen]


def next_state(*, state: str, said: str, moves: Mapping[str, frozenset[str]]) -> str | None:
    """The state a job moves to by what its station said; None where it stays.

    A word of an earlier stage came late and takes nothing back; unknown words say nothing.
    """
    return said if said in moves.get(state, frozenset()) else None


def portions(items: Sequence[Item], *, size: int) -> Iterator[Sequence[Item]]:
    """Slices of at most `size` items (at least 1), in order."""
    step = max(size, 1)
    for start in range(0, len(items), step):
        yield items[start : start + step]


def list_changes(
    *, held: Mapping[str, Any], wanted: Mapping[str, Any]
) -> dict[str, dict[str, Any] | None]:
    """What turns the local list `held` into `wanted`: new and changed entries, None for gone ones."""
    changed = {uid: info for uid, info in wanted.items() if held.get(uid) != info}
    gone: Iterable[str] = (uid for uid in held if uid not in wanted)
    return {**changed, **dict.fromkeys(gone)}


def merged(*, held: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The list after `changes`; applying `list_changes` gives what was wanted."""
    both = {**held, **changes}
    return {uid: info for uid, info in both.items() if info is not None}


def as_limit(text: str | None, *, otherwise: int) -> int:
    """A limit that a station named as text; `otherwise` where it is none or not positive."""
    try:
        found = int(float(text)) if text else 0
    except (ValueError, OverflowError):
        return otherwise
    return found if found > 0 else otherwise


def is_whole(text: str | None) -> TypeGuard[str]:
    """Whether a text is a whole number from zero on."""
    return text is not None and text.strip().isascii() and text.strip().isdecimal()
