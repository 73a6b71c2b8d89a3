"""Tokens: what a person or a vehicle shows to a station."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from charging.sessions.states import TOKEN_MOVES, TokenKind, TokenState
from mobility.accounts.scoping import OrganisationScoped
from mobility.accounts.states import Role
from mobility.core.models import PublicModel


class TokenQuerySet(OrganisationScoped["Token"]):
    """Tokens by issuer; people's own app tokens are on no operator's list."""

    staff_roles = frozenset({Role.CHARGE_POINT_OPERATOR})


class Token(PublicModel):
    """A card, an app's or a vehicle's identifier; `uid` is stored in capitals (`normal_uid`)."""

    moves: ClassVar = {"state": TOKEN_MOVES}

    uid = models.CharField(_("identifier"), max_length=64, unique=True)
    kind = models.CharField(_("kind"), max_length=8, choices=TokenKind, default=TokenKind.RFID)
    state = models.CharField(
        _("state"),
        max_length=8,
        choices=TokenState,
        default=TokenState.ACCEPTED,
    )
    # Why it is blocked: a debt lifts its own block, and no other.
    block_reason = models.CharField(_("blocked because of"), max_length=20, blank=True)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    group = models.CharField(
        _("group"),
        max_length=36,
        blank=True,
        help_text=_("Tokens of one group may stop each other's sessions."),
    )
    allows_parallel = models.BooleanField(
        _("several sessions at a time"),
        default=False,
    )
    is_master = models.BooleanField(
        _("master pass"),
        default=False,
        help_text=_("Ends anybody's session and begins none."),
    )
    # Ids of sites and EVSEs; plain numbers, because a verdict reads one row and joins nothing.
    only_sites = ArrayField(
        models.BigIntegerField(), verbose_name=_("only at these sites"), default=list, blank=True
    )
    only_evses = ArrayField(
        models.BigIntegerField(), verbose_name=_("only at these EVSEs"), default=list, blank=True
    )
    owner_ref = models.CharField(_("owner"), max_length=100, blank=True)
    organisation = models.ForeignKey(
        "mobility.Organisation",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="charging_tokens",
        verbose_name=_("issued by"),
    )
    label = models.CharField(_("label"), max_length=80, blank=True)
    created_at = models.DateTimeField(_("created at"))

    objects = TokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("token")
        verbose_name_plural = _("tokens")
        indexes: ClassVar = [models.Index(fields=["owner_ref"], name="token_owner")]

    def __str__(self) -> str:
        return self.label or f"…{self.uid[-4:]}"
