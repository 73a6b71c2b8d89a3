"""The web process: pages, API, and the telemetry door, which devices reach past all middleware."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mobility.settings")

# Before anything of ours is imported: this sets Django up.
pages = get_wsgi_application()

from fleet.telematics.views import telemetry  # noqa: E402
from mobility.accounts.services import TOKEN_PREFIX  # noqa: E402
from mobility.core.direct import DirectHandler, ProgramHandler, by_path, by_token  # noqa: E402
from mobility.urls import urlpatterns  # noqa: E402, F401 - else loaded by the first request

application = by_path(
    {"/api/v1/telemetry": DirectHandler(telemetry)},
    otherwise=by_token(TOKEN_PREFIX, programs=ProgramHandler(), otherwise=pages),
)
