"""Doors that open by role."""

from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from mobility.accounts.models import User


def HasRole(*roles: str) -> type[BasePermission]:  # noqa: N802 - used like a class in permission_classes
    """A permission for people who have one of `roles` in some organisation; rows are scoped besides."""

    class RolePermission(BasePermission):
        def has_permission(self, request: Request, view: APIView) -> bool:
            return bool(
                request.user and request.user.is_authenticated and request.user.has_role(*roles)
            )

    return RolePermission


def signed_in(request: Request) -> User:
    """The person behind a request that a permission has let in."""
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user
