"""Rows that every room shares: public ids, the audit trail, the outbox, remembered answers."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from mobility.core import ids


class PublicModel(models.Model):
    """A row with a bigint inside and a time-ordered UUID outside."""

    public_id = models.UUIDField(_("public id"), default=ids.uuid7, unique=True, editable=False)

    class Meta:
        abstract = True


class AuditEntry(models.Model):
    """Who did what to which row, when and why. Append-only: a trigger refuses UPDATE and DELETE."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(_("at"))
    by = models.CharField(_("by"), max_length=100)
    action = models.CharField(_("action"), max_length=80)
    row = models.CharField(_("row"), max_length=120)
    changes = models.JSONField(_("changes"), default=dict)
    request_id = models.CharField(_("request id"), max_length=64, blank=True)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        indexes: ClassVar = [
            models.Index(fields=["row", "-at"], name="audit_row_at"),
            models.Index(fields=["by", "-at"], name="audit_by_at"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.by} {self.action} {self.row}"


class OutboxEvent(models.Model):
    """A fact that others must hear of, committed with the change that made it true."""

    id = models.BigAutoField(primary_key=True)
    event_id = models.UUIDField(_("event id"), default=ids.uuid7, unique=True)
    name = models.CharField(_("name"), max_length=100)
    payload = models.JSONField(_("payload"))
    at = models.DateTimeField(_("at"))
    request_id = models.CharField(_("request id"), max_length=64, blank=True)
    dispatched_at = models.DateTimeField(_("dispatched at"), null=True)
    handled_at = models.DateTimeField(_("handled at"), null=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    # Set only when every retry is used up; staff see it and decide.
    failed_at = models.DateTimeField(_("failed at"), null=True)
    error = models.TextField(_("error"), blank=True)

    class Meta:
        verbose_name = _("outbox event")
        verbose_name_plural = _("outbox events")
        indexes: ClassVar = [
            # The relay and the sweeper look only at what is not done; both stay small for ever.
            models.Index(
                fields=["id"],
                name="outbox_undispatched",
                condition=models.Q(dispatched_at__isnull=True),
            ),
            models.Index(
                fields=["dispatched_at"],
                name="outbox_unhandled",
                condition=models.Q(handled_at__isnull=True, failed_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.event_id}"


class HandledEvent(models.Model):
    """That one handler has dealt with one event; makes delivery at least once act once."""

    id = models.BigAutoField(primary_key=True)
    event_id = models.UUIDField(_("event id"))
    handler = models.CharField(_("handler"), max_length=160)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("handled event")
        verbose_name_plural = _("handled events")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event_id", "handler"], name="handled_once"),
        ]

    def __str__(self) -> str:
        return f"{self.handler} {self.event_id}"


class IdempotencyKey(models.Model):
    """The answer to a writing call, kept so that a repeated call gets the same one."""

    id = models.BigAutoField(primary_key=True)
    principal = models.CharField(_("principal"), max_length=100)
    key = models.CharField(_("key"), max_length=128)
    request_hash = models.CharField(_("request hash"), max_length=64)
    status = models.PositiveSmallIntegerField(_("status"), null=True)
    body = models.BinaryField(_("body"), null=True)
    content_type = models.CharField(_("content type"), max_length=80, blank=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("idempotency key")
        verbose_name_plural = _("idempotency keys")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["principal", "key"], name="idempotency_key_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["at"], name="idempotency_at")]

    def __str__(self) -> str:
        return f"{self.principal} {self.key}"
