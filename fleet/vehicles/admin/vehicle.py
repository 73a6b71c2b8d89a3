"""The admin's list of vehicles: find them, act on one or many; states are moved, never typed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.urls import path
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from fleet.vehicles import services
from fleet.vehicles.admin import bulk, sheets
from fleet.vehicles.admin.parts import (
    BlockFilter,
    BlockInline,
    CommandInline,
    DocumentInline,
    EquipmentFilter,
    PapersFilter,
    PlacementInline,
)
from fleet.vehicles.admin.scope import (
    OPERATORS,
    READERS,
    deed,
    editable,
)
from fleet.vehicles.models import (
    Vehicle,
)
from fleet.vehicles.states import (
    BlockReason,
    CommandKind,
    LifeState,
)
from mobility.accounts.scoped_admin import ScopedAdmin
from mobility.core import ids
from mobility.core.errors import DomainError

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase
    from django.urls import URLPattern

COMMAND_TTL_S = 60
_STAFF_BLOCKS = (BlockReason.MAINTENANCE, BlockReason.DAMAGE, BlockReason.SUSPENDED)


@admin.register(Vehicle)
class VehicleAdmin(ScopedAdmin[Vehicle]):
    """Vehicles."""

    # Its file has more columns than the list, and can be read in again.
    exports = False
    viewers = READERS
    editors = OPERATORS
    list_display = (
        "code",
        "type",
        "life_state",
        "rental_state",
        "link_state",
        "blocked_for",
        "battery",
        "reported",
        "organisation",
    )
    list_filter = (
        "type__kind",
        "life_state",
        "rental_state",
        "link_state",
        BlockFilter,
        EquipmentFilter,
        PapersFilter,
    )
    search_fields = ("code", "plate", "vin", "qr_code")
    readonly_fields = (
        "public_id",
        "qr_code",
        "life_state",
        "rental_state",
        "link_state",
        "outside_since",
        "where",
    )
    list_per_page = 30
    inlines: ClassVar = [DocumentInline, PlacementInline, BlockInline, CommandInline]

    def get_urls(self) -> list[URLPattern]:
        """The pages for many: change, order, file out, file in."""
        pages = (
            ("bulk-edit/", "bulk_edit", self._for_many(bulk.edit_page)),
            ("bulk-order/", "bulk_order", self._for_many(bulk.order_page)),
            ("bulk-service/", "bulk_service", self._for_many(bulk.service_page)),
            ("export/", "export", self.export_view),
            ("import/", "import", self.import_view),
        )
        own = [
            path(route, self.admin_site.admin_view(view), name=f"fleet_vehicle_{name}")
            for route, name, view in pages
        ]
        return [*own, *super().get_urls()]

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """The list as it is filtered now, as a file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = self.get_changelist_instance(request).get_queryset(request)
        return sheets.export_answer(found.select_related("home_hub"))

    def import_view(self, request: HttpRequest) -> HttpResponseBase:
        """Vehicles out of a file."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        return sheets.import_page(self, request)

    def _for_many(self, render: Any) -> Any:
        def view(request: HttpRequest) -> HttpResponseBase:
            if request.method != "POST" or not self.has_change_permission(request):
                raise PermissionDenied
            answer: HttpResponseBase = render(self, request)
            return answer

        return view

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """With the way to the file out and, for those who may, the file in."""
        found = {"may_import": self.has_change_permission(request)}
        return super().changelist_view(request, {**found, **(extra_context or {})})

    def save_related(self, request: Any, form: Any, formsets: Any, change: Any) -> None:
        """Papers count at once."""
        super().save_related(request, form, formsets, change)
        services.refresh_document_blocks(at=deed(request)["at"], vehicle_ids=[form.instance.pk])

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With everything the list shows, in one query."""
        vehicles: Any = super().get_queryset(request)
        shown: QuerySet[Any] = vehicles.with_condition().select_related("organisation")
        return shown

    @admin.display(description=_("blocked for"))
    def blocked_for(self, vehicle: Vehicle) -> str:
        """The active reasons."""
        return ", ".join(str(BlockReason(reason).label) for reason in vehicle.active_blocks) or "–"

    @admin.display(description=_("battery"), ordering="latest__battery_pct")
    def battery(self, vehicle: Vehicle) -> str:
        """The charge it last told."""
        pct = getattr(getattr(vehicle, "latest", None), "battery_pct", None)
        return "–" if pct is None else f"{pct} %"

    @admin.display(description=_("last report"), ordering="latest__at")
    def reported(self, vehicle: Vehicle) -> Any:
        """When it last spoke."""
        return getattr(getattr(vehicle, "latest", None), "at", None)

    @admin.display(description=_("last position"))
    def where(self, vehicle: Vehicle) -> str:
        """Where it last was."""
        latest = getattr(vehicle, "latest", None)
        return f"{latest.lat:.6f}, {latest.lon:.6f}" if latest else "–"

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Block for, lift, order and move: one entry each, only for those who may change."""
        actions: dict[str, Any] = super().get_actions(request)
        if not self.has_change_permission(request):
            return actions
        return actions | {name: (act, name, label) for name, act, label in _vehicle_actions()}


def _wanted(request: HttpRequest, vehicles: QuerySet[Vehicle]) -> list[int]:
    """The chosen vehicles as far as they are the person's to act on."""
    chosen = vehicles.values_list("pk", flat=True)
    return list(editable(request).filter(pk__in=list(chosen)).values_list("pk", flat=True))


