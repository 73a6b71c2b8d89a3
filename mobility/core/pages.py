"""Pages of long lists, for the admin."""

from typing import Any, Final

from django.core.paginator import Page, Paginator
from django.db import connection
from django.utils.functional import cached_property

MANY_ROWS: Final = 100_000
_ESTIMATE: Final = "SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass"


class LatePages(Paginator[Any]):
    """Pages that find their rows first, by their keys alone, and read what they show afterwards.

    In one query the database would join what is shown to each row of the list, sort all that, and
    throw nearly all of it away.
    """

    def page(self, number: int | str) -> Page[Any]:
        """The page with this number, by two quick questions instead of a slow one."""
        valid = self.validate_number(number)
        found: Any = self.object_list
        first = (valid - 1) * self.per_page
        keys = found.select_related(None).values_list("pk", flat=True)
        return Page(found.filter(pk__in=list(keys[first : first + self.per_page])), valid, self)


class RoughPages(Paginator[Any]):
    """Pages of a whole table that counts as the database last estimated, where it is a large one.

    Counting ten million rows would take the better part of a second.
    """

    @cached_property
    def count(self) -> int:
        """How many rows; roughly, where nothing is searched for and there are very many."""
        rows: Any = self.object_list
        if rows.query.where:
            return super().count
        with connection.cursor() as cursor:
            cursor.execute(_ESTIMATE, [rows.model._meta.db_table])
            [(estimate,)] = cursor.fetchall()
        return estimate if estimate > MANY_ROWS else super().count
