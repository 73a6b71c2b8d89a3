"""What can go wrong, said once: a stable code for programs, a sentence for people (RFC 9457).

DomainError
├── Invalid        422  the request says something that cannot be
├── Forbidden      403  known who you are, and it is not yours to do
├── NotFound       404  no such thing, or not one you may see
├── Conflict       409  the world does not allow it now
├── Gone           410  it was there, and its time is over
└── Unavailable    503  we cannot at the moment; trying again is right

Features subclass these beside the function that raises them.
"""

from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class DomainError(Exception):
    """A refusal with a stable `code`; `message` tells a person what to do, with `%(name)s` parameters."""

    code: ClassVar[str] = "conflict"
    status: ClassVar[int] = 409
    message: ClassVar[str | Promise] = _("This is not possible now.")

    def __init__(self, *, extra: dict[str, Any] | None = None, **params: Any) -> None:
        super().__init__(self.code, params)
        self.params = params
        # Merged into the problem body for programs: lists of conditions, alternatives, limits.
        self.extra = extra or {}

    @property
    def detail(self) -> str:
        """The sentence in the active language."""
        return str(self.message) % self.params if self.params else str(self.message)

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


class Invalid(DomainError):
    """The request cannot be understood or says something impossible."""

    code = "invalid"
    status = 422
    message = _("Something in the request is not right.")


class Forbidden(DomainError):
    """The person is known and may not do this."""

    code = "forbidden"
    status = 403
    message = _("You are not allowed to do this.")


class NotFound(DomainError):
    """Nothing there that this person may see."""

    code = "not_found"
    status = 404
    message = _("We could not find this.")


class Conflict(DomainError):
    """The world does not allow it at this moment."""

    code = "conflict"
    status = 409


class Gone(DomainError):
    """It existed and its time is over."""

    code = "gone"
    status = 410
    message = _("This is no longer available.")


class Unavailable(DomainError):
    """The platform cannot do it at this moment; the same request may succeed later."""

    code = "unavailable"
    status = 503
    message = _("This is not available right now. Please try again in a moment.")
