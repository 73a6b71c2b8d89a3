"""When a web worker collects garbage: after an answer, not in the middle of one.

Left to itself, Python's collector starts whenever enough objects were made, which is in the middle of a
large page. What that page still uses counts as older from then on, and old garbage is collected seldom
and all at once: every tenth answer of a long list took 50 to 100 ms longer.

The server still holds an answer when it says that it is done with it. So most collections look at the
youngest objects only: the answer is in the next but one, and what other threads are at is met seldom.
"""

import gc
from typing import Any, Final

from django.core.signals import request_finished

# Objects made since the last collection; fewer are not worth a look.
YOUNG: Final = 2_000
# Past this many the collector starts by itself, however long the answer still takes.
TOO_MANY: Final = 50_000
# Collections of the youngest until those that outlived one are looked at, and of these until all are.
UNTIL_MIDDLE: Final = 10
UNTIL_ALL: Final = 20
_NEVER: Final = 1_000_000


def collect_between_requests() -> None:
    """From now on, in this process and those it forks: what is loaded stays, the rest goes after answers."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(TOO_MANY, UNTIL_MIDDLE, _NEVER)
    request_finished.connect(_collect, dispatch_uid="garbage")


def _collect(**_signal: Any) -> None:
    young, middle, old = gc.get_count()
    if young > YOUNG:
        gc.collect(2 if old >= UNTIL_ALL else 1 if middle >= UNTIL_MIDDLE else 0)
