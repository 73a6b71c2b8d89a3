"""Who is told in which way, and when a device is tried again: no database, no network."""

import datetime
from collections.abc import Mapping

from mobility.notifications.states import Channel, Topic

# Nobody looks at a mail within the minutes in which these matter; and a mail for every ride is
# something that one asks for.
_ONLY_PUSH = frozenset({Topic.HOLD, Topic.RIDE, Topic.CHARGING, Topic.RECEIPT})
# What we have to tell in writing: whoever owes something, or may no longer ride, must hear of it.
REQUIRED = frozenset({(Topic.MONEY, Channel.MAIL), (Topic.ACCOUNT, Channel.MAIL)})
# A device that is off for the night still tells in the morning, unless the moment has passed by then.
GOOD_FOR: Mapping[str, datetime.timedelta] = {
    Topic.HOLD: datetime.timedelta(minutes=5),
    Topic.RIDE: datetime.timedelta(minutes=30),
    Topic.CHARGING: datetime.timedelta(hours=2),
    Topic.BOOKING: datetime.timedelta(hours=2),
}
GOOD_FOR_OTHERWISE = datetime.timedelta(days=1)
# The lines on a lock screen; longer ones are cut by every system.
LONGEST_TITLE, LONGEST_BODY = 80, 240
PAUSES = tuple(datetime.timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3600))
MOST_DEVICES = 10
# What push services answer for a subscription that is no more (RFC 8030 §7.3).
GONE = frozenset({404, 410})

Choices = Mapping[tuple[str, str], bool]


def is_wanted(topic: str, channel: str, choices: Choices) -> bool:
    """Whether a person wants to be told of `topic` by `channel`; `choices` holds what they said."""
    if (topic, channel) in REQUIRED:
        return True
    return choices.get((topic, channel), channel == Channel.PUSH or topic not in _ONLY_PUSH)


def good_for(topic: str) -> datetime.timedelta:
    """How long a notification is worth showing after it came up."""
    return GOOD_FOR.get(topic, GOOD_FOR_OTHERWISE)


def pause_after(attempts: int, *, wish_s: int | None = None) -> datetime.timedelta | None:
    """How long to wait after `attempts` that failed, at least what `Retry-After` asks; None: no more."""
    if attempts > len(PAUSES):
        return None
    pause = PAUSES[max(attempts, 1) - 1]
    return max(pause, datetime.timedelta(seconds=wish_s)) if wish_s else pause


def shortened(text: str, longest: int) -> str:
    """`text` on one line of at most `longest` characters."""
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def device_name(agent: str) -> str:
    """What a person would call the device behind a `User-Agent`: "Firefox · Android"."""
    browsers = {
        "Edg": "Edge", "OPR": "Opera", "SamsungBrowser": "Samsung Internet", "Firefox": "Firefox",
        "Chrome": "Chrome", "Safari": "Safari",
    }  # fmt: skip
    systems = {
        "Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows",
        "Macintosh": "Mac", "CrOS": "ChromeOS", "Linux": "Linux",
    }  # fmt: skip
    found = (
        next((name for mark, name in words.items() if mark in agent), "")
        for words in (browsers, systems)
    )
    return " · ".join(filter(None, found))
