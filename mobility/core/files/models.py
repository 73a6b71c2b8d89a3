"""Private files: what a picture or an archive is for, whose it is, and when it must go."""

import datetime
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from mobility.core.models import PublicModel


class StoredFileQuerySet(models.QuerySet["StoredFile"]):
    """Files by whether their content is still there."""

    def present(self) -> Self:
        """Those whose content has not been removed."""
        return self.filter(removed_at__isnull=True)

    def outlived(self, at: datetime.datetime) -> Self:
        """Those whose time is over."""
        return self.present().filter(delete_after__lte=at)


class StoredFile(PublicModel):
    """What is known of one private file; the content lies in a folder that only we can read.

    The row outlives the content, so that who refers to it sees that it was there and when it went.
    """

    purpose = models.CharField(_("purpose"), max_length=40)
    # A principal and a number instead of foreign keys: people and organisations are above the core.
    owner = models.CharField(_("owner"), max_length=100)
    organisation_id = models.BigIntegerField(_("organisation"), null=True, blank=True)
    sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True)
    content_type = models.CharField(_("content type"), max_length=80)
    size = models.PositiveBigIntegerField(_("size in bytes"))
    width = models.PositiveIntegerField(_("width in pixels"), null=True, blank=True)
    height = models.PositiveIntegerField(_("height in pixels"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"))
    delete_after = models.DateTimeField(_("delete after"), null=True, blank=True)
    # Only of purposes that are handed out once.
    taken_at = models.DateTimeField(_("taken at"), null=True, blank=True)
    removed_at = models.DateTimeField(_("removed at"), null=True, blank=True)

    objects = StoredFileQuerySet.as_manager()

    class Meta:
        verbose_name = _("stored file")
        verbose_name_plural = _("stored files")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(removed_at__isnull=True) | Q(sha256=""), name="removed_file_is_empty"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["delete_after"],
                name="file_delete_after",
                condition=Q(removed_at__isnull=True),
            ),
            models.Index(fields=["owner", "purpose"], name="file_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.public_id}"

    def as_json(self) -> dict[str, Any]:
        """What its owner may know about it, for exports and answers."""
        return {
            "id": str(self.public_id),
            "purpose": self.purpose,
            "content_type": self.content_type,
            "size": self.size,
            "created_at": self.created_at.isoformat(),
            "delete_after": self.delete_after.isoformat() if self.delete_after else None,
            "removed_at": self.removed_at.isoformat() if self.removed_at else None,
        }
