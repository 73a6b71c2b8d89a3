"""The admin under tenancy: people see and touch only their organisation's rows, by role."""

from typing import Any, ClassVar, TypeVar

from django.contrib import admin
from django.db.models import ForeignKey, ManyToManyField, Model, QuerySet
from django.http import HttpRequest

Row = TypeVar("Row", bound=Model)


class RoleScope:
    """What `ScopedAdmin` and scoped inlines share: permissions by role, rows by `visible_to`."""

    viewers: ClassVar[frozenset[str]] = frozenset()
    editors: ClassVar[frozenset[str]] = frozenset()
    addable: ClassVar[bool] = True
    deletable: ClassVar[bool] = False

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the model shows on the index."""
        return self._has_role(request, self.viewers | self.editors)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """By role; which rows, the queryset decides."""
        return self._has_role(request, self.viewers | self.editors)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Editors only."""
        return self._has_role(request, self.editors)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Editors only, where rows may be added by hand at all."""
        return self.addable and self._has_role(request, self.editors)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Almost never: history hangs on most rows."""
        return self.deletable and self._has_role(request, self.editors)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Only visible rows."""
        queryset: Any = super().get_queryset(request)  # type: ignore[misc]
        visible: QuerySet[Any] = queryset.visible_to(request.user)
        return visible

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest | None, **kwargs: Any
    ) -> Any:
        """Choices of a foreign key are scoped like the rows themselves."""
        self._scope_choices(db_field, request, kwargs)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]

    def formfield_for_manytomany(
        self, db_field: ManyToManyField[Any, Any], request: HttpRequest | None, **kwargs: Any
    ) -> Any:
        """Choices of a many-to-many field likewise."""
        self._scope_choices(db_field, request, kwargs)
        return super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[misc]

    @staticmethod
    def _scope_choices(db_field: Any, request: HttpRequest | None, kwargs: dict[str, Any]) -> None:
        queryset: Any = db_field.remote_field.model._default_manager.all()
        if request is not None and "queryset" not in kwargs and hasattr(queryset, "visible_to"):
            kwargs["queryset"] = queryset.visible_to(request.user)

    @staticmethod
    def _has_role(request: HttpRequest, roles: frozenset[str]) -> bool:
        user: Any = request.user
        return bool(user.is_active and user.is_staff and user.has_role(*roles))


class ScopedAdmin(RoleScope, admin.ModelAdmin[Row]):
    """A model's admin page under tenancy."""

    list_per_page = 50
    show_full_result_count = False


class ScopedInline(RoleScope, admin.TabularInline[Any, Any]):
    """Child rows under tenancy."""

    extra = 0
