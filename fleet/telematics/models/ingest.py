"""How far each shard of the log is stored."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class IngestOffset(models.Model):
    """The last entry of a log shard that is stored; committed together with its points."""

    shard = models.PositiveSmallIntegerField(primary_key=True)
    last_id = models.CharField(max_length=40)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=~Q(last_id=""), name="fleet_offset_is_named"),
        )

    def __str__(self) -> str:
        return f"{self.shard}: {self.last_id}"
