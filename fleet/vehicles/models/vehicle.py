"""Vehicle types, vehicles and the reasons that block them."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.functions import Cast, Replace, Substr
from django.utils.translation import gettext_lazy as _

from fleet.vehicles import rules, states
from fleet.vehicles.scoping import FleetScoped
from mobility.accounts.scoping import Everybodys
from mobility.core.models import PublicModel
from mobility.core.texts import LocalizedField

# Random, so that nobody can guess the next sticker; the database makes it, for old rows as for new.
_STICKER = Substr(Replace(Cast(RandomUUID(), models.CharField()), Value("-"), Value("")), 1, 20)
# ISO 3779: 17 characters without I, O and Q, which look like digits.
VIN_SHAPE = RegexValidator(
    r"^[A-HJ-NPR-Z0-9]{17}\Z", _("A VIN has 17 characters, without I, O and Q.")
)
PLATE_SHAPE = RegexValidator(
    r"^[A-Z0-9]{4,10}\Z", _("Give the plate in capital letters and digits.")
)


def every_command() -> list[str]:
    """What a new type is taken to be able to do, until somebody takes something out."""
    return [kind.value for kind in states.CommandKind]


class VehicleType(models.Model):
    """A model of vehicle, as bought."""

    code = models.SlugField(_("code"), unique=True)
    name = LocalizedField(_("name"))
    kind = models.CharField(_("kind"), max_length=16, choices=states.Kind.choices)
    propulsion = models.CharField(
        _("propulsion"),
        max_length=24,
        choices=states.Propulsion.choices,
        default=states.Propulsion.ELECTRIC,
    )
    max_range_m = models.PositiveIntegerField(_("range on a full battery (m)"))
    max_speed_kmh = models.PositiveSmallIntegerField(_("top speed (km/h)"))
    battery_wh = models.PositiveIntegerField(_("battery (Wh)"))
    seats = models.PositiveSmallIntegerField(_("seats"), default=1)
    form_factor = models.CharField(
        _("form"),
        max_length=24,
        choices=states.FormFactor.choices,
        blank=True,
        help_text=_("Empty: the usual form of its kind."),
    )
    cargo_load_kg = models.PositiveSmallIntegerField(_("cargo load (kg)"), default=0)
    battery_slots = models.PositiveSmallIntegerField(
        _("battery slots"),
        default=1,
        validators=[MinValueValidator(1)],
    )
    swappable = models.BooleanField(_("batteries can be swapped"), default=False)
    required_documents = ArrayField(
        models.CharField(max_length=16, choices=states.DocumentKind.choices),
        verbose_name=_("required documents"),
        default=list,
        blank=True,
    )
    commands = ArrayField(
        models.CharField(max_length=16, choices=states.CommandKind.choices),
        verbose_name=_("commands it obeys"),
        default=every_command,
        blank=True,
    )

    objects = Everybodys["VehicleType"].as_manager()

    class Meta:
        verbose_name = _("vehicle type")
        verbose_name_plural = _("vehicle types")
        ordering = ("code",)

    def __str__(self) -> str:
        return self.code

    @property
    def form(self) -> str:
        """Its GBFS form factor: the one given, else the usual one of its kind."""
        return self.form_factor or states.USUAL_FORM[self.kind].value


class VehicleQuerySet(FleetScoped["Vehicle"]):
    """Vehicles by whether a resident could take them."""

    staff_paths: ClassVar = ("organisation",)
    city_path = "city__organisation"

    def rentable(self) -> VehicleQuerySet:
        """In service, free, heard, and without any reason that blocks it."""
        blocked = VehicleBlock.objects.active().filter(vehicle=OuterRef("pk"))
        return self.filter(
            ~Exists(blocked),
            life_state=states.LifeState.IN_SERVICE,
            rental_state=states.RentalState.FREE,
            link_state=states.LinkState.ONLINE,
        )

    def of_form(self, form: str) -> VehicleQuerySet:
        """Vehicles of a GBFS form factor: by what their type says, else by its kind."""
        usual = [kind for kind, usual in states.USUAL_FORM.items() if usual == form]
        said = Q(type__form_factor=form)
        return self.filter(said | Q(type__form_factor="", type__kind__in=usual))

    def with_condition(self) -> VehicleQuerySet:
        """With type, latest state and `active_blocks` loaded in the same query."""
        reasons = VehicleBlock.objects.active().filter(vehicle=OuterRef("pk")).order_by("reason")
        loaded = {"active_blocks": ArraySubquery(reasons.values("reason"))}
        return self.select_related("type", "latest").annotate(**loaded)


class Vehicle(PublicModel):
    """One vehicle of an operator in a city."""

    organisation = models.ForeignKey(
        "mobility.Organisation",
        on_delete=models.PROTECT,
        related_name="vehicles",
        verbose_name=_("organisation"),
    )
    type = models.ForeignKey(
        VehicleType,
        on_delete=models.PROTECT,
        related_name="vehicles",
        verbose_name=_("type"),
    )
    city = models.ForeignKey(
        "mobility.City",
        on_delete=models.PROTECT,
        related_name="vehicles",
        verbose_name=_("city"),
    )
    home_hub = models.ForeignKey(
        "mobility.Hub",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="vehicles",
        verbose_name=_("home hub"),
    )
    code = models.CharField(_("code"), max_length=16, unique=True)
    plate = models.CharField(_("plate"), max_length=16, blank=True, validators=[PLATE_SHAPE])
    vin = models.CharField(_("VIN"), max_length=32, blank=True, validators=[VIN_SHAPE])
    # What the QR sticker on it carries: unlike `code`, it tells nothing of the next vehicle.
    qr_code = models.CharField(
        _("QR code"),
        max_length=20,
        unique=True,
        editable=False,
        db_default=_STICKER,
    )
    equipment = ArrayField(
        models.CharField(max_length=24, choices=states.Equipment.choices),
        verbose_name=_("equipment"),
        default=list,
        blank=True,
    )
    life_state = models.CharField(
        _("life"),
        max_length=16,
        choices=states.LifeState.choices,
        default=states.LifeState.DRAFT,
    )
    rental_state = models.CharField(
        _("rental"),
        max_length=16,
        choices=states.RentalState.choices,
        default=states.RentalState.FREE,
    )
    link_state = models.CharField(
        _("link"),
        max_length=16,
        choices=states.LinkState.choices,
        default=states.LinkState.LOST,
    )
    # Since when it stands outside the city's jurisdiction; the city is told "elsewhere".
    outside_since = models.DateTimeField(_("outside the city since"), null=True, editable=False)
    # Counts the commands ever given; a vehicle refuses a number below one it has obeyed.
    command_sequence = models.PositiveIntegerField(default=0, editable=False)

    moves: ClassVar = {
        "life_state": states.LIFE_MOVES,
        "rental_state": states.RENTAL_MOVES,
        "link_state": states.LINK_MOVES,
    }
    objects = VehicleQuerySet.as_manager()

    # Loaded by `with_condition()`.
    active_blocks: list[str]

    class Meta:
        verbose_name = _("vehicle")
        verbose_name_plural = _("vehicles")
        ordering = ("code",)
        indexes = (
            models.Index(fields=("organisation", "life_state"), name="fleet_vehicle_org_life"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("plate",),
                condition=~Q(plate=""),
                name="fleet_plate_once",
                violation_error_message=_("Another vehicle has this plate."),
            ),
            models.UniqueConstraint(
                fields=("vin",),
                condition=~Q(vin=""),
                name="fleet_vin_once",
                violation_error_message=_("Another vehicle has this VIN."),
            ),
        )

    def __str__(self) -> str:
        return self.code

    def clean(self) -> None:
        """Its home hub lies in its city, and its kind changes only indoors."""
        super().clean()
        if self.home_hub is not None and self.home_hub.city_id != self.city_id:
            raise ValidationError({"home_hub": rules.NO_SUCH_HUB})
        if self._state.adding:
            return
        kept = Vehicle.objects.select_related("type").filter(pk=self.pk).first()
        if kept is not None and not kept.may_become(self.type.kind):
            raise ValidationError({"type": rules.KIND_STAYS})

    def may_become(self, kind: str) -> bool:
        """Whether it may be made one of this kind now; see `rules.may_become`."""
        return rules.may_become(kind, now=self.kind, life=self.life_state, rental=self.rental_state)

    @property
    def kind(self) -> str:
        return self.type.kind


class VehicleBlockQuerySet(FleetScoped["VehicleBlock"]):
    """Blocks by whether they still hold."""

    def active(self) -> VehicleBlockQuerySet:
        return self.filter(until=None)


class VehicleBlock(models.Model):
    """One reason why a vehicle is not offered, from when until when."""

    vehicle = models.ForeignKey(
        Vehicle,
        on_delete=models.PROTECT,
        related_name="blocks",
        verbose_name=_("vehicle"),
    )
    reason = models.CharField(_("reason"), max_length=24, choices=states.BlockReason.choices)
    since = models.DateTimeField(_("since"))
    until = models.DateTimeField(_("until"), null=True, blank=True)
    placed_by = models.CharField(_("placed by"), max_length=100)
    lifted_by = models.CharField(_("lifted by"), max_length=100, blank=True)

    objects = VehicleBlockQuerySet.as_manager()

    class Meta:
        verbose_name = _("block")
        verbose_name_plural = _("blocks")
        ordering = ("-since", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("vehicle", "reason"),
                condition=Q(until=None),
                name="fleet_one_active_block_per_reason",
            ),
            models.CheckConstraint(
                condition=Q(until=None) | Q(until__gte=models.F("since")),
                name="fleet_block_ends_after_it_began",
            ),
        )

    def __str__(self) -> str:
        return f"{self.vehicle_id} {self.reason}"
