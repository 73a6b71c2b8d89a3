"""`/profile/notifications/`: what one wants to hear of and in which way, one's devices, what one was told."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from mobility.notifications import keys, queries, rules, services
from mobility.notifications.models import Notification, PushDevice
from mobility.notifications.states import Channel, Topic
from mobility.resident import texts
from mobility.resident.pages import OwnPage

LATEST = 20


class NotificationsView(OwnPage):
    """What to hear of."""

    template = "resident/profile/notifications.html"
    tab = "profile"
    same_door = "api:me-push-devices"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Every topic with its ways, the devices, the latest."""
        chosen = queries.choices_of(self.person)
        rows = [
            {
                "topic": topic,
                "title": topic.label,
                "ways": [
                    {
                        "name": f"{topic}-{channel}",
                        "label": channel.label,
                        "wanted": rules.is_wanted(topic, channel, chosen),
                        "always": (topic, channel) in rules.REQUIRED,
                    }
                    for channel in Channel
                ],
            }
            for topic in Topic
        ]
        told = Notification.objects.visible_to(self.person).order_by("-at", "-id")[:LATEST]
        devices = PushDevice.objects.visible_to(self.person).order_by("-added_at", "-id")
        return self.show(
            rows=rows,
            told=told,
            devices=devices,
            push=bool(keys.application_key()),
            page={"application_key": keys.application_key(), "texts": texts.rendered()},
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        """Keep all of it as the boxes say."""
        wanted = {
            (str(topic), str(channel)): f"{topic}-{channel}" in request.POST
            for topic in Topic
            for channel in Channel
        }
        services.choose(user=self.person, wanted=wanted)
        return self.done(_("We have noted what you want to hear of."), request.path)


class DeviceView(OwnPage):
    """Take one device away."""

    same_door = "api:me-push-devices"

    def post(self, request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
        """No more notifications there."""
        own = PushDevice.objects.visible_to(self.person)
        services.remove_device(device=get_object_or_404(own, public_id=public_id))
        return self.done(_("This device is told nothing any more."), self.way_back())

    def way_back(self) -> str:
        """The page with the devices."""
        return reverse("resident:notifications")
