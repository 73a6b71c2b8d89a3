"""Admin pages of vehicles: find them, block and lift, order a lock; states are moved, never typed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from fleet.vehicles import services
from fleet.vehicles.models import (
    Vehicle,
    VehicleBlock,
    VehicleCommand,
    VehicleEvent,
    VehicleHold,
    VehicleType,
)
from fleet.vehicles.scoping import FLEET_STAFF
from fleet.vehicles.states import BlockReason, CommandKind, CommandState, LifeState
from mobility.accounts.scoped_admin import ScopedAdmin, ScopedInline
from mobility.accounts.states import Role
from mobility.core import clock, ids
from mobility.core.errors import DomainError

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

READERS = FLEET_STAFF | {Role.CITY_OFFICER}
OPERATORS = frozenset({Role.FLEET_OPERATOR})

COMMAND_TTL_S = 60
_STAFF_BLOCKS = (BlockReason.MAINTENANCE, BlockReason.DAMAGE, BlockReason.SUSPENDED)


class _ReadOnly:
    """Rows that services write; staff only look."""

    addable: ClassVar[bool] = False
    model: Any

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes them by hand."""
        return False


class _BlockFilter(admin.SimpleListFilter):
    """Vehicles by an active block."""

    title = _("blocked for")
    parameter_name = "block"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        """Every reason."""
        return list(BlockReason.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those blocked for the reason."""
        if self.value() is None:
            return queryset
        blocked = VehicleBlock.objects.active().filter(reason=self.value())
        return queryset.filter(pk__in=blocked.values("vehicle"))


class BlockInline(_ReadOnly, ScopedInline):
    """A vehicle's blocks, the active ones first."""

    model = VehicleBlock
    viewers = READERS
    ordering = ("-until", "-since")
    fields = ("reason", "since", "until", "placed_by", "lifted_by")


class CommandInline(_ReadOnly, ScopedInline):
    """What a vehicle was told lately."""

    model = VehicleCommand
    viewers = READERS
    fields = ("sequence", "kind", "state", "requested_by", "created_at", "finished_at")
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Only what still waits: the whole ledger has its own page."""
        waiting = (CommandState.QUEUED, CommandState.SENT, CommandState.ACCEPTED)
        return super().get_queryset(request).filter(state__in=waiting)


@admin.register(VehicleType)
class VehicleTypeAdmin(ScopedAdmin[VehicleType]):
    """Models of vehicles."""

    viewers = READERS
    editors = OPERATORS
    list_display = ("code", "name", "kind", "max_range_m", "max_speed_kmh", "battery_wh", "seats")
    list_filter = ("kind",)


@admin.register(Vehicle)
class VehicleAdmin(ScopedAdmin[Vehicle]):
    """Vehicles."""

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
    list_filter = ("type__kind", "life_state", "rental_state", "link_state", _BlockFilter)
    search_fields = ("code", "plate", "vin")
    readonly_fields = ("public_id", "life_state", "rental_state", "link_state", "where")
    inlines: ClassVar = [BlockInline, CommandInline]

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

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Operators change the vehicles of the fleet they work for."""
        if not super().has_change_permission(request, obj) or obj is None:
            return super().has_change_permission(request, obj)
        return editable(request).filter(pk=obj.pk).exists()

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Block for, lift, order and move: one entry each, only for those who may change."""
        actions: dict[str, Any] = super().get_actions(request)
        if not self.has_change_permission(request):
            return actions
        return actions | {name: (act, name, label) for name, act, label in _vehicle_actions()}


@admin.register(VehicleCommand)
class VehicleCommandAdmin(_ReadOnly, ScopedAdmin[VehicleCommand]):
    """The ledger of commands."""

    viewers = READERS
    list_display = ("vehicle", "sequence", "kind", "state", "requested_by", "created_at")
    list_filter = ("state", "kind")
    list_select_related = ("vehicle",)
    search_fields = ("vehicle__code",)


@admin.register(VehicleHold)
class VehicleHoldAdmin(_ReadOnly, ScopedAdmin[VehicleHold]):
    """Who has or had which vehicle."""

    viewers = FLEET_STAFF
    list_display = ("vehicle", "purpose", "holder_ref", "during", "released_at")
    list_filter = ("purpose", ("released_at", admin.EmptyFieldListFilter))
    list_select_related = ("vehicle",)
    search_fields = ("vehicle__code", "holder_ref")


@admin.register(VehicleEvent)
class VehicleEventAdmin(_ReadOnly, ScopedAdmin[VehicleEvent]):
    """The state history."""

    viewers = READERS
    list_display = ("vehicle", "at", "mds_state", "mds_events", "battery_pct", "by")
    list_filter = ("mds_state",)
    list_select_related = ("vehicle",)
    search_fields = ("vehicle__code",)
    date_hierarchy = "at"


def editable(request: HttpRequest) -> QuerySet[Vehicle]:
    """The vehicles that the person at the desk may act on."""
    person: Any = request.user
    return Vehicle.objects.run_by(person, *OPERATORS)


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
    return [*blocks, *lifts, *orders, *moves]


def _block(
    page: VehicleAdmin,
    request: HttpRequest,
    vehicles: QuerySet[Vehicle],
    *,
    reason: BlockReason,
) -> None:
    wanted = _wanted(request, vehicles)
    done = services.block_vehicles(vehicle_ids=wanted, reason=reason, **_now(request))
    _tell(page, request, done=len(done), asked=len(wanted))


def _lift(
    page: VehicleAdmin,
    request: HttpRequest,
    vehicles: QuerySet[Vehicle],
    *,
    reason: BlockReason,
) -> None:
    wanted = _wanted(request, vehicles)
    done = services.lift_blocks(vehicle_ids=wanted, reason=reason, **_now(request))
    _tell(page, request, done=len(done), asked=len(wanted))


def _order(
    page: VehicleAdmin,
    request: HttpRequest,
    vehicles: QuerySet[Vehicle],
    *,
    kind: CommandKind,
) -> None:
    wanted = _wanted(request, vehicles)
    for vehicle_id in wanted:
        services.queue_command(
            vehicle_id=vehicle_id,
            kind=kind,
            idempotency_key=f"staff:{ids.uuid7()}",
            ttl_s=COMMAND_TTL_S,
            purpose_ref="staff",
            **_now(request),
        )
    _tell(page, request, done=len(wanted), asked=len(wanted))


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
            services.set_life_state(vehicle_id=vehicle.pk, to=to, **_now(request))
        except DomainError as refusal:
            page.message_user(request, f"{vehicle.code}: {refusal.detail}", messages.WARNING)
        else:
            done += 1
    _tell(page, request, done=done, asked=len(vehicles))


def _now(request: HttpRequest) -> dict[str, Any]:
    person: Any = request.user
    return {"at": clock.now(), "by": person.principal}


def _tell(page: VehicleAdmin, request: HttpRequest, *, done: int, asked: int) -> None:
    text = ngettext(
        "Done for %(done)d of %(asked)d vehicle.",
        "Done for %(done)d of %(asked)d vehicles.",
        asked,
    )
    page.message_user(request, text % {"done": done, "asked": asked}, messages.SUCCESS)
