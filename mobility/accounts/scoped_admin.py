"""The admin under tenancy: people see and touch only their organisation's rows, by role.

What a person may look at, `visible_to` says; what they may act on, `run_by` of the same queryset:
the rows of those organisations in which they are an editor. Somebody may operate one fleet and
drive the van of another, and changes nothing of the second.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, TypeVar

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.postgres.fields import ArrayField
from django.db.models import Field, ForeignKey, ManyToManyField, Model, QuerySet
from django.forms import CheckboxSelectMultiple, ModelForm, TypedMultipleChoiceField
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from mobility.accounts.field_names import NamedFormSet, name_parts
from mobility.accounts.models import User
from mobility.accounts.sheets import EXPORT, sheet_of
from mobility.accounts.told import counts_cents, told, told_columns, told_parts
from mobility.core import clock
from mobility.core.errors import DomainError
from mobility.core.pages import LatePages

Row = TypeVar("Row", bound=Model)

# Actions that ask for one of these touch only rows that the person edits.
_ACTING = frozenset({"change", "delete"})


def person_of(request: HttpRequest) -> User:
    """Who looks at a page of the admin."""
    # The admin only opens for people with an account; this narrows the type.
    assert isinstance(request.user, User)
    return request.user


def while_reading(request: HttpRequest, key: Any, ask: Callable[[], bool]) -> bool:
    """The answer to a question that a page asks again and again: asked once where it only reads.

    Django asks what somebody may do once for the page and several times for each inline.
    """
    if request.method != "GET":
        return ask()
    known: dict[Any, bool] = request.__dict__.setdefault("_while_reading", {})
    if key not in known:
        known[key] = ask()
    return known[key]


class RoleScope:
    """What `ScopedAdmin` and scoped inlines share: permissions by role, rows by `visible_to`.

    Where Django passes an inline the row above it, that row decides.
    """

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
        """Editors only, of the organisation whose row it is."""
        return self._has_role(request, self.editors) and self._edits(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Editors only, where rows may be added by hand at all."""
        allowed = self.addable and self._has_role(request, self.editors)
        return allowed and self._edits(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Almost never: history hangs on most rows."""
        allowed = self.deletable and self._has_role(request, self.editors)
        return allowed and self._edits(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Only visible rows."""
        queryset: Any = super().get_queryset(request)  # type: ignore[misc]
        visible: QuerySet[Any] = queryset.visible_to(request.user)
        return visible

    def formfield_for_dbfield(
        self, db_field: Field[Any, Any], request: HttpRequest | None, **kwargs: Any
    ) -> Any:
        """Lists of known words are ticked; amounts that say nothing else of themselves say they are cents."""
        if isinstance(db_field, ArrayField) and db_field.base_field.choices:
            return _boxes(db_field, **kwargs)
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if field is not None and counts_cents(db_field.name) and not field.help_text:
            field.help_text = _("In cents: 125 is €1.25.")
        return field

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

    def _edits(self, request: HttpRequest, obj: Model | None) -> bool:
        if obj is None or obj.pk is None:
            return True
        key = (type(obj), obj.pk, self.editors)
        return while_reading(request, key, lambda: self._edits_now(request, obj))

    def _edits_now(self, request: HttpRequest, obj: Model) -> bool:
        rows = type(obj)._default_manager.filter(pk=obj.pk)
        edited = self.edited(request, rows)
        return edited is rows or edited.exists()

    def edited(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Those of the rows that the person edits; all where the rows know no `run_by`."""
        run_by: Callable[..., QuerySet[Any]] | None = getattr(rows, "run_by", None)
        return rows if run_by is None else run_by(request.user, *self.editors)

    def _scope_choices(
        self, db_field: Any, request: HttpRequest | None, kwargs: dict[str, Any]
    ) -> None:
        queryset: Any = db_field.remote_field.model._default_manager.all()
        if request is None or "queryset" in kwargs:
            return
        if self.editors and hasattr(queryset, "run_by"):
            kwargs["queryset"] = self.edited(request, queryset)
        elif hasattr(queryset, "visible_to"):
            kwargs["queryset"] = queryset.visible_to(request.user)

    @staticmethod
    def _has_role(request: HttpRequest, roles: frozenset[str]) -> bool:
        user: Any = request.user
        return bool(user.is_active and user.is_staff and user.has_role(*roles))


class ReadOnly:
    """Rows that services write; staff only look. Stands before `ScopedAdmin` or `ScopedInline`."""

    addable: ClassVar[bool] = False
    model: Any

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes them by hand."""
        return False


class ScopedAdmin(RoleScope, admin.ModelAdmin[Row]):
    """A model's admin page under tenancy."""

    list_per_page = 50
    paginator = LatePages
    show_full_result_count = False
    # Whether the list can be had as a file; a page with a file of its own says no.
    exports: ClassVar[bool] = True

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """The list, or as it is filtered now as a file."""
        if self.exports and EXPORT in request.GET and self.has_view_permission(request):
            return sheet_of(self, request)
        kept = request.GET.copy()
        kept[EXPORT] = "csv"
        context = {
            "title": capfirst(str(self.opts.verbose_name_plural)),
            "export": kept.urlencode() if self.exports else "",
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def get_list_display(self, request: HttpRequest) -> Any:
        """The columns, as people write what they count."""
        return told(self.model, super().get_list_display(request))

    def get_form(
        self,
        request: HttpRequest,
        obj: Row | None = None,
        change: bool = False,  # noqa: FBT001, FBT002 - Django's
        **kwargs: Any,
    ) -> type[ModelForm[Row]]:
        """The form, with a name for every input."""
        form = super().get_form(request, obj, change, **kwargs)
        name_parts(form.base_fields)
        return form

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The page of a row; what is only shown is told as in lists, here and in the rows below."""
        form = context["adminform"]
        form.fieldsets = told_parts(self.model, form.fieldsets, among=form.readonly_fields)
        form.readonly_fields = told(self.model, form.readonly_fields)
        for rows in context["inline_admin_formsets"]:
            model = rows.formset.model
            shown = rows.readonly_fields if rows.has_change_permission else told_columns(model)
            rows.fieldsets = told_parts(model, rows.fieldsets, among=shown)
            rows.readonly_fields = told(model, rows.readonly_fields)
        return super().render_change_form(request, context, *args, **kwargs)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Actions that change rows get only those of the chosen that the person edits."""
        actions: dict[str, Any] = super().get_actions(request)
        return {
            name: (partial(_act_on_own, act) if _acts(act) else act, *words)
            for name, (act, *words) in actions.items()
        }

    def action_checkbox(self, obj: Row) -> SafeString:
        """The box that chooses a row; Django's own way through a widget takes ten times as long."""
        return format_html(
            '<input type="checkbox" name="{}" value="{}" class="action-select" aria-label="{}">',
            ACTION_CHECKBOX_NAME,
            obj.pk,
            gettext("Choose %(row)s") % {"row": obj},
        )

    def save_model(self, request: HttpRequest, obj: Row, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """Write no column that only services write: states and counters.

        The row was read when this request began; they may have moved since.
        """
        if not change:
            super().save_model(request, obj, form, change)
            return
        moved = getattr(obj, "moves", {})
        columns = (field for field in obj._meta.concrete_fields if not field.primary_key)
        obj.save(update_fields=[f.name for f in columns if f.editable and f.name not in moved])


class ScopedInline(RoleScope, admin.TabularInline[Any, Any]):
    """Child rows under tenancy."""

    formset = NamedFormSet
    extra = 0


def _boxes(column: ArrayField[Any, Any], **kwargs: Any) -> TypedMultipleChoiceField:
    """A box for each word that the list may have."""
    usual: dict[str, Any] = {
        "choices": list(column.base_field.choices or ()),
        "coerce": column.base_field.to_python,
        "label": capfirst(str(column.verbose_name)),
        "help_text": column.help_text,
        "initial": column.get_default,
        "required": not column.blank,
        "widget": CheckboxSelectMultiple,
    }
    return TypedMultipleChoiceField(**(usual | kwargs))


def _acts(action: Any) -> bool:
    return not _ACTING.isdisjoint(getattr(action, "allowed_permissions", ()))


def _act_on_own(
    act: Callable[..., Any],
    page: ScopedAdmin[Any],
    request: HttpRequest,
    chosen: QuerySet[Any],
) -> Any:
    """Do it to the chosen rows that are the person's to edit, and say how many are not."""
    own = page.edited(request, chosen)
    others = chosen.count() - own.count()
    if others:
        text = ngettext(
            "%(count)d was left alone: it is not yours to change.",
            "%(count)d were left alone: they are not yours to change.",
            others,
        )
        messages.warning(request, text % {"count": others})
    return act(page, request, own)


def act_on_each(request: HttpRequest, rows: QuerySet[Any], act: Callable[..., Any]) -> None:
    """Call `act(row, at=…, by=…)` for each row by itself; say how many went and which did not."""
    done = 0
    for row in rows:
        try:
            act(row, at=clock.now(), by=person_of(request).principal)
            done += 1
        except DomainError as refusal:
            messages.warning(request, f"{row}: {refusal.detail}")
    if done:
        text = ngettext("%(count)d changed.", "%(count)d changed.", done) % {"count": done}
        messages.success(request, text)
