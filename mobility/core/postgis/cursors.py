"""Cursors that are used again.

Making a cursor costs more than half of what a short statement does in this process, so that a
connection keeps those it has made: each has one user at a time.
"""

from typing import Any

from django.db import InterfaceError
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.utils import CursorWrapper
from psycopg.types.datetime import TimestamptzLoader


class ReusableCursor(ServerBindingCursor):
    """A cursor that can be used again when its user has done with it, on a connection in UTC.

    It reads moments in C; Django's own way parses each one in Python, to put any time zone on it.
    """

    # The stubs do not know that it is a cursor of psycopg.
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        ServerBindingCursor.__init__(self, *args, **kwargs)
        self.adapters.register_loader("timestamptz", TimestamptzLoader)

    def forget(self: Any) -> None:
        """Let go of the last result, which may be large."""
        self._reset()
        self._tx.set_pgresult(None)


class KeptCursor(CursorWrapper):
    """Django's cursor around one that goes back to its connection instead of being closed."""

    cursor: Any
    db: Any

    def close(self) -> None:
        """Give the cursor back; whoever goes on using this one is refused, as with a closed one."""
        cursor, self.cursor = self.cursor, CLOSED
        self.db.put_to_rest(cursor)


class _Closed:
    """What a kept cursor holds when it has been closed."""

    def close(self) -> None:
        """Closing twice is closing once."""

    def __getattr__(self, name: str) -> Any:
        raise InterfaceError("the cursor is closed")


# Instead of the cursor, for whoever has closed theirs.
CLOSED = _Closed()
