"""Writes about devices; one module per kind of thing."""

from charging.devices.services.bounds import (
    MOST,
    by_station,
    fitting,
    note_overflow,
    of_today,
)
from charging.devices.services.costs import tell_final_cost, tell_prices, tell_running_costs
from charging.devices.services.displays import (
    keep_displays,
    note_display_cleared,
    note_display_set,
)
from charging.devices.services.jobs import (
    begin_firmware,
    begin_log,
    fetch_log,
    give_up_jobs,
    note_firmware_answer,
    note_job_status,
    note_log_answer,
)
from charging.devices.services.lists import (
    manage_list,
    note_list_answer,
    note_list_version,
    send_list,
    tend_lists,
    wanted_entries,
)
from charging.devices.services.monitors import (
    keep_events,
    keep_monitors,
    note_monitors_cleared,
    note_monitors_set,
)
from charging.devices.services.recording import record_facts
from charging.devices.services.reports import (
    KIND_OF,
    begin_report,
    give_up_reports,
    note_report_answer,
    report_items,
    take_part,
)
from charging.devices.services.retention import forget_records
from charging.devices.services.swaps import keep_swaps
from charging.devices.services.uploads import UploadRefused, take_upload
from charging.devices.services.variables import (
    VariableRepeated,
    keep_variables,
    note_variables,
    read_variables,
    write_variables,
)

__all__ = [
    "KIND_OF",
    "MOST",
    "UploadRefused",
    "VariableRepeated",
    "begin_firmware",
    "begin_log",
    "begin_report",
    "by_station",
    "fetch_log",
    "fitting",
    "forget_records",
    "give_up_jobs",
    "give_up_reports",
    "keep_displays",
    "keep_events",
    "keep_monitors",
    "keep_swaps",
    "keep_variables",
    "manage_list",
    "note_display_cleared",
    "note_display_set",
    "note_firmware_answer",
    "note_job_status",
    "note_list_answer",
    "note_list_version",
    "note_log_answer",
    "note_monitors_cleared",
    "note_monitors_set",
    "note_overflow",
    "note_report_answer",
    "note_variables",
    "of_today",
    "read_variables",
    "record_facts",
    "report_items",
    "send_list",
    "take_part",
    "take_upload",
    "tell_final_cost",
    "tell_prices",
    "tell_running_costs",
    "tend_lists",
    "wanted_entries",
    "write_variables",
]
