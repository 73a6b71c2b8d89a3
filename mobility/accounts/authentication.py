"""Who is calling: `Authorization: Bearer usr_…` names a person's program."""

import datetime

import structlog
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from mobility.accounts.models import ApiToken, User
from mobility.accounts.services import TOKEN_PREFIX
from mobility.core import clock, ids
from mobility.core.prepared import prepared

# Often enough to see that a token is in use, seldom enough not to write on every call.
LAST_USED_STEP = datetime.timedelta(hours=1)


class TokenRefused(exceptions.AuthenticationFailed):
    """The token is unknown, revoked or expired; which of them is nobody's business."""

    default_code = "token_refused"
    default_detail = _("This token is not valid. Sign in again.")


@prepared
def _valid(*, secret_hash: str, at: datetime.datetime) -> "QuerySet[ApiToken]":
    valid = ApiToken.objects.valid_at(at).select_related("user")
    return valid.filter(secret_hash=secret_hash, user__is_active=True)


class BearerTokenAuthentication(BaseAuthentication):
    """Finds the person behind a token; tokens of other peers (devices) are left to their own doors."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """The person and the token, None if there is none of ours, `TokenRefused` if it is no good."""
        scheme, _space, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer" or not secret.startswith(TOKEN_PREFIX):
            return None
        at = clock.now()
        token = _valid.first(secret_hash=ids.hash_secret(secret.strip()), at=at)
        if token is None:
            raise TokenRefused
        if token.last_used_at is None or at - token.last_used_at > LAST_USED_STEP:
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=at)
        structlog.contextvars.bind_contextvars(principal=token.user.principal)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return 'Bearer realm="api"'
