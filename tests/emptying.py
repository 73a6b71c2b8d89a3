"""Emptying the database after a test that committed, quickly.

Django truncates every table and then makes all permissions anew, which takes longer than most tests.
Here only tables that hold rows are emptied, and what migrations and start-up make is left alone.
"""

from django.apps import apps
from django.db import connection
from django.test import TransactionTestCase

KEPT = {"django_content_type", "auth_permission", "django_migrations", "django_site"}


def empty_quickly() -> None:
    """From now on tests that commit leave the database by `empty_tables`."""
    TransactionTestCase._fixture_teardown = lambda _self: empty_tables()  # type: ignore[method-assign]


def empty_tables() -> None:
    """Delete every row of our tables, past triggers that keep rows for ever, in one transaction."""
    models = apps.get_models(include_auto_created=True)
    names = sorted({model._meta.db_table for model in models if model._meta.managed} - KEPT)
    with connection.cursor() as cursor:
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{name}' WHERE EXISTS (SELECT FROM \"{name}\")" for name in names
            )
        )
        filled = [name for (name,) in cursor.fetchall()]
        # As on a replica: triggers and foreign keys are not asked.
        deletes = "".join(f'DELETE FROM "{name}";' for name in filled)
        cursor.execute(f"BEGIN; SET LOCAL session_replication_role = replica; {deletes} COMMIT")
