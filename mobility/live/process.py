"""Puts the live process together: one broadcast, one thread with one database connection."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.db import close_old_connections

from mobility.core import clock
from mobility.live import queries
from mobility.live.audience import Audience
from mobility.live.broadcast import Broadcast
from mobility.live.gateway import LiveApplication
from mobility.live.rules import Picture


def make_application() -> LiveApplication:
    """The ASGI application, reading the real city."""
    # One thread: looks never overlap, and one connection is enough for any number of watchers.
    thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="live-look")

    watch = queries.Watch()

    def look_now(audiences: frozenset[Audience]) -> dict[Audience, Picture]:
        close_old_connections()
        return watch.pictures(audiences=audiences, at=clock.now())

    async def look(audiences: frozenset[Audience]) -> dict[Audience, Picture]:
        return await asyncio.get_running_loop().run_in_executor(thread, look_now, audiences)

    return LiveApplication(broadcast=Broadcast(look=look), origin=settings.PUBLIC_URL)
