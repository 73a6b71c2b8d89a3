"""Admin pages of records, signed values, meter keys and terminal payments: to be read."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from charging.sessions import services
from charging.sessions.models import ChargeRecord, MeterKey, SignedValue
from charging.stations.admin import OPERATORS
from mobility.accounts.scoped_admin import ReadOnly, ScopedAdmin, person_of
from mobility.core import clock
from mobility.core.errors import DomainError


@admin.register(ChargeRecord)
class ChargeRecordAdmin(ReadOnly, ScopedAdmin[ChargeRecord]):
    """An operator's charge detail records and credits."""

    viewers = OPERATORS
    list_display = (
        "number",
        "kind",
        "issued_at",
        "session",
        "energy_wh",
        "gross_cents",
        "signature",
    )
    list_filter = ("kind", "signature")
    list_select_related = ("session",)
    search_fields = ("number", "session__transaction_ref", "session__token_uid")
    date_hierarchy = "issued_at"
    ordering = ("-id",)


@admin.register(SignedValue)
class SignedValueAdmin(ReadOnly, ScopedAdmin[SignedValue]):
    """What meters signed, and what came of verifying it."""

    viewers = OPERATORS
    list_display = ("at", "station", "session", "context", "state", "register_wh", "meter_serial")
    list_filter = ("state",)
    list_select_related = ("station", "session")
    search_fields = ("station__identity", "meter_serial", "session__transaction_ref")
    ordering = ("-id",)
    actions = ("verify",)

    @admin.action(description=_("Verify the sessions anew"), permissions=["view"])
    def verify(self, request: HttpRequest, values: QuerySet[SignedValue]) -> None:
        """With the keys that are known by now."""
        person = person_of(request)
        own = SignedValue.objects.visible_to(person).filter(pk__in=values)
        sessions = set(own.exclude(session=None).values_list("session_id", flat=True))
        for session_id in sorted(filter(None, sessions)):
            try:
                services.verify_again(session_id=session_id, at=clock.now(), by=person.principal)
            except DomainError as problem:
                self.message_user(request, problem.detail, messages.ERROR)
        self.message_user(request, _("%d sessions verified.") % len(sessions), messages.SUCCESS)


@admin.register(MeterKey)
class MeterKeyAdmin(ReadOnly, ScopedAdmin[MeterKey]):
    """The keys of meters; new ones are entered through the API, where they are checked."""

    viewers = OPERATORS
    list_display = ("station", "evse", "curve", "source", "valid_from", "valid_until")
    list_filter = ("source", "curve")
    list_select_related = ("station", "evse__station")
    search_fields = ("station__identity", "fingerprint")
    ordering = ("-id",)
