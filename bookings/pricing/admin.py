"""Admin pages of tariffs: drafts are written and published; what is published only ends."""

import datetime
from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _

from bookings.pricing import services
from bookings.pricing.forms import TariffVersionForm
from bookings.pricing.models import PriceLimit, Tariff, TariffVersion
from bookings.pricing.queries import example_bills
from bookings.pricing.rules.terms import PART_READERS
from bookings.pricing.states import TariffState
from bookings.pricing.texts import line_name
from mobility.accounts.models import User
from mobility.accounts.scoped_admin import ScopedAdmin, ScopedInline
from mobility.accounts.states import Role
from mobility.core import clock
from mobility.core.errors import DomainError
from mobility.core.money import PriceLine, format_money, total_cents
from mobility.core.rows import RowsField

READERS = frozenset({Role.FLEET_OPERATOR, Role.CITY_OFFICER})
EDITORS = frozenset({Role.FLEET_OPERATOR})


@admin.register(PriceLimit)
class PriceLimitAdmin(ScopedAdmin[PriceLimit]):
    """What the city allows; operators read it, the city's officers write it."""

    viewers = READERS
    editors = frozenset({Role.CITY_OFFICER})
    deletable = True
    list_display = ("__str__", "valid", "unlock_cents", "minute_cents", "hour_cents", "zone_cents")
    readonly_fields = ("public_id",)


class VersionInline(ScopedInline):
    """A tariff's versions, to see and to open."""

    model = TariffVersion
    viewers = READERS
    addable = False
    fields = ("state", "valid", "unlock_cents", "minute_cents", "day_cap_cents")
    readonly_fields = fields
    show_change_link = True


@admin.register(Tariff)
class TariffAdmin(ScopedAdmin[Tariff]):
    """Tariffs."""

    viewers = READERS
    editors = EDITORS
    list_display = ("__str__", "code", "vehicle_kinds", "organisation")
    list_select_related = ("organisation",)
    inlines = (VersionInline,)


def _part(name: str) -> Callable[[Any, TariffVersion], str]:
    """A column of a version that only reads one of its tables."""
    field = TariffVersionForm.base_fields[name]
    # The parts are tables; this narrows the type.
    assert isinstance(field, RowsField)

    @admin.display(description=field.label)
    def part(_page: Any, version: TariffVersion) -> str:
        return field.shown(getattr(version, name))

    return part


@admin.register(TariffVersion)
class TariffVersionAdmin(ScopedAdmin[TariffVersion]):
    """Dated versions of tariffs."""

    form = TariffVersionForm
    viewers = READERS
    editors = EDITORS
    list_display = ("__str__", "state", "valid", "unlocking", "minute", "hour")
    list_filter = ("state",)
    list_select_related = ("tariff",)
    readonly_fields = ("public_id", "state", "examples")
    actions = ("publish", "draft_next")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only drafts are edited; the database holds the same line."""
        frozen = obj is not None and obj.state != TariffState.DRAFT
        return not frozen and super().has_change_permission(request, obj)

    part_blocks, part_steps, part_packages, part_windows, part_zone_fees = map(_part, PART_READERS)

    def get_fields(self, request: HttpRequest, obj: TariffVersion | None = None) -> Any:
        """What only is read is read as tables."""
        names = super().get_fields(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return names
        return [f"part_{name}" if name in PART_READERS else name for name in names]

    @admin.display(description=_("example bills"))
    def examples(self, version: TariffVersion) -> str:
        """What rides of some lengths cost under the numbers as they are saved, at the dearest hour."""
        if version.pk is None:
            return _("Save the draft, and its example bills stand here.")
        rows = (
            (
                _("%(minutes)d min") % {"minutes": minutes},
                format_money(total_cents(lines), version.currency),
                _bill(lines, version.currency),
            )
            for minutes, lines in example_bills(version.fare())
        )
        body = format_html_join("", "<tr><th>{}</th><td>{}</td><td>{}</td></tr>", rows)
        return format_html("<table>{}</table>", body)

    @admin.display(description=_("unlocking"))
    def unlocking(self, version: TariffVersion) -> str:
        """The price of unlocking."""
        return format_money(version.unlock_cents, version.currency)

    @admin.display(description=_("per minute"))
    def minute(self, version: TariffVersion) -> str:
        """The price of a minute."""
        return format_money(version.minute_cents, version.currency)

    @admin.display(description=_("per hour at most"))
    def hour(self, version: TariffVersion) -> str:
        """What an hour costs at most."""
        return format_money(version.fare().hour_cents, version.currency)

    @admin.action(description=_("Publish the chosen drafts"), permissions=["change"])
    def publish(self, request: HttpRequest, queryset: QuerySet[TariffVersion]) -> None:
        """Put drafts into force."""
        user: Any = request.user
        for version in queryset:
            self._publish_one(request, version, user)

    @admin.action(description=_("Draft the next version of the chosen"), permissions=["change"])
    def draft_next(self, request: HttpRequest, queryset: QuerySet[TariffVersion]) -> None:
        """Copies to be edited, which begin tomorrow at midnight on the city's clocks."""
        tomorrow = clock.local(clock.now()) + datetime.timedelta(days=1)
        midnight = tomorrow.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        for version in queryset:
            draft = services.draft_successor(
                version_id=version.pk, valid_from=midnight.astimezone(datetime.UTC)
            )
            self.message_user(request, _("Drafted: %s") % draft, messages.SUCCESS)

    def _publish_one(self, request: HttpRequest, version: TariffVersion, user: User) -> None:
        try:
            services.publish_version(version_id=version.pk, at=clock.now(), by=user.principal)
        except DomainError as problem:
            self.message_user(request, f"{version}: {problem.detail}", messages.ERROR)
        else:
            self.message_user(request, _("Published: %s") % version, messages.SUCCESS)


def _bill(lines: Sequence[PriceLine], currency: str) -> str:
    return " · ".join(
        f"{line_name(line.kind)} {format_money(line.cents, currency)}" for line in lines
    )
