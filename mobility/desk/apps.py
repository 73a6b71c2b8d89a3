"""Which site the admin is."""

from django.contrib.admin.apps import AdminConfig


class DeskConfig(AdminConfig):
    """Django's admin with our site in it."""

    default_site = "mobility.desk.site.DeskSite"
