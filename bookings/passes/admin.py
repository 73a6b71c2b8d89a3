"""Admin pages of passes, codes and verified discounts."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from bookings.passes import services
from bookings.passes.models import (
    DiscountStatus,
    Pass,
    PassProduct,
    PassUse,
    PerkUse,
    PromoCode,
    PromoRedemption,
)
from mobility.accounts.models import User
from mobility.accounts.scoped_admin import ReadOnly, ScopedAdmin, ScopedInline, act_on_each
from mobility.accounts.states import Role

SELLERS = frozenset({Role.FLEET_OPERATOR})
READERS = frozenset({Role.FLEET_OPERATOR, Role.CITY_OFFICER})
VERIFIERS = frozenset({Role.FLEET_OPERATOR, Role.CITY_OFFICER})
# What a code gives to whoever has redeemed it.
PROMISED = ("percent", "cents", "minutes", "most_cents")


@admin.register(PassProduct)
class PassProductAdmin(ScopedAdmin[PassProduct]):
    """Passes on offer; what was sold keeps its terms, whatever is changed here."""

    viewers = READERS
    editors = SELLERS
    list_display = ("__str__", "shape", "minutes", "days", "price_cents", "on_sale", "organisation")
    list_filter = ("on_sale", "shape")
    list_select_related = ("organisation",)
    readonly_fields = ("public_id",)


@admin.register(Pass)
class PassAdmin(ReadOnly, ScopedAdmin[Pass]):
    """Bought passes."""

    viewers = SELLERS
    list_display = ("__str__", "user", "bought_at", "starts_at", "ends_at", "minutes_left", "uses")
    list_filter = ("state", "auto_renew")
    list_select_related = ("user",)
    search_fields = ("public_id", "user__email")
    date_hierarchy = "bought_at"
    actions = ("take_back",)

    @admin.action(description=_("Take back unused passes and refund them"), permissions=["view"])
    def take_back(self, request: HttpRequest, queryset: QuerySet[Pass]) -> None:
        """What the person could do, done for them; nobody does it for themselves here."""
        user: Any = request.user
        act_on_each(request, queryset.exclude(user=user), _take_back)


@admin.register(PromoCode)
class PromoCodeAdmin(ScopedAdmin[PromoCode]):
    """Promo codes."""

    viewers = SELLERS
    editors = SELLERS
    list_display = ("code", "valid", "redeemed", "redemptions_max", "spent_cents", "budget_cents")
    list_select_related = ("organisation",)
    search_fields = ("code",)
    readonly_fields = ("public_id", "redeemed", "promised_cents", "spent_cents")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What somebody was promised stays: a budget was set aside for it, or there is none.

        Else a ride could be priced at more than the budget has, and the database would refuse it.
        """
        if obj is None or not obj.redeemed:
            return self.readonly_fields
        unbounded = ("budget_cents",) if obj.budget_cents is None else ()
        return (*self.readonly_fields, *PROMISED, *unbounded)


@admin.register(PromoRedemption)
class PromoRedemptionAdmin(ReadOnly, ScopedAdmin[PromoRedemption]):
    """Who redeemed which code."""

    viewers = SELLERS
    list_display = ("promo", "user", "state", "redeemed_at", "saved_cents", "used_ref")
    list_filter = ("state",)
    list_select_related = ("promo", "user")
    search_fields = ("promo__code", "user__email")


class DiscountStatusForm(forms.ModelForm[DiscountStatus]):
    """A person by their e-mail address: nobody browses through people here."""

    email = forms.EmailField(label=_("e-mail address of the person"))

    class Meta:
        model = DiscountStatus
        fields = ("organisation", "verified_until")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["email"].initial = self.instance.user.email

    def clean(self) -> dict[str, Any] | None:
        """One verification of a person by an organisation, to be prolonged."""
        data = super().clean()
        if not self.errors:
            others = DiscountStatus.objects.exclude(pk=self.instance.pk).filter(
                user=self.instance.user, organisation=self.cleaned_data["organisation"]
            )
            if others.exists():
                self.add_error("email", _("This person is verified already: change that entry."))
        return data

    def clean_email(self) -> str:
        """There must be such a person."""
        email: str = self.cleaned_data["email"].strip().lower()
        person = User.objects.filter(email=email).first()
        if person is None:
            raise forms.ValidationError(_("Nobody is registered with this address."))
        self.instance.user = person
        return email


@admin.register(DiscountStatus)
class DiscountStatusAdmin(ScopedAdmin[DiscountStatus]):
    """Verified discounts: that, and until when; never why."""

    form = DiscountStatusForm
    viewers = VERIFIERS
    editors = VERIFIERS
    deletable = True
    list_display = ("user", "organisation", "verified_until")
    list_select_related = ("user", "organisation")
    search_fields = ("user__email",)


class PassUseInline(ReadOnly, ScopedInline):
    """The passes of a ride."""

    model = PassUse
    viewers = SELLERS
    fields = ("bought", "minutes")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Rows of a visible ride."""
        rows: QuerySet[Any] = admin.TabularInline.get_queryset(self, request)
        user: Any = request.user
        return rows.filter(perk_use__in=PerkUse.objects.visible_to(user))


@admin.register(PerkUse)
class PerkUseAdmin(ReadOnly, ScopedAdmin[PerkUse]):
    """What rides used of passes and codes."""

    viewers = SELLERS
    list_display = ("ref", "user", "at", "time_cents", "tariff")
    list_select_related = ("user", "tariff")
    search_fields = ("ref", "user__email")
    date_hierarchy = "at"
    inlines = (PassUseInline,)


def _take_back(bought: Pass, *, at: Any, by: Any) -> None:
    services.return_pass(bought=bought, at=at, by=by)
