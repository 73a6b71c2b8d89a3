"""What the database driver must do differently, and how a verb joins its caller's transaction."""

from contextlib import AbstractContextManager, nullcontext

import psycopg
from django.db import connection, transaction
from psycopg.types.numeric import Int2, Int2Dumper, Int4, Int4Dumper, Int8, Int8Dumper


def refuse_numbers_too_large() -> None:
    """Send whole numbers as text, so that PostgreSQL refuses one that its column cannot hold.

    In binary, what psycopg prefers, it would silently cut off the upper bits.
    """
    for number, dumper in ((Int2, Int2Dumper), (Int4, Int4Dumper), (Int8, Int8Dumper)):
        psycopg.adapters.register_dumper(number, dumper)


def joined() -> AbstractContextManager[None]:
    """The caller's transaction, or one of its own.

    For a verb that can be refused only before it writes anything: there is nothing to take back, so
    it costs no savepoint, and a caller that catches the refusal goes on in its transaction.
    """
    return nullcontext() if connection.in_atomic_block else transaction.atomic()
