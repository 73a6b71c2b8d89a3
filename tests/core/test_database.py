"""How the house holds on to its database."""

from django.db import connection


def test_a_database_that_vanished_is_noticed_before_a_charger_gives_up() -> None:
    known = connection.get_connection_params()
    silence_s = known["keepalives_idle"] + known["keepalives_interval"] * known["keepalives_count"]
    assert silence_s <= 25
    assert known["tcp_user_timeout"] <= 25_000
