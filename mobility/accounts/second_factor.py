"""The second factor of staff: a session that has not shown one carries no role.

A password alone makes a resident of anybody; what opens the desk, and the staff's doors of the API,
is a one-time code, a recovery code, or a key of WebAuthn besides. Tokens of programs are issued by
people who have shown theirs.
"""

from collections.abc import Callable
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from mobility.accounts.models import User
from mobility.core.errors import Forbidden
from mobility.core.middleware import STAFF_PAGES
from mobility.core.problems import CONTENT_TYPE, problem

SECOND = "mfa"
# Where a person without the second factor may go to set one up, and to leave.
OPEN_NAMESPACES = ("account_", "mfa_")
CODES = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)


class SecondFactorNeeded(Forbidden):
    """The password was right, and is not enough."""

    code = "second_factor_needed"
    message = _("Staff need a second factor to sign in. Set one up in the account's security page.")


def shown(request: HttpRequest, user: User) -> bool:
    """Whether this very session has shown a second factor of `user`; no query."""
    return any(proof.get("method") == SECOND for proof in get_authentication_records(request, user))


def is_enough(*, user: User, code: str) -> bool:
    """Whether a password and `code` together may sign a program in as `user`.

    Whoever has a second factor must show it, and staff must have one where it is required. A code
    counts once.
    """
    if not is_mfa_enabled(user):
        return not (settings.STAFF_SECOND_FACTOR and user.is_staff)
    known = Authenticator.objects.filter(user=user, type__in=CODES)
    return bool(code) and any(one.wrap().validate_code(code) for one in known)


class SecondFactorMiddleware:
    """Takes the roles out of sessions that have shown no second factor, and shows staff the way to one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Keep the next one in line."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Judge the person when somebody asks for them, not before: most requests never do."""
        if settings.STAFF_SECOND_FACTOR:
            known: Any = request.user
            request.user = SimpleLazyObject(lambda: _judged(request, known))  # type: ignore[assignment]
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        """The way to the second factor, or None to go on."""
        if not settings.STAFF_SECOND_FACTOR or _is_open(request):
            return None
        staff_page = request.path.startswith(STAFF_PAGES)
        if not staff_page and "sessionid" not in request.COOKIES:
            return None
        user: Any = request.user
        lacking = getattr(user, "lacks_second_factor", False)
        # An administrator is none by a role but by a flag that every room asks for: no page at all.
        if not lacking or not (user.is_superuser or (staff_page and user.memberships.exists())):
            return None
        if request.path.startswith("/api/"):
            needed = SecondFactorNeeded()
            body = problem(code=needed.code, status=needed.status, detail=str(needed.detail))
            return JsonResponse(body, status=needed.status, content_type=CONTENT_TYPE)
        messages.warning(request, SecondFactorNeeded.message)
        page = "mfa_reauthenticate" if is_mfa_enabled(user) else "mfa_index"
        back = urlencode({REDIRECT_FIELD_NAME: request.get_full_path()})
        return HttpResponseRedirect(f"{reverse(page)}?{back}")


def _judged(request: HttpRequest, known: Any) -> Any:
    if isinstance(known, SimpleLazyObject):
        known.is_authenticated  # noqa: B018 - loads who is behind it
        known = known._wrapped
    if isinstance(known, User):
        known.lacks_second_factor = not shown(request, known)
    return known


def _is_open(request: HttpRequest) -> bool:
    match = request.resolver_match
    name = (match.url_name or "") if match else ""
    return name.startswith(OPEN_NAMESPACES) or name in {
        "set_language",
        "healthz",
        "readyz",
        "login",
        "logout",
    }
