"""What beat sends, and how often. Reviewed like code, because it is; no schedule lives in the database."""

from typing import Any

from celery.schedules import crontab

QUEUES = ("default", "telematics", "sessions", "planning", "webhooks")


def every(
    schedule: float | crontab,
    task: str,
    *,
    queue: str = "default",
    expires: float | None = None,
    **kwargs: Any,
) -> dict[str, Any]:
    """An entry of beat; `schedule` in seconds or as crontab on the city's wall clock.

    A call that no worker took before the next one is due is dropped: sweeps must not pile up
    behind a worker that was away.
    """
    if expires is None:
        expires = max(float(schedule), 5.0) if isinstance(schedule, int | float) else 3600.0
    return {
        "task": task,
        "schedule": schedule,
        "kwargs": kwargs,
        "options": {"queue": queue, "expires": expires},
    }


def entries(*, shards: int) -> dict[str, dict[str, Any]]:
    """Every entry, by name; `shards` is how many streams the telemetry log has."""
    return {
        "core-outbox": every(15, "mobility.core.sweep_outbox"),
        "core-answers": every(3600, "mobility.core.forget_answers"),
        # It looks through the whole table, so it comes once, at a quiet hour.
        "core-events": every(crontab(hour=4, minute=20), "mobility.core.forget_events"),
        "privacy-archives": every(300, "mobility.accounts.build_waiting"),
        "files-forget": every(3600, "mobility.core.files.forget"),
        **{
            f"core-heartbeat-{queue}": every(
                15, "mobility.core.heartbeat", queue=queue, expires=60, of=queue
            )
            for queue in QUEUES
        },
        **{
            f"telematics-drain-{shard}": every(
                2, "fleet.telematics.drain", queue="telematics", shard=shard
            )
            for shard in range(shards)
        },
        "telematics-links": every(20, "fleet.telematics.age_links"),
        "telematics-partitions": every(3600, "fleet.telematics.tend_partitions"),
        "telematics-tracks": every(60, "fleet.telematics.correct_tracks"),
        # Before the nightly plan, on the queue where nobody waits for an answer.
        "telematics-retention": every(
            crontab(hour=2, minute=10), "fleet.telematics.retain", queue="planning"
        ),
        "vehicles-commands": every(2, "fleet.vehicles.expire_commands"),
        # Papers end with the city's day; the other hours find what a worker that was away missed.
        "vehicles-documents": every(crontab(minute=0), "fleet.vehicles.refresh_document_blocks"),
        "maintenance-due": every(3600, "fleet.maintenance.open_due_orders"),
        "zones-superseded": every(60, "fleet.zones.supersede_ended"),
        "reservations-expire": every(3, "bookings.reservations.expire"),
        "reservations-bookings": every(10, "bookings.reservations.tend_bookings"),
        "trips-sweep": every(10, "bookings.trips.sweep"),
        "trips-watch": every(60, "bookings.trips.watch"),
        "trips-cover": every(60, "bookings.trips.cover"),
        "payments-collect": every(5, "bookings.payments.collect"),
        "passes-sweep": every(60, "bookings.passes.sweep"),
        "payments-webhooks": every(30, "bookings.payments.hear_webhooks"),
        "payments-reconcile": every(
            crontab(hour=5, minute=10), "bookings.payments.reconcile", queue="planning"
        ),
        # It looks through all that was ever booked, so it comes once, at a quiet hour.
        "payments-books": every(
            crontab(hour=4, minute=50), "bookings.payments.check_books", queue="planning"
        ),
        "payments-forget-webhooks": every(
            crontab(hour=4, minute=40), "bookings.payments.forget_webhooks"
        ),
        "payments-forget-links": every(
            crontab(hour=4, minute=45), "bookings.payments.forget_links"
        ),
        "payments-stuck": every(3600, "bookings.payments.watch_stuck"),
        "payments-local-webhooks": every(5, "bookings.payments.send_local_webhooks"),
        # A charge's spending limit is looked at so often; rules.LIMIT_LOOK_AHEAD counts on it.
        "recharges-sweep": every(10, "bookings.recharges.sweep"),
        "support-close": every(3600, "bookings.support.close_resolved"),
        "recharges-receipts": every(30, "bookings.recharges.send_receipts"),
        "recharges-codes": every(600, "bookings.recharges.issue_codes"),
        "recharges-guests": every(
            crontab(hour=3, minute=50), "bookings.recharges.forget_guests", queue="planning"
        ),
        "searches-count": every(10, "bookings.reservations.count_searches"),
        "riders-tend": every(60, "bookings.riders.tend"),
        # Documents end with the city's day; the other hours find what a worker that was away missed.
        "riders-calendar": every(crontab(minute=5), "bookings.riders.follow_calendar"),
        "devices-tend": every(30, "charging.devices.tend", queue="sessions"),
        # Sites are planned at every change; this finds what changed without a word.
        "energy-plan": every(60, "charging.energy.plan", queue="sessions"),
        "stations-statuses": every(30, "charging.stations.tell_statuses", queue="sessions"),
        "stations-commands": every(2, "charging.stations.expire_commands", queue="sessions"),
        "frames-partitions": every(3600, "charging.frames.tend_partitions", queue="sessions"),
        "certificates-renew": every(3600, "charging.certificates.renew", queue="sessions"),
        "certificates-events": every(
            crontab(hour=4, minute=30), "charging.certificates.forget_events", queue="sessions"
        ),
        "stations-commands-forget": every(
            crontab(hour=4, minute=20), "charging.stations.forget_commands", queue="sessions"
        ),
        "devices-forget": every(
            crontab(hour=4, minute=25), "charging.devices.forget", queue="sessions"
        ),
        "energy-forget": every(
            crontab(hour=4, minute=35), "charging.energy.forget", queue="sessions"
        ),
        "stations-refusals": every(3600, "charging.stations.forget_refusals", queue="sessions"),
        "tickets-sync": every(60, "charging.tickets.sync", queue="sessions"),
        "sessions-settle": every(15, "charging.sessions.settle_due", queue="sessions"),
        "sessions-costs": every(30, "charging.sessions.tell_costs", queue="sessions"),
        "devices-costs": every(30, "charging.devices.tell_costs", queue="sessions"),
        "sessions-lost": every(300, "charging.sessions.close_lost", queue="sessions"),
        "notices-remind": every(20, "mobility.resident.notices.remind"),
        "notifications-deliver": every(5, "mobility.notifications.deliver", queue="webhooks"),
        "notifications-forget": every(crontab(hour=4, minute=35), "mobility.notifications.forget"),
        "webhooks-deliver": every(5, "mobility.webhooks.deliver", queue="webhooks"),
        "webhooks-forget": every(crontab(hour=4, minute=40), "mobility.webhooks.forget"),
        # After the last evening trips, before the crews start.
        "rebalancing-plan": every(
            crontab(hour=3, minute=30), "fleet.rebalancing.plan_night", queue="planning"
        ),
        # After bookings, plugs and batteries have changed; each change of a booking is told at once.
        "energy-vehicles": every(60, "fleet.energy.sync"),
        "reservations-assign": every(600, "bookings.reservations.assign_cars", queue="planning"),
        # After the plan: what a van does already is offered to nobody.
        "incentives-refresh": every(600, "fleet.incentives.refresh", queue="planning"),
        "rewards-sweep": every(60, "bookings.rewards.sweep"),
        "rewards-score": every(
            crontab(hour=1, minute=35), "bookings.rewards.score", queue="planning"
        ),
        "rebalancing-adapt": every(600, "fleet.rebalancing.adapt", queue="planning"),
        "rebalancing-score": every(
            crontab(hour=1, minute=15), "fleet.rebalancing.score_yesterday", queue="planning"
        ),
    }
