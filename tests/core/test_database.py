"""How the house holds on to its database."""

import datetime

import pytest
from django.db import (
    DataError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    connection,
    transaction,
)
from django.db.backends.postgresql.base import ServerBindingCursor

from mobility.core import clock
from mobility.core.models import OutboxEvent


def test_a_database_that_vanished_is_noticed_before_a_charger_gives_up() -> None:
    known = connection.get_connection_params()
    silence_s = known["keepalives_idle"] + known["keepalives_interval"] * known["keepalives_count"]
    assert silence_s <= 25
    assert known["tcp_user_timeout"] <= 25_000


@pytest.mark.django_db
def test_a_number_that_a_column_cannot_hold_is_refused_not_cut_off() -> None:
    with pytest.raises(DataError, match="out of range"), transaction.atomic():
        OutboxEvent.objects.create(name="big", payload={}, at=clock.now(), attempts=47_304_000_000)
    with pytest.raises(DataError, match="out of range"), transaction.atomic():
        OutboxEvent.objects.create(name="big", payload={}, at=clock.now(), attempts=2**16 + 1)
    assert not OutboxEvent.objects.exists()


@pytest.mark.django_db
def test_rows_beyond_what_one_statement_carries_are_written_read_and_deleted() -> None:
    values = len(OutboxEvent._meta.local_concrete_fields)
    rows = OutboxEvent.objects.bulk_create(
        OutboxEvent(name="many", payload={}, at=clock.now()) for _ in range(2**16 // values + 1)
    )
    assert OutboxEvent.objects.count() == len(rows)
    assert len(OutboxEvent.objects.in_bulk([rows[0].pk + number for number in range(2**16)])) == (
        len(rows)
    )
    OutboxEvent.objects.filter(name="many").delete()
    assert not OutboxEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_the_server_ended_is_noticed_and_replaced() -> None:
    connection.ensure_connection()
    assert connection.is_usable()
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(%s, 5000)", [connection.connection.info.backend_pid]
        )
    other.close()
    assert not connection.is_usable()
    # What the next request does first.
    connection.health_check_enabled, connection.health_check_done = True, False
    connection.close_if_health_check_failed()
    assert OutboxEvent.objects.count() == 0


@pytest.mark.django_db
def test_looking_at_a_connection_asks_the_server_nothing(django_assert_num_queries) -> None:
    connection.ensure_connection()
    before = connection.connection.info.transaction_status
    with django_assert_num_queries(0):
        assert connection.is_usable()
    assert connection.connection.info.transaction_status == before


@pytest.mark.django_db
def test_a_cursor_is_used_again_by_one_at_a_time() -> None:
    with connection.cursor() as first, connection.cursor() as second:
        first.execute("SELECT 1")
        second.execute("SELECT 2")
        assert (first.fetchone(), second.fetchone()) == ((1,), (2,))
        kept = first.cursor
    with connection.cursor() as one, connection.cursor() as other:
        assert kept in (one.cursor, other.cursor)
        assert one.cursor is not other.cursor


@pytest.mark.django_db
def test_who_has_closed_a_cursor_cannot_touch_the_next_users_rows() -> None:
    stale = connection.cursor()
    kept = stale.cursor
    stale.close()
    with connection.cursor() as fresh:
        assert fresh.cursor is kept
        fresh.execute("SELECT 7")
        stale.close()
        with pytest.raises(InterfaceError):
            stale.fetchone()
        with pytest.raises(InterfaceError):
            stale.execute("SELECT 8")
        assert fresh.fetchone() == (7,)
        with connection.cursor() as third:
            assert third.cursor is not kept


@pytest.mark.django_db
def test_a_kept_cursor_reads_moments_as_django_does() -> None:
    moment = datetime.datetime(2026, 3, 29, 1, 59, 59, 123456, tzinfo=datetime.UTC)
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz, 'infinity'::date IS NULL", [moment])
        (read, _never) = cursor.fetchone()
    assert read == moment
    assert read.tzinfo is datetime.UTC


