"""The sentences that the crews' script says; everything else stands in templates.

`{name}` parts are filled in by the browser, so no text here uses gettext's own parameters.
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

TEXTS: dict[str, str | Promise] = {
    "error_network": _("No connection. Check your network; we keep trying."),
    "error_server": _("Something went wrong on our side. Please try again."),
    "map_label": _("Map of your route; the list shows the same."),
    "kind_scooter": _("E-scooter"),
    "kind_bicycle": _("E-bike"),
    "kind_car": _("E-car"),
    "van_number": _("Van {number}"),
    "van_stops": _("{count} stops, worth {value}"),
    "van_crew": _("driven by {name}"),
    "progress": _("{done} of {total} done, {value} left to earn"),
    "load_packs": _("{count} × battery for {model} ({wh} Wh)"),
    "load_bring": _("Room for {count} × {kind} to pick up"),
    "load_drop": _("{count} × {kind} to drop off"),
    "load_nothing": _("Nothing to load."),
    "aboard": _("Aboard: {codes}"),
    "task_move_pickup": _("Pick up {kind}"),
    "task_move_dropoff": _("Drop off {count} × {kind}"),
    "task_swap_battery": _("Swap the battery of {kind}"),
    "task_unload": _("Unload {count} at the workshop"),
    "task_drive_to_charge": _("Drive {kind} to a charger"),
    "finish_move_pickup": _("It is on the van"),
    "finish_move_dropoff": _("They stand here"),
    "finish_swap_battery": _("Battery swapped"),
    "finish_unload": _("They are at the workshop"),
    "finish_drive_to_charge": _("It is plugged in"),
    "on_the_street": _("On the street"),
    "planned": _("about {when}"),
    "due": _("due {when}"),
    "worth_short": _("worth {value}"),
    "state_taken": _("You have it"),
    "state_here": _("You are there"),
    "checked": _("{code} checked"),
    "pack": _("Serial number of the battery put in"),
    "pack_slot": _("Serial number of the battery in slot {number}"),
    "choose_aboard": _("Tick the vehicles you put down."),
    "over_done": _("done"),
    "over_dropped": _("given up"),
    "unsent": _("not sent yet"),
    "unsent_one": _("1 thing is not sent yet."),
    "unsent_many": _("{count} things are not sent yet."),
    "state_sending": _("Sending…"),
    "state_waiting": _("No network: they are kept here and sent later. Go on."),
    "state_log_in": _("You are logged out. Your work is kept here and sent when you are back."),
    "log_in": _("Log in"),
    "as_of": _("Seen at {when}"),
    "case": _("Reported: case {number}."),
    "photo_kept": _("The photo is kept and will be sent."),
    "photo_unreadable": _("This is not a picture we can read. Send a JPEG, PNG or WebP."),
    "scan_vehicle": _("Scan the code on {code}"),
    "scan_pack": _("Scan the code on the battery"),
    "scan_other": _("This is {read}, not {code}. Look for the right one."),
    "scan_by_hand": _("This phone cannot read codes: type what is on the sticker."),
    "scan_no_camera": _("No camera: type what is on the sticker."),
    "told_too_old": _("This was done more than a day ago and was not sent."),
    "do_rented": _("Somebody is riding it. Leave it and go on with the next stop."),
    "do_moved": _("It has left this place. Go on with the next stop."),
    "do_replanned": _("The plan was revised and does without it. Follow the new route."),
    "do_closed": _("The plan is closed. Ask the office before you go on."),
    "do_other_crew": _("Another crew has it. Leave it to them and go on."),
    "do_put_back": _(
        "What you did there meanwhile was not counted: put it back as it was, or call the office."
    ),
    "do_look": _("It was over already. Look at the route, it shows how it stands."),
    "do_check_van": _("Look at what is on your van, tick it and say so again."),
    "do_again": _("Put it right and say again that it is done."),
    "do_next": _("Go on with the next stop."),
    "do_office": _("Call the office if it matters."),
}


def rendered() -> dict[str, str]:
    """All of them in the language of the request."""
    return {key: str(text) for key, text in TEXTS.items()}
