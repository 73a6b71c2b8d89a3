"""Cursors that are used again, and send what has been prepared without a detour.

Making a cursor costs more than half of what a short statement does in this process, so that a
connection keeps those it has made: each has one user at a time.

A statement that comes again is prepared by psycopg. From then on it needs nothing of what psycopg
looks at before and after: its text is taken apart already, and what the values and the columns are
has been found out. `ReusableCursor` sends such a one straight.
"""

import functools
from typing import Any, NamedTuple

from django.db import InterfaceError
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.utils import CursorWrapper
from psycopg import generators
from psycopg._queries import _query2pg_nocache
from psycopg.adapt import Transformer
from psycopg.pq import ConnStatus, TransactionStatus
from psycopg.types.datetime import TimestamptzLoader

# How many texts a process keeps taken apart, and how long one may be: what is longer writes many rows
# at once, and hardly comes again. psycopg itself keeps 128, of 4,096 bytes at the most.
TEXTS = 1_000
LONGEST = 16_384


# The stubs do not know that it is a cursor of psycopg.
_BY_PSYCOPG: Any = ServerBindingCursor


class _Text(NamedTuple):
    """A statement as the server takes it, and where its values go."""

    sql: bytes
    formats: Any
    # Names of the values in their order, None where they have only places.
    names: list[str] | None
    places: int


@functools.lru_cache(maxsize=TEXTS)
def _taken_apart(text: str) -> _Text:
    sql, formats, names, parts = _query2pg_nocache(text.encode(), "utf-8")
    return _Text(sql, formats, names, len(parts) - 1)


class ReusableCursor(ServerBindingCursor):
    """A cursor that can be used again when its user has done with it, on a connection in UTC.

    It reads moments in C; Django's own way parses each one in Python, to put any time zone on it.
    """

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        _BY_PSYCOPG.__init__(self, *args, **kwargs)
        self.adapters.register_loader("timestamptz", TimestamptzLoader)
        # What finds the forms of values and columns, and remembers what it found.
        self._forms = Transformer(self)

    def execute(self: Any, query: Any, params: Any = None, **how: Any) -> Any:
        """As psycopg does it, but straight if the statement is prepared."""
        if how or not self._is_sent_straight(query, params):
            _BY_PSYCOPG.execute(self, query, params, **how)
        return self

    def forget(self: Any) -> None:
        """Let go of the last result, which may be large."""
        self._reset()
        self._tx.set_pgresult(None)

    def _is_sent_straight(self: Any, query: Any, params: Any) -> bool:
        """Whether the statement was prepared, and so has been executed; if not, nothing has been done."""
        if type(query) is not str or not params or len(query) > LONGEST:
            return False
        text = _taken_apart(query)
        values = _in_order(text, params)
        connection, prepared = self._conn, self._conn._prepared
        if values is None or prepared._to_flush or connection._pipeline or self._closed:
            return False
        if self._pgconn.status != ConnStatus.OK:
            return False
        with connection.lock:
            given = self._forms.dump_sequence(values, text.formats)
            key = (text.sql, self._forms.types)
            name = prepared._names.get(key)
            if name is None:
                return False
            prepared._names.move_to_end(key)
            results = self._sent(name, given)
        self._keep(query, results)
        return True

    def _sent(self: Any, name: bytes, given: Any) -> Any:
        """The answer to a prepared statement; the first of a transaction opens it."""
        connection, pgconn = self._conn, self._pgconn
        if not connection._autocommit and pgconn.transaction_status == TransactionStatus.IDLE:
            connection.wait(connection._start_query())
        pgconn.send_query_prepared(name, given, param_formats=self._forms.formats)
        return connection.wait(generators.execute(pgconn))

    def _keep(self: Any, query: str, results: Any) -> None:
        """Make an answer the one that is read from here on."""
        self._reset()
        self._tx, self._last_query = self._forms, query
        self._check_results(results)
        self._set_results(results)


def _in_order(text: _Text, params: Any) -> Any:
    """The values in the order of the statement; None if they do not fit, which psycopg says better."""
    if text.names is None:
        fits = type(params) in (list, tuple) and len(params) == text.places
        return params if fits else None
    if type(params) is not dict or not all(name in params for name in text.names):
        return None
    return [params[name] for name in text.names]


class KeptCursor(CursorWrapper):
    """Django's cursor around one that goes back to its connection instead of being closed.

    What every statement passes is spelled out: Django makes a function anew for each row that is asked for.
    """

    cursor: Any
    db: Any

    def execute(self, sql: Any, params: Any = None) -> Any:
        """As Django does it, without going about where nobody listens in."""
        db = self.db
        if params is None or db.execute_wrappers or db.needs_rollback:
            return super().execute(sql, params)
        with db.wrap_database_errors:
            return self.cursor.execute(sql, params)

    def fetchone(self) -> Any:
        """The next row, None after the last."""
        with self.db.wrap_database_errors:
            return self.cursor.fetchone()

    def fetchall(self) -> Any:
        """All rows that are left."""
        with self.db.wrap_database_errors:
            return self.cursor.fetchall()

    @property
    def rowcount(self) -> int:
        """How many rows the last statement found or wrote."""
        return int(self.cursor.rowcount)

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
