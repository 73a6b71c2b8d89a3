"""Admin pages of tokens, sessions and of messages nobody could process."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from charging.sessions import services
from charging.sessions.models import ChargingSession, InboxMessage, Token
from charging.sessions.states import Flag
from charging.stations.admin import OPERATORS
from mobility.accounts.scoped_admin import ReadOnly, ScopedAdmin, person_of
from mobility.core import clock


@admin.register(Token)
class TokenAdmin(ScopedAdmin[Token]):
    """Cards an operator issued."""

    editors = OPERATORS
    list_display = ("uid", "kind", "state", "expires_at", "group", "is_master", "label")
    list_filter = ("state", "kind")
    search_fields = ("uid", "label")
    # Places are chosen by name at the API, which knows whose they are.
    readonly_fields = (
        "uid", "kind", "state", "owner_ref", "organisation", "created_at", "only_sites", "only_evses",
    )  # fmt: skip
    addable = False
    actions = ("block", "unblock")

    @admin.action(description=_("Block"), permissions=["change"])
    def block(self, request: HttpRequest, tokens: QuerySet[Token]) -> None:
        """Let the tokens charge no more."""
        for token in tokens:
            services.block_token(uid=token.uid, at=clock.now(), by=person_of(request).principal)

    @admin.action(description=_("Unblock"), permissions=["change"])
    def unblock(self, request: HttpRequest, tokens: QuerySet[Token]) -> None:
        """Let the tokens charge again."""
        for token in tokens:
            services.unblock_token(uid=token.uid, at=clock.now(), by=person_of(request).principal)


class FlagFilter(admin.SimpleListFilter):
    """Sessions that staff should look at, by what is odd about them."""

    title = _("flag")
    parameter_name = "flag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """All flags there are."""
        return list(Flag.choices)

    def queryset(
        self,
        request: HttpRequest,
        queryset: QuerySet[ChargingSession],
    ) -> QuerySet[ChargingSession]:
        """Sessions that carry the flag."""
        return queryset.filter(flags__contains=[self.value()]) if self.value() else queryset


@admin.register(ChargingSession)
class ChargingSessionAdmin(ReadOnly, ScopedAdmin[ChargingSession]):
    """Sessions at an operator's stations."""

    viewers = OPERATORS
    list_display = (
        "started_at",
        "station",
        "connector",
        "state",
        "token_uid",
        "energy_wh",
        "price_cents",
        "flags",
    )
    list_filter = ("state", FlagFilter)
    list_select_related = ("station", "connector__evse__station")
    search_fields = ("station__identity", "transaction_ref", "token_uid")
    ordering = ("-id",)


@admin.register(InboxMessage)
class InboxMessageAdmin(ReadOnly, ScopedAdmin[InboxMessage]):
    """What stations said and we could not process; all the rest is no list for people."""

    viewers = OPERATORS
    list_display = ("at", "station", "action", "problem")
    list_select_related = ("station",)
    search_fields = ("station__identity",)
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[InboxMessage]:
        """Without what went well."""
        return super().get_queryset(request).exclude(problem="")