def _vehicle_actions() -> list[tuple[str, Any, Any]]:
    """Name, function and label of every action on vehicles."""
    blocks = [
        (f"block_{reason}", partial(_block, reason=reason), _("Block: %s") % reason.label)
        for reason in _STAFF_BLOCKS
    ]
    lifts = [
        (f"lift_{reason}", partial(_lift, reason=reason), _("Lift: %s") % reason.label)
        for reason in _STAFF_BLOCKS
    ]
    orders = [
        (f"order_{kind}", partial(_order, kind=kind), _("Order: %s") % kind.label)
        for kind in (CommandKind.LOCK, CommandKind.LOCATE)
    ]
    moves = [
        (f"life_{state}", partial(_move_life, to=state), _("Move to: %s") % state.label)
        for state in (LifeState.IN_SERVICE, LifeState.WORKSHOP, LifeState.STORAGE)
    ]
    pages = [
        ("bulk_edit", partial(_open, render=bulk.edit_page), _("Change several …")),
        ("bulk_order", partial(_open, render=bulk.order_page), _("Order several …")),
        ("bulk_service", partial(_open, render=bulk.service_page), _("Take for a drive …")),
    ]
    return [*pages, *blocks, *lifts, *orders, *moves]


def _open(
    page: VehicleAdmin,
    request: HttpRequest,
    vehicles: QuerySet[Vehicle],
    *,
    render: Any,
) -> Any:
    """Hand the chosen vehicles to a page that asks what to do with them."""
    wanted = _wanted(request, vehicles)
    if not 1 <= len(wanted) <= services.BULK_CAP:
        text = _("Choose between 1 and %(cap)d vehicles that are yours.")
        page.message_user(request, text % {"cap": services.BULK_CAP}, messages.WARNING)
        return None
    return render(page, request, chosen=",".join(map(str, wanted)))


def _block(
    page: VehicleAdmin,
    request: HttpRequest,
    vehicles: QuerySet[Vehicle],
    *,
    reason: BlockReason,
) -> None:
    wanted = _wanted(request, vehicles)
    done = services.block_vehicles(vehicle_ids=wanted, reason=reason, **deed(request))
    _tell(page, request, done=len(done), asked=len(wanted))


def _lift(
    page: VehicleAdmin,
    request: HttpRequest,
    vehicles: QuerySet[Vehicle],
    *,
    reason: BlockReason,
) -> None:
    wanted = _wanted(request, vehicles)
    done = services.lift_blocks(vehicle_ids=wanted, reason=reason, **deed(request))
    _tell(page, request, done=len(done), asked=len(wanted))


def _order(
    page: VehicleAdmin,
    request: HttpRequest,
    vehicles: QuerySet[Vehicle],
    *,
    kind: CommandKind,
) -> None:
    wanted = _wanted(request, vehicles)
    try:
        report = services.queue_commands(
            vehicle_ids=wanted,
            kind=kind,
            idempotency_key=f"staff:{ids.uuid7()}",
            ttl_s=COMMAND_TTL_S,
            purpose_ref="staff",
            **deed(request),
        )
    except DomainError as refusal:
        page.message_user(request, refusal.detail, messages.WARNING)
        return
    _tell(page, request, done=len(report.ordered), asked=len(wanted))


def _move_life(
    page: VehicleAdmin,
    request: HttpRequest,
    vehicles: QuerySet[Vehicle],
    *,
    to: LifeState,
) -> None:
    """Each on its own: one that is on a trip must not keep the others from the workshop."""
    done = 0
    for vehicle in vehicles.filter(pk__in=_wanted(request, vehicles)):
        try:
            services.set_life_state(vehicle_id=vehicle.pk, to=to, **deed(request))
        except DomainError as refusal:
            page.message_user(request, f"{vehicle.code}: {refusal.detail}", messages.WARNING)
        else:
            done += 1
    _tell(page, request, done=done, asked=len(vehicles))


def _tell(page: VehicleAdmin, request: HttpRequest, *, done: int, asked: int) -> None:
    text = ngettext(
        "Done for %(done)d of %(asked)d vehicle.",
        "Done for %(done)d of %(asked)d vehicles.",
        asked,
    )
    page.message_user(request, text % {"done": done, "asked": asked}, messages.SUCCESS)
