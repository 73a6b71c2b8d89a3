"""Register of the admin pages of this app's features."""

from mobility.accounts import admin as accounts_admin
from mobility.core import admin as core_admin
from mobility.geography import admin as geography_admin
from mobility.webhooks import admin as webhook_admin

__all__ = ["accounts_admin", "core_admin", "geography_admin", "webhook_admin"]
