"""Doors that open by role."""

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView


def HasRole(*roles: str) -> type[BasePermission]:  # noqa: N802 - used like a class in permission_classes
    """A permission for people who have one of `roles` in some organisation; rows are scoped besides."""

    class RolePermission(BasePermission):
        def has_permission(self, request: Request, view: APIView) -> bool:
            return bool(request.user and request.user.is_authenticated and request.user.has_role(*roles))

    return RolePermission
