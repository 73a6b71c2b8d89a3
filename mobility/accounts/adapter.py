"""What allauth asks of this house."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.urls import reverse


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # the package ships no types
    """Allauth's own, but for where somebody stands after logging in."""

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Staff at their desk, residents on the map; a page that somebody came for goes before both."""
        if getattr(request.user, "is_staff", False):
            return reverse("admin:index")
        return str(super().get_login_redirect_url(request))
