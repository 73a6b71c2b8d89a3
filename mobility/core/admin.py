"""Admin pages of the core: what happened, and what could not be delivered."""

from typing import Any, Final

from django.contrib import admin
from django.core.paginator import Paginator
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from mobility.core.models import AuditEntry, OutboxEvent

MANY_ROWS: Final = 100_000
_ESTIMATE: Final = "SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass"


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


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """To look at, for the platform's administrator."""

    paginator = RoughPages

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rows come from deeds, not from forms."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """History is not edited."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """History is not deleted."""
        return False


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """The audit trail."""

    list_display = ("at", "by", "action", "row", "request_id")
    # No filter by action: gathering which there are would read the whole trail.
    search_fields = ("action", "by", "row", "request_id")
    show_full_result_count = False


@admin.register(OutboxEvent)
class OutboxEventAdmin(ReadOnlyAdmin):
    """Facts on their way, and those that used up every retry."""

    list_display = (
        "at",
        "name",
        "event_id",
        "attempts",
        "dispatched_at",
        "handled_at",
        "failed_at",
    )
    list_filter = (
        "name",
        ("failed_at", admin.EmptyFieldListFilter),
        ("handled_at", admin.EmptyFieldListFilter),
    )
    search_fields = ("event_id", "request_id")
    actions = ("try_again",)
    show_full_result_count = False

    @admin.action(description=_("Try again"), permissions=["view"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[OutboxEvent]) -> None:
        """Give failed events a new set of attempts."""
        count = queryset.filter(handled_at__isnull=True).update(
            failed_at=None, attempts=0, dispatched_at=None
        )
        self.message_user(
            request, _("%(count)d events will be delivered again.") % {"count": count}
        )
