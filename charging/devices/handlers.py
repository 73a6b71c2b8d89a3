"""What devices do when commands are queued and when they end, and when a charge has its price."""

from __future__ import annotations

from datetime import datetime

from charging.devices import services
from charging.devices.queries import shows_costs
from charging.sessions.events import SessionPriced
from charging.stations.followers import follow
from charging.stations.states import CommandAction as Action
from mobility.core import outbox

follow([Action.GET_VARIABLES, Action.SET_VARIABLES], finished=services.note_variables)
follow(
    [Action.UPDATE_FIRMWARE],
    queued=services.begin_firmware,
    finished=services.note_firmware_answer,
)
follow([Action.GET_LOG], queued=services.begin_log, finished=services.note_log_answer)
follow(services.KIND_OF, queued=services.begin_report, finished=services.note_report_answer)
follow([Action.SEND_LIST], finished=services.note_list_answer)
follow([Action.GET_LIST_VERSION], finished=services.note_list_version)
follow([Action.SET_MONITORING], finished=services.note_monitors_set)
follow([Action.CLEAR_MONITORING], finished=services.note_monitors_cleared)
follow([Action.SET_DISPLAY], finished=services.note_display_set)
follow([Action.CLEAR_DISPLAY], finished=services.note_display_cleared)


def _is_shown(event: SessionPriced) -> bool:
    return shows_costs(identity=event.station_identity)


@outbox.handles(SessionPriced, when=_is_shown)
def on_session_priced(event: SessionPriced, *, at: datetime) -> None:
    """A 1.6 station shows what the charge has cost."""
    services.tell_final_cost(session_id=event.session_id, at=at)
