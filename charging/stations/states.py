"""The words of stations, connectors and the commands to them, and their declared moves."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Registration(models.TextChoices):
    """Whether we serve this station; the answer to its boot."""

    PENDING = "pending", _("Pending")
    ACCEPTED = "accepted", pgettext_lazy("station", "Accepted")
    REJECTED = "rejected", pgettext_lazy("station", "Rejected")


REGISTRATION_MOVES: Final[dict[str, frozenset[str]]] = {
    Registration.PENDING: frozenset({Registration.ACCEPTED, Registration.REJECTED}),
    Registration.ACCEPTED: frozenset({Registration.PENDING, Registration.REJECTED}),
    Registration.REJECTED: frozenset({Registration.PENDING, Registration.ACCEPTED}),
}


class ConnectorStatus(models.TextChoices):
    """OCPP 2.0.1 ConnectorStatusEnumType; the finer words of 1.6 are kept as a detail."""

    UNKNOWN = "Unknown", _("Unknown")
    AVAILABLE = "Available", _("Available")
    OCCUPIED = "Occupied", _("Occupied")
    RESERVED = "Reserved", _("Reserved")
    UNAVAILABLE = "Unavailable", _("Unavailable")
    FAULTED = "Faulted", _("Faulted")


class Availability(models.TextChoices):
    """Whether we want a connector to serve drivers; the station follows when it can."""

    OPERATIVE = "operative", _("In service")
    SCHEDULED = "scheduled", _("Out of service after this charge")
    INOPERATIVE = "inoperative", _("Out of service")


class CommandAction(models.TextChoices):
    """What can be asked of a station, with the keys of the command's payload.

    Every version, said in its own words:

    remote_start         token_uid, token_kind, remote_start_id, limit_cents? (the evse is on the
                         command)
    remote_stop          transaction_ref
    reset                kind: "soft" | "hard"
    unlock               –
    change_availability  operative: bool (the whole station when no connector is given)
    trigger              message: "status" | "boot" | "heartbeat" | "meter_values" | "firmware"
                         | "log" | "sign_certificate" | "sign_v2g_certificate" | "transaction"
    reserve              reservation_id, token_uid, token_kind, until (ISO 8601), group?
    cancel_reservation   reservation_id
    get_variables        variables: [{name, component?, component_instance?, evse?, connector?,
                         instance?, attribute?}]; in 1.6 only names, none of them asks for all
    set_variables        variables: the same with value; in 1.6 exactly one
    set_password         password (forgotten here as soon as the command is over)
    get_list_version     –
    send_list            version, full: bool, entries: {uid: null | {status, kind?, expires_at?,
                         group?}} (null takes the token out)
    clear_cache          –
    set_profile          profile: {id, stack_level, purpose, kind, transaction_ref?, valid_from?,
                         valid_to?, recurrency?, unit: "A" | "W", start?, duration_s?,
                         periods: [{start_s, limit, phases?}]}
    clear_profile        profile_id? or purpose?, stack_level?
    get_composite        duration_s, unit?
    update_firmware      request_id, location, retrieve_at, install_at?, certificate?, signature?,
                         retries?, retry_interval_s?
    get_log              request_id, kind: "diagnostics" | "security", location, since?, until?,
                         retries?, retry_interval_s?
    install_certificate  use: "csms_root" | "manufacturer_root" | "v2g_root" | "mo_root" | "oem_root",
                         certificate (PEM)
    delete_certificate   hash_algorithm, issuer_name_hash, issuer_key_hash, serial_number
    get_certificates     use? (1.6: needed; 2.x also "v2g_chain")
    certificate_signed   chain (PEM), use?: "station" | "v2g", request_id? (2.1)
    data_transfer        vendor, message_id?, data?

    1.6 alone, as its stations that show prices take them (see `charging.devices.services.costs`);
    `words` are a text by language, `language` is the driver's:

    show_price           token_uid, words, language
    final_cost           transaction_ref, total_cost, words, language


    2.x alone; `body` is the request as the standard writes it, its requestId put in by us:

    get_base_report      request_id, base: "configuration" | "full" | "summary"
    get_report           request_id, body
    set_monitoring       body                set_monitoring_base  body
    clear_monitoring     body                set_monitoring_level body
    get_monitoring       request_id, body    get_transaction      transaction_ref?
    set_display          body                get_displays         request_id, body
    clear_display        body                customer_information request_id, body
    get_profiles         request_id, body    set_network_profile  body
    publish_firmware     request_id, body    unpublish_firmware   body
    cost_updated         transaction_ref, total_cost; 1.6 too, with meter_wh, idle: bool, told_at, terms

    2.1 alone, with `body`: set_default_tariff, get_tariffs, clear_tariffs, change_tariff,
    update_schedule, priority_charging, allow_transfer, set_der_control, get_der_control,
    clear_der_control, afrr_signal, get_streams, adjust_stream, web_payment; and
    battery_swap         request_id, token_uid, token_kind
    """

    REMOTE_START = "remote_start", _("Start charging")
    REMOTE_STOP = "remote_stop", _("Stop charging")
    RESET = "reset", _("Restart the station")
    UNLOCK = "unlock", _("Unlock the connector")
    CHANGE_AVAILABILITY = "change_availability", _("Change availability")
    TRIGGER = "trigger", _("Ask for a message")
    RESERVE = "reserve", _("Reserve a connector")
    CANCEL_RESERVATION = "cancel_reservation", _("Cancel a reservation")
    GET_VARIABLES = "get_variables", _("Read the configuration")
    SET_VARIABLES = "set_variables", _("Change the configuration")
    SET_PASSWORD = "set_password", _("Change the password")
    GET_LIST_VERSION = "get_list_version", _("Ask for the version of the local list")
    SEND_LIST = "send_list", _("Send the local list")
    CLEAR_CACHE = "clear_cache", _("Clear the cache of authorisations")
    SET_PROFILE = "set_profile", _("Set a charging profile")
    CLEAR_PROFILE = "clear_profile", _("Clear charging profiles")
    GET_COMPOSITE = "get_composite", _("Ask for the schedule in force")
    UPDATE_FIRMWARE = "update_firmware", _("Update the firmware")
    GET_LOG = "get_log", _("Fetch a log")
    INSTALL_CERTIFICATE = "install_certificate", _("Install a certificate")
    DELETE_CERTIFICATE = "delete_certificate", _("Delete a certificate")
    GET_CERTIFICATES = "get_certificates", _("List the certificates")
    CERTIFICATE_SIGNED = "certificate_signed", _("Hand over a signed certificate")
    DATA_TRANSFER = "data_transfer", _("Send a vendor's message")
    GET_BASE_REPORT = "get_base_report", _("Fetch the device model")
    GET_REPORT = "get_report", _("Fetch chosen variables")
    SET_MONITORING = "set_monitoring", _("Set monitors")
    CLEAR_MONITORING = "clear_monitoring", _("Clear monitors")
    GET_MONITORING = "get_monitoring", _("Fetch the monitors")
    SET_MONITORING_BASE = "set_monitoring_base", _("Choose the set of monitors")
    SET_MONITORING_LEVEL = "set_monitoring_level", _("Choose the severity of monitors")
    GET_TRANSACTION = "get_transaction", _("Ask about a transaction")
    SET_DISPLAY = "set_display", _("Show a message")
    GET_DISPLAYS = "get_displays", _("Fetch the messages shown")
    CLEAR_DISPLAY = "clear_display", _("Remove a message")
    CUSTOMER_INFORMATION = "customer_information", _("Fetch or erase a customer's data")
    GET_PROFILES = "get_profiles", _("Fetch the charging profiles")
    SET_NETWORK_PROFILE = "set_network_profile", _("Set a network profile")
    PUBLISH_FIRMWARE = "publish_firmware", _("Publish firmware in the local network")
    UNPUBLISH_FIRMWARE = "unpublish_firmware", _("Publish firmware no more")
    SHOW_PRICE = "show_price", _("Show the price")
    COST_UPDATED = "cost_updated", _("Show the cost so far")
    FINAL_COST = "final_cost", _("Show what the charge has cost")
    SET_DEFAULT_TARIFF = "set_default_tariff", _("Set the default tariff")
    GET_TARIFFS = "get_tariffs", _("Ask for the tariffs")
    CLEAR_TARIFFS = "clear_tariffs", _("Clear tariffs")
    CHANGE_TARIFF = "change_tariff", _("Change a transaction's tariff")
    UPDATE_SCHEDULE = "update_schedule", _("Update a dynamic schedule")
    PRIORITY_CHARGING = "priority_charging", _("Give priority")
    ALLOW_TRANSFER = "allow_transfer", _("Allow kinds of energy transfer")
    SET_DER_CONTROL = "set_der_control", _("Set a grid support function")
    GET_DER_CONTROL = "get_der_control", _("Fetch grid support functions")
    CLEAR_DER_CONTROL = "clear_der_control", _("Clear grid support functions")
    AFRR_SIGNAL = "afrr_signal", _("Send a frequency restoration signal")
    GET_STREAMS = "get_streams", _("List the streams of values")
    ADJUST_STREAM = "adjust_stream", _("Adjust a stream of values")
    WEB_PAYMENT = "web_payment", _("Tell that a payment began")
    BATTERY_SWAP = "battery_swap", _("Ask for a battery swap")


NUMBERED: Final[frozenset[str]] = frozenset(
    {
        CommandAction.UPDATE_FIRMWARE,
        CommandAction.GET_LOG,
        CommandAction.GET_BASE_REPORT,
        CommandAction.GET_REPORT,
        CommandAction.GET_MONITORING,
        CommandAction.GET_DISPLAYS,
        CommandAction.CUSTOMER_INFORMATION,
        CommandAction.GET_PROFILES,
        CommandAction.PUBLISH_FIRMWARE,
        CommandAction.GET_DER_CONTROL,
        CommandAction.BATTERY_SWAP,
    },
)
"""What follows these carries their request's number: the command's id."""

WHILE_PENDING: Final[frozenset[str]] = frozenset(
    {
        CommandAction.GET_VARIABLES,
        CommandAction.SET_VARIABLES,
        CommandAction.SET_PASSWORD,
        CommandAction.GET_BASE_REPORT,
        CommandAction.GET_REPORT,
        CommandAction.TRIGGER,
        CommandAction.RESET,
        CommandAction.SET_NETWORK_PROFILE,
        CommandAction.INSTALL_CERTIFICATE,
        CommandAction.DELETE_CERTIFICATE,
        CommandAction.GET_CERTIFICATES,
        CommandAction.CERTIFICATE_SIGNED,
        CommandAction.UPDATE_FIRMWARE,
        CommandAction.GET_LOG,
        CommandAction.DATA_TRANSFER,
    },
)
"""What may be asked of a station that is not accepted yet: all that sets it up (OCPP 2.0.1 B02)."""

COMMAND_PRIORITY: Final[dict[str, int]] = {
    CommandAction.REMOTE_STOP: 0,
    CommandAction.REMOTE_START: 1,
}
"""Stop before start before all the rest (9)."""


class CommandState(models.TextChoices):
    """Where a command stands."""

    QUEUED = "queued", _("Queued")
    SENT = "sent", _("Sent")
    ACCEPTED = "accepted", _("Accepted")
    REJECTED = "rejected", _("Rejected")
    TIMED_OUT = "timed_out", _("No answer")
    FAILED = "failed", _("Failed")
    EXPIRED = "expired", _("Expired")


COMMAND_MOVES: Final[dict[str, frozenset[str]]] = {
    CommandState.QUEUED: frozenset(
        {CommandState.SENT, CommandState.EXPIRED, CommandState.FAILED},
    ),
    CommandState.SENT: frozenset(
        {
            CommandState.ACCEPTED,
            CommandState.REJECTED,
            CommandState.TIMED_OUT,
            CommandState.FAILED,
        },
    ),
}
COMMAND_OPEN: Final[frozenset[str]] = frozenset({CommandState.QUEUED, CommandState.SENT})
