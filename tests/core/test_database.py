"""How the house holds on to its database."""

import pytest
from django.db import DataError, connection, transaction

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
