"""What the database driver must do differently."""

import psycopg
from psycopg.types.numeric import Int2, Int2Dumper, Int4, Int4Dumper, Int8, Int8Dumper


def refuse_numbers_too_large() -> None:
    """Send whole numbers as text, so that PostgreSQL refuses one that its column cannot hold.

    In binary, what psycopg prefers, it would silently cut off the upper bits.
    """
    for number, dumper in ((Int2, Int2Dumper), (Int4, Int4Dumper), (Int8, Int8Dumper)):
        psycopg.adapters.register_dumper(number, dumper)