@pytest.mark.django_db(transaction=True)
def test_cursors_do_not_outlive_their_connection() -> None:
    with connection.cursor() as cursor:
        old = cursor.cursor
    connection.close()
    with connection.cursor() as cursor:
        assert cursor.cursor is not old
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


@pytest.fixture
def prepared():
    """A statement that this connection has prepared: its text, asked with three values."""
    text = "SELECT %s::int + %s::int, %s::text -- straight"
    with connection.cursor() as cursor:
        for number in range(8):
            cursor.execute(text, [number, 1, "warm"])
    return text


@pytest.mark.django_db
def test_a_prepared_statement_is_sent_straight_and_answers_the_same(prepared, monkeypatch) -> None:
    monkeypatch.setattr(ServerBindingCursor, "_execute_gen", None)
    with connection.cursor() as cursor:
        cursor.execute(prepared, [40, 2, "ünïcode ' \\"])
        assert cursor.rowcount == 1
        assert [column.type_code for column in cursor.description] == [23, 25]
        assert cursor.fetchall() == [(42, "ünïcode ' \\")]
        cursor.execute(prepared, (1, 2, ""))
        assert cursor.fetchone() == (3, "")
        assert cursor.fetchone() is None


@pytest.mark.django_db
def test_names_find_their_places_in_a_statement_sent_straight(monkeypatch) -> None:
    text = "SELECT %(one)s::int - %(other)s::int + %(one)s::int"
    with connection.cursor() as cursor:
        for _again in range(8):
            cursor.execute(text, {"other": 1, "one": 2})
        monkeypatch.setattr(ServerBindingCursor, "_execute_gen", None)
        cursor.execute(text, {"one": 10, "other": 5, "more": "is not asked for"})
        assert cursor.fetchone() == (15,)


@pytest.mark.django_db
@pytest.mark.parametrize("values", [[1, 2], {"one": 1}, [1, 2, "x", 4]])
def test_values_that_do_not_fit_are_refused_as_ever(prepared, values) -> None:
    with connection.cursor() as cursor, pytest.raises((ProgrammingError, TypeError)):
        cursor.execute(prepared, values)
    with connection.cursor() as cursor:
        cursor.execute(prepared, [1, 2, "x"])
        assert cursor.fetchone() == (3, "x")


@pytest.mark.django_db
def test_values_of_other_types_are_another_statement(prepared) -> None:
    with connection.cursor() as cursor:
        cursor.execute(prepared, ["40", "2", "x"])
        assert cursor.fetchone() == (42, "x")
        cursor.execute(prepared, [None, 2, None])
        assert cursor.fetchone() == (None, None)


@pytest.mark.django_db
def test_a_refused_statement_sent_straight_is_an_error_of_django(prepared) -> None:
    with (
        pytest.raises(DataError, match="out of range"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(prepared, [2**31 - 1, 1, "too much"])
    with connection.cursor() as cursor:
        cursor.execute(prepared, [1, 1, "on we go"])
        assert cursor.fetchone() == (2, "on we go")


@pytest.mark.django_db(transaction=True)
def test_a_statement_sent_straight_opens_its_transaction_and_is_rolled_back() -> None:
    def publish() -> None:
        OutboxEvent.objects.bulk_create([OutboxEvent(name="x", payload={}, at=clock.now())])

    for _again in range(8):
        with transaction.atomic():
            publish()
    before = OutboxEvent.objects.count()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        publish()
        raise ZeroDivisionError
    assert OutboxEvent.objects.count() == before
    publish()
    assert OutboxEvent.objects.count() == before + 1


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_ended_is_an_error_of_django_for_a_prepared_statement_too(
    prepared,
) -> None:
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(%s, 5000)", [connection.connection.info.backend_pid]
        )
    other.close()
    with connection.cursor() as cursor, pytest.raises(OperationalError):
        cursor.execute(prepared, [1, 2, "gone"])
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute(prepared, [1, 2, "back"])
        assert cursor.fetchone() == (3, "back")
