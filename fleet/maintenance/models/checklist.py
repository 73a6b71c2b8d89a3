"""What must be looked at before a vehicle is offered again, and what was found."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from fleet.maintenance import states
from fleet.vehicles.scoping import FleetScoped
from fleet.vehicles.states import Kind
from mobility.core.models import PublicModel
from mobility.core.texts import LocalizedField, pick


class ChecklistTemplateQuerySet(FleetScoped["ChecklistTemplate"]):
    """Checklists of an operator."""

    staff_paths: ClassVar = ("organisation",)


class ChecklistTemplate(PublicModel):
    """A list of things to look at, of one operator."""

    organisation = models.ForeignKey(
        "mobility.Organisation",
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("organisation"),
    )
    name = LocalizedField(_("name"))
    # The list that a vehicle of this kind must pass when it leaves the workshop; empty for lists
    # that only rules name.
    gate_kind = models.CharField(
        _("gate for vehicles leaving the workshop"),
        max_length=16,
        choices=Kind.choices,
        blank=True,
    )

    objects = ChecklistTemplateQuerySet.as_manager()

    class Meta:
        verbose_name = _("checklist")
        verbose_name_plural = _("checklists")
        ordering = ("organisation", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "gate_kind"),
                condition=~Q(gate_kind=""),
                name="fleet_one_gate_per_kind",
            ),
        )

    def __str__(self) -> str:
        return pick(self.name)


class ChecklistItemQuerySet(FleetScoped["ChecklistItem"]):
    """Items of checklists."""

    staff_paths: ClassVar = ("template__organisation",)

    def current(self) -> ChecklistItemQuerySet:
        """Those that are still asked."""
        return self.filter(retired=False)


class ChecklistItem(models.Model):
    """One thing to look at. An item that was ever answered is retired, not deleted."""

    template = models.ForeignKey(
        ChecklistTemplate,
        on_delete=models.PROTECT,
        related_name="items",
        verbose_name=_("checklist"),
    )
    position = models.PositiveSmallIntegerField(_("position"))
    text = LocalizedField(_("what to look at"))
    required = models.BooleanField(_("required"), default=True)
    # What kind of fault it is when the item is not in order.
    category = models.CharField(
        _("fault category"),
        max_length=16,
        choices=states.FaultCategory.choices,
        default=states.FaultCategory.OTHER,
    )
    retired = models.BooleanField(_("no longer asked"), default=False)

    objects = ChecklistItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("checklist item")
        verbose_name_plural = _("checklist items")
        ordering = ("position", "id")

    def __str__(self) -> str:
        return pick(self.text)


class ChecklistAnswerQuerySet(FleetScoped["ChecklistAnswer"]):
    """Answers, seen with their order."""

    staff_paths: ClassVar = ("order__vehicle__organisation",)


class ChecklistAnswer(models.Model):
    """What was found at one item during one work order; the newest answer counts."""

    order = models.ForeignKey(
        "fleet.WorkOrder",
        on_delete=models.PROTECT,
        related_name="answers",
        verbose_name=_("work order"),
    )
    item = models.ForeignKey(
        ChecklistItem,
        on_delete=models.PROTECT,
        related_name="answers",
        verbose_name=_("item"),
    )
    verdict = models.CharField(_("verdict"), max_length=16, choices=states.Verdict.choices)
    note = models.CharField(_("note"), max_length=300, blank=True)
    at = models.DateTimeField(_("at"))
    by = models.CharField(_("by"), max_length=100)

    objects = ChecklistAnswerQuerySet.as_manager()

    class Meta:
        verbose_name = _("checklist answer")
        verbose_name_plural = _("checklist answers")
        ordering = ("item__position", "id")
        constraints = (
            models.UniqueConstraint(fields=("order", "item"), name="fleet_one_answer_per_item"),
        )

    def __str__(self) -> str:
        return f"{self.order_id} {self.item_id} {self.verdict}"
