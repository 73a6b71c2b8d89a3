"""The live process: event streams for maps. The pages and the API run under WSGI."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mobility.settings")
django.setup()

# Models can be imported only after the set-up.
from mobility.live.process import make_application  # noqa: E402

application = make_application()
