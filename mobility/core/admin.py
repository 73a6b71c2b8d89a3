"""Admin pages of the core: what happened, and what could not be delivered."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from mobility.core.models import AuditEntry, OutboxEvent
from mobility.core.pages import RoughPages


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """To look at, for the platform's administrator."""

    list_per_page = 50
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
