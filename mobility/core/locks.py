"""Advisory locks of PostgreSQL: one worker at a time, without a row to lock."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

# Kept only so that the connections live as long as the process.
_held_for_life: list[psycopg.Connection] = []


def lock_key(name: str) -> int:
    """A stable signed 64-bit key for a lock's name."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), signed=True)


@contextmanager
def try_advisory(name: str) -> Iterator[bool]:
    """Hold the lock `name` for the block if nobody has it; yields whether we got it, never waits.

    The lock belongs to the database session and so falls with the process that held it.
    """
    key = lock_key(name)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        row = cursor.fetchone()
        held = bool(row and row[0])
    try:
        yield held
    finally:
        if held:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


class StillHeld(Exception):
    """Somebody kept the lock for longer than we wanted to wait."""


@contextmanager
def turn(name: str, *, patience_s: float) -> Iterator[None]:
    """Wait for the lock `name` and hold it for the block, over as many transactions as that takes.

    Like `try_advisory` it falls with the database session. Raises `StillHeld` after `patience_s`.
    """
    key = lock_key(name)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{patience_s:.0f}s"])
            cursor.execute("SELECT pg_advisory_lock(%s)", [key])
    except OperationalError as problem:
        if isinstance(problem.__cause__, LockNotAvailable):
            raise StillHeld(name) from problem
        raise
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


def refuse_transaction(deed: str) -> None:
    """Raise `RuntimeError` inside a transaction: `deed` talks to others, and what they did stays done.

    The transaction that a test wraps around everything does not count.
    """
    blocks = connection.atomic_blocks
    # Django marks its own so, without a public name for it.
    if blocks and not getattr(blocks[-1], "_from_testcase", False):
        raise RuntimeError(f"{deed} must not run inside a transaction")


def advisory(*names: str) -> None:
    """Wait for the locks `names` and keep them until the surrounding transaction ends.

    Of several each caller waits in the same order, so that no two wait for each other.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("a transaction lock needs transaction.atomic()")
    keys = sorted({lock_key(name) for name in names})
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(key) FROM unnest(%s::bigint[]) key", [keys])


def hold_for_life(name: str) -> None:
    """Wait for the lock `name` on a connection of its own and keep it until this process ends."""
    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    parameters.pop("context", None)
    holder = psycopg.connect(**parameters, autocommit=True)
    holder.execute("SELECT pg_advisory_lock(%s)", [lock_key(name)])
    _held_for_life.append(holder)
