"""Admin pages of riders: documents to review, blocks, policies, rules."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from bookings.riders import services
from bookings.riders.forms import VERIFY, BlockForm, VerdictForm
from bookings.riders.models import (
    AccessPolicy,
    DrivingLicence,
    IdentityCheck,
    RiderBlock,
    RiderDocument,
    RiderProfile,
    RuleText,
)
from bookings.riders.states import DERIVED, DocumentState, RiderBlockReason
from mobility.accounts.scoped_admin import ScopedAdmin, act_on_each
from mobility.accounts.states import Role
from mobility.core import clock
from mobility.core.errors import DomainError
from mobility.core.texts import LocalizedWidget

REVIEWERS = frozenset({Role.FLEET_OPERATOR})


class DocumentAdmin(ScopedAdmin[Any]):
    """What the review queues of both kinds of documents share."""

    form = VerdictForm
    viewers = REVIEWERS
    editors = REVIEWERS
    addable = False
    list_filter = ("state", "country", "organisation")
    list_select_related = ("user", "organisation")
    search_fields = ("user__email", "user__name")
    ordering = ("submitted_at",)
    told: ClassVar[tuple[str, ...]] = (
        "person", "birth_date", "state", "country", "valid_until", "seen", "submitted_at",
        "decided_at", "decided_by", "reason", "note", "checker",
    )  # fmt: skip

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The document, and below it the verdict of who may give one."""
        if self.has_change_permission(request, obj):
            return (*self.told, "verdict", "remark")
        return self.told

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Nobody changes what a person sent."""
        return self.told

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A verdict is possible while it waits, or is in force."""
        over = obj is not None and obj.state not in {
            DocumentState.SUBMITTED,
            DocumentState.VERIFIED,
        }
        return not over and super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """Give the verdict; the columns are the service's to write."""
        verdict, note = form.cleaned_data["verdict"], form.cleaned_data["remark"]
        user: Any = request.user
        given = {"document": obj, "at": clock.now(), "by": user.principal}
        try:
            if verdict == VERIFY:
                services.verify_document(**given)
            elif verdict:
                services.reject_document(**given, reason=verdict, note=note)
        except DomainError as refusal:
            self.message_user(request, refusal.detail, messages.ERROR)

    @admin.display(description=_("person"))
    def person(self, document: RiderDocument) -> str:
        """Name and address, to compare with the picture."""
        return f"{document.user.name} <{document.user.email}>"

    @admin.display(description=_("date of birth"))
    def birth_date(self, document: RiderDocument) -> str:
        """As the person told it."""
        profile = RiderProfile.objects.filter(user=document.user_id).first()
        return profile.birth_date.isoformat() if profile and profile.birth_date else "–"

    @admin.display(description=_("pictures"))
    def seen(self, document: RiderDocument) -> SafeString | str:
        """The pictures, read through the door of private files, which notes who looked."""
        here = [file for file in document.pictures if file.removed_at is None]
        if not here:
            return "–"
        pictures = (
            (reverse("api:file", kwargs={"public_id": file.public_id}), _("picture"))
            for file in here
        )
        return format_html_join(" ", '<img src="{}" alt="{}" width="480">', pictures)


@admin.register(IdentityCheck)
class IdentityCheckAdmin(DocumentAdmin):
    """Identity documents."""

    list_display = ("user", "paper", "country", "valid_until", "state", "submitted_at")
    told = ("paper", *DocumentAdmin.told)


@admin.register(DrivingLicence)
class DrivingLicenceAdmin(DocumentAdmin):
    """Driving licences."""

    list_display = ("user", "categories", "country", "valid_until", "state", "submitted_at")
    told = ("number_last3", "categories", "held_since", *DocumentAdmin.told)


@admin.register(RiderBlock)
class RiderBlockAdmin(ScopedAdmin[RiderBlock]):
    """Who may not ride, and why."""

    viewers = REVIEWERS
    editors = REVIEWERS
    list_display = ("user", "reason", "organisation", "since", "until", "lifted_at")
    list_filter = ("reason", ("lifted_at", admin.EmptyFieldListFilter))
    list_select_related = ("user", "organisation")
    search_fields = ("user__email", "ref")
    actions = ("lift",)

    def get_form(
        self,
        request: HttpRequest,
        obj: Any = None,
        change: bool = False,  # noqa: FBT001, FBT002 - Django's
        **kwargs: Any,
    ) -> Any:
        """A new block names the person by their address: nobody leafs through all people."""
        if obj is None:
            kwargs["form"] = BlockForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Whom by address when new; afterwards everything, to look at."""
        if obj is None:
            return ("email", *BlockForm.Meta.fields)
        return [field.name for field in RiderBlock._meta.fields if field.editable]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Blocks are placed and lifted, not changed."""
        return obj is None and super().has_change_permission(request, obj)

    def formfield_for_choice_field(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """Without the reasons that follow from other facts."""
        if db_field.name == "reason":
            kwargs["choices"] = [
                (one.value, one.label)
                for one in RiderBlockReason
                if one not in DERIVED | {RiderBlockReason.ERASED}
            ]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """An operator blocks from its own vehicles alone; everywhere is the platform's to say."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "organisation" and field is not None:
            field.required = not request.user.is_superuser
        return field

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """Place it."""
        told = form.cleaned_data
        user: Any = request.user
        block = services.place_block(
            user_id=told["email"].pk,
            reason=told["reason"],
            until=told["until"],
            note=told["note"],
            organisation_id=told["organisation"].pk if told["organisation"] else None,
            at=clock.now(),
            by=user.principal,
        )
        obj.pk, obj.public_id, obj.user = block.pk, block.public_id, told["email"]

    @admin.action(description=_("Lift the chosen blocks"), permissions=["change"])
    def lift(self, request: HttpRequest, queryset: QuerySet[RiderBlock]) -> None:
        """Let people ride again."""
        act_on_each(request, queryset.active().select_related("user"), _lift)  # type: ignore[attr-defined]


@admin.register(AccessPolicy)
class AccessPolicyAdmin(ScopedAdmin[AccessPolicy]):
    """What an operator asks of riders."""

    viewers = REVIEWERS
    editors = REVIEWERS
    deletable = True
    list_display = (
        "organisation", "vehicle_kind", "identity_required", "licence_category", "minimum_age",
    )  # fmt: skip
    list_select_related = ("organisation",)


@admin.register(RuleText)
class RuleTextAdmin(ScopedAdmin[RuleText]):
    """Rules to be confirmed: written, then published for ever."""

    viewers = REVIEWERS
    editors = REVIEWERS
    list_display = ("__str__", "kind", "organisation", "version", "published_at")
    list_filter = ("kind",)
    list_select_related = ("organisation",)
    readonly_fields = ("published_at",)
    actions = ("publish",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Drafts only."""
        published = obj is not None and obj.published_at is not None
        return not published and super().has_change_permission(request, obj)

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """Rules are of many lines."""
        if db_field.name == "body":
            kwargs["widget"] = LocalizedWidget(line=forms.Textarea)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """Texts of the platform are the platform's to write."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "organisation" and field is not None:
            field.required = not request.user.is_superuser
        return field

    @admin.action(description=_("Publish the chosen rules"), permissions=["change"])
    def publish(self, request: HttpRequest, queryset: QuerySet[RuleText]) -> None:
        """From now on riders confirm these."""
        act_on_each(request, queryset, _publish)


def _lift(block: RiderBlock, **told: Any) -> None:
    services.lift_block(block=block, **told)


def _publish(text: RuleText, **told: Any) -> None:
    services.publish_text(text=text, **told)
