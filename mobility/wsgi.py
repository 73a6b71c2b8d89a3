"""The web process: pages, API, telemetry door."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mobility.settings")

application = get_wsgi_application()
