"""Connections that remember more statements, use cursors again, and are looked at before use instead of asked.

Values travel beside the statement and are bound by the server, which takes so many and no more:
writes of many rows are cut into as many statements as that wants.
"""

import datetime
import select
from _thread import get_ident
from collections.abc import Sequence
from typing import Any

import psycopg
from django.conf import settings
from django.contrib.gis.db.backends.postgis import base
from django.contrib.gis.db.backends.postgis.operations import PostGISOperations
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.utils import CursorWrapper
from psycopg.pq import ConnStatus, TransactionStatus

from mobility.core.postgis.cursors import CLOSED, KeptCursor, ReusableCursor

# A ride alone takes some eighty different statements, and every page and sweep has its own: of the 100
# that psycopg remembers by itself, many would be forgotten before their turn comes again.
STATEMENTS = 500
# How many cursors a connection keeps: more are open at once only while one query is read inside another.
RESTING = 4
# Of one statement; the wire protocol counts them in two bytes.
MOST_VALUES = 2**16 - 1


# The stubs know nothing of what is inside Django's own class.
_DJANGOS: Any = base.DatabaseWrapper


class DatabaseOperations(PostGISOperations):
    """What a statement can carry."""

    def bulk_batch_size(self, fields: Sequence[Any], objs: Sequence[Any]) -> int:
        """How many rows of these fields one statement takes."""
        return min(len(objs), MOST_VALUES // max(len(fields), 1))


class DatabaseWrapper(base.DatabaseWrapper):
    """One connection to PostgreSQL."""

    ops_class = DatabaseOperations

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.features.max_query_params = MOST_VALUES
        self._resting: list[Any] = []
        # Asked for each statement, and the same as long as the process lives.
        self._debugs = settings.DEBUG

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A connection whose prepared statements last, and whose cursors can be kept."""
        connection = super().get_new_connection(conn_params)
        connection.prepared_max = STATEMENTS
        if connection.cursor_factory is ServerBindingCursor and self.timezone is datetime.UTC:
            connection.cursor_factory = ReusableCursor
        return connection

    def prepare_database(self) -> None:
        """Cursors made before PostGIS was there know no geometries."""
        super().prepare_database()
        self._resting.clear()

    def ensure_timezone(self) -> bool:
        """Cursors know the time zone they were made for."""
        self._resting.clear()
        changed: bool = super().ensure_timezone()
        return changed

    def make_cursor(self, cursor: Any) -> CursorWrapper:
        """Kept if it is one of those that can be."""
        wrapper = KeptCursor if type(cursor) is ReusableCursor else CursorWrapper
        return wrapper(cursor, self)

    def put_to_rest(self, cursor: Any) -> None:
        """Keep a cursor that nobody uses any more, or close it."""
        if cursor is CLOSED or cursor._closed:
            return
        if len(self._resting) < RESTING and cursor._conn is self.connection:
            cursor.forget()
            self._resting.append(cursor)
        else:
            cursor.close()

    def _cursor(self: Any, name: str | None = None) -> Any:
        if name is None and self._resting and not (self.force_debug_cursor or self._debugs):
            # Both are looked at for each statement: asked here whether there is anything to look at.
            if self.health_check_enabled and not self.health_check_done:
                self.close_if_health_check_failed()
            cursor = self._resting.pop()
            if cursor._conn is self.connection:
                if self._thread_ident != get_ident():
                    self.validate_thread_sharing()
                return KeptCursor(cursor, self)
            self._resting.clear()
        return _DJANGOS._cursor(self, name)

    def _set_autocommit(self: Any, autocommit: bool) -> None:  # noqa: FBT001 - as Django calls it
        """Between transactions there is nobody to ask: psycopg would take a lock and wait for nothing."""
        known = self.connection
        if known is not None and known.pgconn.transaction_status == TransactionStatus.IDLE:
            known._autocommit = autocommit
        else:
            _DJANGOS._set_autocommit(self, autocommit)

    def is_usable(self) -> bool:
        """Whether a kept connection is still there, without a question to the server.

        Whatever ends a session, a restart or an administrator, closes its socket, and that can be
        seen from this side; what a network swallows no question would tell before its time-out.
        In a transaction that has failed it answers no question either.
        """
        try:
            ended = _has_ended(self.connection.pgconn)
        except psycopg.Error:
            return False
        return not ended and self.connection.info.transaction_status != TransactionStatus.INERROR


def _has_ended(pgconn: Any) -> bool:
    socket = select.poll()
    socket.register(pgconn.socket, select.POLLIN)
    # A server says farewell before it hangs up, and may have sent notices: read on to the end.
    while pgconn.status == ConnStatus.OK and socket.poll(0):
        pgconn.consume_input()
    return bool(pgconn.status != ConnStatus.OK)
