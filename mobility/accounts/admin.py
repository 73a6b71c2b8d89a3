"""Admin pages of accounts: the platform's administrator keeps people, organisations and roles."""

from typing import ClassVar

from django.contrib import admin
from django.contrib.auth.models import Group

from mobility.accounts.field_names import NamedFormSet
from mobility.accounts.models import (
    ApiToken,
    Membership,
    Organisation,
    PrivacyRequest,
    User,
)
from mobility.core.admin import ReadOnlyAdmin

admin.site.unregister(Group)


class MembershipInline(admin.TabularInline[Membership, User]):
    """A person's roles."""

    model = Membership
    formset = NamedFormSet
    extra = 0


@admin.register(User)
class UserAdmin(admin.ModelAdmin[User]):
    """People; only for the platform's administrator."""

    list_display = ("email", "name", "language", "is_active", "is_superuser", "date_joined")
    list_filter = ("is_active", "is_superuser", "memberships__role")
    list_per_page = 50
    search_fields = ("email", "name")
    readonly_fields = ("public_id", "date_joined", "last_login", "password")
    exclude = ("groups", "user_permissions")
    inlines: ClassVar = [MembershipInline]


@admin.register(Organisation)
class OrganisationAdmin(admin.ModelAdmin[Organisation]):
    """Organisations; only for the platform's administrator."""

    list_display = ("__str__", "kind", "slug", "vat_number")
    list_filter = ("kind",)
    search_fields = ("slug", "legal_name", "vat_number")


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin[ApiToken]):
    """Tokens; to see and revoke, never to read."""

    list_display = ("user", "label", "created_at", "expires_at", "last_used_at", "revoked_at")
    search_fields = ("user__email", "label")
    readonly_fields = ("user", "label", "created_at", "expires_at", "last_used_at")
    exclude = ("secret_hash",)

    def has_add_permission(self, request: object) -> bool:
        """Tokens come from `manage.py issue_token` or from signing in."""
        return False


@admin.register(PrivacyRequest)
class PrivacyRequestAdmin(ReadOnlyAdmin):
    """Who asked for a copy or an erasure, and when it was done: for whoever answers to the authority."""

    list_display = ("user", "kind", "state", "asked_at", "done_at")
    list_filter = ("kind", "state")
    show_full_result_count = False
