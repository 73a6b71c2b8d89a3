import django.contrib.gis.db.models.fields
import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.contrib.postgres.functions
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import fleet.maintenance.models.fault
import fleet.vehicles.models.vehicle
import mobility.core.ids
import mobility.core.texts
from mobility.core.migration_operations import audit_edits

# Months are made by the first close of a day in them. A chunk is pressed already: it is neither
# pressed again nor, as long as a page holds it, moved out of its row.
CHUNKS = """
CREATE TABLE fleet_pointchunk (
    vehicle_id bigint NOT NULL,
    hour integer NOT NULL,
    count integer NOT NULL,
    west_e7 integer NOT NULL,
    south_e7 integer NOT NULL,
    east_e7 integer NOT NULL,
    north_e7 integer NOT NULL,
    first_s integer NOT NULL,
    last_s integer NOT NULL,
    payload bytea NOT NULL,
    PRIMARY KEY (vehicle_id, hour)
) PARTITION BY RANGE (hour);
ALTER TABLE fleet_pointchunk ALTER COLUMN payload SET STORAGE EXTERNAL;
"""

# The history of a vehicle is never altered, but for one thing that the law asks for: the name of a
# trip may be replaced by one that means nothing, by the job that says so in its transaction.
UNLINK = """
CREATE FUNCTION fleet_only_unlink() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('fleet.unlink', true) = 'on'
        AND OLD.trip_ref <> '' AND NEW.trip_ref LIKE 'unlinked:%'
        AND to_jsonb(NEW) - 'trip_ref' = to_jsonb(OLD) - 'trip_ref'
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
DROP TRIGGER append_only ON fleet_vehicleevent;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON fleet_vehicleevent
    FOR EACH ROW EXECUTE FUNCTION fleet_only_unlink();
"""

UNLINK_BACK = """
DROP TRIGGER append_only ON fleet_vehicleevent;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON fleet_vehicleevent
    FOR EACH ROW EXECUTE FUNCTION mobility_refuse_change();
DROP FUNCTION fleet_only_unlink();
"""


class Migration(migrations.Migration):
    dependencies = [("fleet", "0002_rebalancing"), ("mobility", "__first__")]

    operations = [
        migrations.CreateModel(
            name="PointChunk",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "vehicle_id",
                        "hour",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("vehicle_id", models.BigIntegerField()),
                ("hour", models.IntegerField()),
                ("count", models.IntegerField()),
                ("west_e7", models.IntegerField()),
                ("south_e7", models.IntegerField()),
                ("east_e7", models.IntegerField()),
                ("north_e7", models.IntegerField()),
                ("first_s", models.IntegerField()),
                ("last_s", models.IntegerField()),
                ("payload", models.BinaryField()),
            ],
            options={
                "db_table": "fleet_pointchunk",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Alarm",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.UUIDField(
                        default=mobility.core.ids.uuid7,
                        editable=False,
                        unique=True,
                        verbose_name="public id",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("moved_without_trip", "Moved without a trip"),
                            ("tilt", "Fallen over"),
                            ("low_battery", "Low battery"),
                            ("silence", "Silent"),
                            ("left_service_area", "Left the service area"),
                            ("speed_violation", "Too fast for its zone"),
                            ("reporting_again", "Missing vehicle reports again"),
                        ],
                        max_length=24,
                        verbose_name="kind",
                    ),
                ),
                (
                    "severity",
                    models.CharField(
                        choices=[
                            ("info", "Information"),
                            ("warning", "Warning"),
                            ("critical", "Critical"),
                        ],
                        max_length=12,
                        verbose_name="severity",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("acknowledged", "Acknowledged"),
                            ("closed", "Closed"),
                        ],
                        default="open",
                        max_length=16,
                        verbose_name="state",
                    ),
                ),
                ("opened_at", models.DateTimeField(verbose_name="opened")),
                ("last_seen_at", models.DateTimeField(verbose_name="last noticed")),
                ("count", models.PositiveIntegerField(default=1, verbose_name="times noticed")),
                ("details", models.JSONField(blank=True, default=dict, verbose_name="details")),
                ("closed_at", models.DateTimeField(blank=True, null=True, verbose_name="closed")),
                (
                    "closed_by",
                    models.CharField(blank=True, max_length=100, verbose_name="closed by"),
                ),
                (
                    "assigned_to",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="fleet_alarms",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="assigned to",
                    ),
                ),
                (
                    "vehicle",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="alarms",
                        to="fleet.vehicle",
                        verbose_name="vehicle",
                    ),
                ),
            ],
            options={
                "verbose_name": "alarm",
                "verbose_name_plural": "alarms",
                "ordering": ("-id",),
                "indexes": [
                    models.Index(
                        fields=["vehicle", "opened_at"], name="fleet_alarm_vehicle_opened"
                    ),
                    models.Index(
                        condition=models.Q(("state", "closed"), _negated=True),
                        fields=["kind"],
                        name="fleet_alarm_active_kind",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "closed"), _negated=True),
                        fields=("vehicle", "kind"),
                        name="fleet_one_alarm_per_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at__isnull", False), ("state", "closed")),
                            models.Q(
                                models.Q(("state", "closed"), _negated=True),
                                ("closed_at__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="fleet_alarm_closed_has_a_time",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Battery",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.UUIDField(
                        default=mobility.core.ids.uuid7,
                        editable=False,
                        unique=True,
                        verbose_name="public id",
                    ),
                ),
                ("serial", models.CharField(max_length=40, verbose_name="serial number")),
                ("capacity_wh", models.PositiveIntegerField(verbose_name="capacity (Wh)")),
                ("cycles", models.PositiveIntegerField(default=0, verbose_name="cycles")),
                (
                    "health_pct",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[django.core.validators.MaxValueValidator(100)],
                        verbose_name="health (%)",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("storage", "In storage"),
                            ("charging", "Charging"),
                            ("in_vehicle", "In a vehicle"),
                            ("retired", "Retired"),
                        ],
                        default="storage",
                        max_length=16,
                        verbose_name="state",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="batteries",
                        to="mobility.organisation",
                        verbose_name="organisation",
                    ),
                ),
            ],
            options={
                "verbose_name": "battery",
                "verbose_name_plural": "batteries",
                "ordering": ("serial",),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "serial"),
                        name="fleet_battery_serial_once",
                        violation_error_message="There is a battery with this serial number.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="BatteryPlacement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("slot", models.PositiveSmallIntegerField(default=1, verbose_name="slot")),
                (
                    "during",
                    django.contrib.postgres.fields.ranges.DateTimeRangeField(verbose_name="during"),
                ),
                ("placed_by", models.CharField(max_length=100, verbose_name="placed by")),
                (
                    "battery",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="placements",
                        to="fleet.battery",
                        verbose_name="battery",
                    ),
                ),
                (
                    "hub",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="battery_placements",
                        to="mobility.hub",
                        verbose_name="hub",
                    ),
                ),
                (
                    "vehicle",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="battery_placements",
                        to="fleet.vehicle",
                        verbose_name="vehicle",
                    ),
                ),
            ],
            options={
                "verbose_name": "battery placement",
                "verbose_name_plural": "battery placements",
                "ordering": ("-id",),
                "constraints": [
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=(("battery", "="), ("during", "&&")),
                        name="fleet_battery_in_one_place",
                    ),
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        condition=models.Q(("vehicle__isnull", False)),
                        expressions=(("vehicle", "="), ("slot", "="), ("during", "&&")),
                        name="fleet_one_battery_per_slot",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("vehicle", None), ("hub", None), _connector="OR"),
                        name="fleet_battery_here_or_there",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BatterySwap",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.UUIDField(
                        default=mobility.core.ids.uuid7,
                        editable=False,
                        unique=True,
                        verbose_name="public id",
                    ),
                ),
                ("slot", models.PositiveSmallIntegerField(verbose_name="slot")),
                ("at", models.DateTimeField(verbose_name="at")),
                ("by", models.CharField(max_length=100, verbose_name="by")),
                ("idempotency_key", models.CharField(max_length=120)),
                (
                    "inserted",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="fleet.battery",
                        verbose_name="battery put in",
                    ),
                ),
                (
                    "removed",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="fleet.battery",
                        verbose_name="battery taken out",
                    ),
                ),
                (
                    "vehicle",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="battery_swaps",
                        to="fleet.vehicle",
                        verbose_name="vehicle",
                    ),
                ),
            ],
            options={
                "verbose_name": "battery swap",
                "verbose_name_plural": "battery swaps",
                "ordering": ("-id",),
                "indexes": [models.Index(fields=["vehicle", "at"], name="fleet_swap_vehicle_at")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("vehicle", "idempotency_key"), name="fleet_swap_key_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CellCount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="from")),
                ("kind", models.CharField(max_length=16, verbose_name="kind")),
                ("cell", models.BigIntegerField(verbose_name="cell")),
                ("points", models.IntegerField(verbose_name="points")),
                ("vehicle_s", models.IntegerField(verbose_name="vehicle seconds")),
                ("starts", models.IntegerField(verbose_name="trips started")),
                ("ends", models.IntegerField(verbose_name="trips ended")),
                (
                    "distance_m",
                    models.IntegerField(verbose_name="distance of the trips started (m)"),
                ),
            ],
            options={
                "verbose_name": "cell count",
                "verbose_name_plural": "cell counts",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("at", "kind", "cell"), name="fleet_cellcount_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ChecklistTemplate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.UUIDField(
                        default=mobility.core.ids.uuid7,
                        editable=False,
                        unique=True,
                        verbose_name="public id",
                    ),
                ),
                ("name", mobility.core.texts.LocalizedField(verbose_name="name")),
                (
                    "gate_kind",
                    models.CharField(
                        blank=True,
                        choices=[("bicycle", "E-bike"), ("scooter", "E-scooter"), ("car", "E-car")],
                        max_length=16,
                        verbose_name="gate for vehicles leaving the workshop",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="mobility.organisation",
                        verbose_name="organisation",
                    ),
                ),
            ],
            options={
                "verbose_name": "checklist",
                "verbose_name_plural": "checklists",
                "ordering": ("organisation", "id"),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("gate_kind", ""), _negated=True),
                        fields=("organisation", "gate_kind"),
                        name="fleet_one_gate_per_kind",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ChecklistItem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(verbose_name="position")),
                ("text", mobility.core.texts.LocalizedField(verbose_name="what to look at")),
                ("required", models.BooleanField(default=True, verbose_name="required")),
                (
                    "category",
                    models.CharField(
                        choices=[
                            ("brakes", "Brakes"),
                            ("tyre", "Tyre"),
                            ("lights", "Lights"),
                            ("lock", "Lock"),
                            ("battery", "Battery"),
                            ("display", "Display"),
                            ("damage", "Damage"),
                            ("dirty", "Dirty"),
                            ("misparked", "Badly parked"),
                            ("other", "Something else"),
                        ],
                        default="other",
                        max_length=16,
                        verbose_name="fault category",
                    ),
                ),
                ("retired", models.BooleanField(default=False, verbose_name="no longer asked")),
                (
                    "template",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="items",
                        to="fleet.checklisttemplate",
                        verbose_name="checklist",
                    ),
                ),
            ],
            options={
                "verbose_name": "checklist item",
                "verbose_name_plural": "checklist items",
                "ordering": ("position", "id"),
            },
        ),
        migrations.CreateModel(
            name="Integration",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                ("secret_hash", models.CharField(editable=False, max_length=64, unique=True)),
                ("created_at", models.DateTimeField(verbose_name="created")),
                ("revoked_at", models.DateTimeField(blank=True, null=True, verbose_name="revoked")),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="integrations",
                        to="mobility.organisation",
                        verbose_name="organisation",
                    ),
                ),
            ],
            options={
                "verbose_name": "integration",
                "verbose_name_plural": "integrations",
                "ordering": ("organisation", "name"),
            },
        ),
        migrations.CreateModel(
            name="MaintenanceRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.UUIDField(
                        default=mobility.core.ids.uuid7,
                        editable=False,
                        unique=True,
                        verbose_name="public id",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        blank=True,
                        choices=[("bicycle", "E-bike"), ("scooter", "E-scooter"), ("car", "E-car")],
                        max_length=16,
                        verbose_name="kind",
                    ),
                ),
                ("title", mobility.core.texts.LocalizedField(verbose_name="title")),
                (
                    "every_km",
                    models.PositiveIntegerField(blank=True, null=True, verbose_name="every (km)"),
                ),
                (
                    "every_days",
                    models.PositiveIntegerField(blank=True, null=True, verbose_name="every (days)"),
                ),
                (
                    "every_rides",
                    models.PositiveIntegerField(
                        blank=True, null=True, verbose_name="every (rides)"
                    ),
                ),
                (
                    "lead_pct",
                    models.PositiveSmallIntegerField(
                        default=5, verbose_name="order when so much of the interval is left (%)"
                    ),
                ),
                (
                    "priority",
                    models.PositiveSmallIntegerField(
                        choices=[(1, "Urgent"), (2, "High"), (3, "Normal"), (4, "Low")],
                        default=3,
                        verbose_name="priority",
                    ),
                ),
                ("active", models.BooleanField(default=True, verbose_name="active")),
                (
                    "checklist",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="fleet.checklisttemplate",
                        verbose_name="checklist",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="mobility.organisation",
                        verbose_name="organisation",
                    ),
                ),
                (
                    "vehicle_type",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="fleet.vehicletype",
                        verbose_name="vehicle type",
                    ),
                ),
            ],
            options={
                "verbose_name": "maintenance rule",
                "verbose_name_plural": "maintenance rules",
                "ordering": ("organisation", "id"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("every_km__gt", 0), ("every_km__isnull", False)),
                            models.Q(("every_days__gt", 0), ("every_days__isnull", False)),
                            models.Q(("every_rides__gt", 0), ("every_rides__isnull", False)),
                            _connector="OR",
                        ),
                        name="fleet_rule_has_a_measure",
                        violation_error_message="Give at least one of kilometres, days and rides.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("lead_pct__lte", 50)),
                        name="fleet_rule_lead_is_small",
                        violation_error_message="At most half of the interval may be left.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RetentionRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("close_day", "Day packed into chunks"),
                            ("drop_day", "Empty day dropped"),
                            ("count_cells", "Day counted by cells"),
                            ("drop_month", "Chunks of a month dropped"),
                            ("cut_links", "Links to trips cut"),
                            ("quarantine", "Quarantined points forgotten"),
                            ("crossings", "Zone crossings forgotten"),
                            ("speed_orders", "Speed limit orders forgotten"),
                            ("alarms", "Closed alarms forgotten"),
                        ],
                        max_length=16,
                        verbose_name="kind",
                    ),
                ),
                ("subject", models.CharField(max_length=40, verbose_name="subject")),
                ("at", models.DateTimeField(verbose_name="at")),
                ("counted", models.BigIntegerField(verbose_name="counted")),
                ("verified", models.BigIntegerField(verbose_name="verified")),
                ("removed", models.BigIntegerField(verbose_name="removed")),
                ("bytes_before", models.BigIntegerField(default=0, verbose_name="bytes before")),
                ("bytes_after", models.BigIntegerField(default=0, verbose_name="bytes after")),
            ],
            options={
                "verbose_name": "retention run",
                "verbose_name_plural": "retention runs",
                "ordering": ("-id",),
                "indexes": [
                    models.Index(fields=["kind", "subject"], name="fleet_retention_subject")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("removed__lte", models.F("verified")),
                            ("verified__lte", models.F("counted")),
                        ),
                        name="fleet_retention_verified_first",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ServiceTrip",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.UUIDField(
                        default=mobility.core.ids.uuid7,
                        editable=False,
                        unique=True,
                        verbose_name="public id",
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("relocation", "Moved to another place"),
                            ("charging", "Taken to charge"),
                            ("repair", "Taken to repair"),
                            ("test", "Test ride"),
                            ("recovery", "Brought back"),
                            ("other", "Something else"),
                        ],
                        max_length=16,
                        verbose_name="reason",
                    ),
                ),
                ("ticket_ref", models.CharField(blank=True, max_length=80, verbose_name="ticket")),
                ("notes", models.CharField(blank=True, max_length=500, verbose_name="notes")),
                ("started_at", models.DateTimeField(verbose_name="started")),
                ("started_by", models.CharField(max_length=100, verbose_name="started by")),
                ("from_lon", models.FloatField(null=True, verbose_name="from longitude")),
                ("from_lat", models.FloatField(null=True, verbose_name="from latitude")),
                (
                    "from_odometer_m",
                    models.IntegerField(null=True, verbose_name="odometer at the start (m)"),
                ),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended")),
                ("ended_by", models.CharField(blank=True, max_length=100, verbose_name="ended by")),
                ("to_lon", models.FloatField(null=True, verbose_name="to longitude")),
                ("to_lat", models.FloatField(null=True, verbose_name="to latitude")),
                (
                    "to_odometer_m",
                    models.IntegerField(null=True, verbose_name="odometer at the end (m)"),
                ),
                (
                    "hold",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="service_trip",
                        to="fleet.vehiclehold",
                        verbose_name="hold",
                    ),
                ),
                (
                    "vehicle",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="service_trips",
                        to="fleet.vehicle",
                        verbose_name="vehicle",
                    ),
                ),
            ],
            options={
                "verbose_name": "service trip",
                "verbose_name_plural": "service trips",
                "ordering": ("-id",),
                "indexes": [
                    models.Index(fields=["vehicle", "started_at"], name="fleet_service_vehicle_at")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("vehicle",),
                        name="fleet_one_service_trip_per_vehicle",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ended_at", None),
                            ("ended_at__gte", models.F("started_at")),
                            _connector="OR",
                        ),
                        name="fleet_service_trip_ends_after_it_began",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SpeedLimitOrder",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("zones_version", models.BigIntegerField(verbose_name="version of the zones")),
                ("limit_kmh", models.PositiveSmallIntegerField(verbose_name="speed limit (km/h)")),
                ("ordered_at", models.DateTimeField(verbose_name="ordered")),
                ("outcome", models.CharField(blank=True, max_length=16, verbose_name="outcome")),
                ("applied_at", models.DateTimeField(blank=True, null=True, verbose_name="applied")),
                (
                    "released_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="released"),
                ),
                (
                    "command",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="fleet.vehiclecommand",
                        verbose_name="command",
                    ),
                ),
                (
                    "vehicle",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="speed_orders",
                        to="fleet.vehicle",
                        verbose_name="vehicle",
                    ),
                ),
                (
                    "zone",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="speed_orders",
                        to="fleet.zone",
                        verbose_name="zone",
                    ),
                ),
            ],
            options={
                "verbose_name": "speed limit order",
                "verbose_name_plural": "speed limit orders",
                "ordering": ("-id",),
                "indexes": [
                    models.Index(fields=["vehicle", "ordered_at"], name="fleet_speed_vehicle_at")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("released_at", None)),
                        fields=("vehicle",),
                        name="fleet_one_speed_order",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="TripTrack",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("trip_ref", models.CharField(max_length=80, unique=True, verbose_name="trip")),
                ("started_at", models.DateTimeField(verbose_name="started")),
                ("ended_at", models.DateTimeField(verbose_name="ended")),
                ("distance_m", models.PositiveIntegerField(verbose_name="distance (m)")),
                ("points", models.PositiveIntegerField(verbose_name="points")),
                (
                    "line",
                    django.contrib.gis.db.models.fields.LineStringField(
                        null=True, spatial_index=False, srid=4326, verbose_name="line"
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, verbose_name="version")),
                ("computed_at", models.DateTimeField(verbose_name="computed")),
                ("settled_at", models.DateTimeField(blank=True, null=True, verbose_name="settled")),
                ("stale", models.BooleanField(default=False, verbose_name="points arrived later")),
                (
                    "unlinked_at",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="link to the trip cut"
                    ),
                ),
                (
                    "vehicle",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tracks",
                        to="fleet.vehicle",
                        verbose_name="vehicle",
                    ),
                ),
            ],
            options={
                "verbose_name": "trip track",
                "verbose_name_plural": "trip tracks",
                "ordering": ("-id",),
                "indexes": [
                    models.Index(fields=["vehicle", "ended_at"], name="fleet_track_vehicle_end"),
                    models.Index(fields=["ended_at"], name="fleet_track_end"),
                    models.Index(
                        condition=models.Q(("stale", True), ("settled_at", None), _connector="OR"),
                        fields=["id"],
                        name="fleet_track_waiting",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ended_at__gte", models.F("started_at"))),
                        name="fleet_track_ends_after_it_began",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="VehicleCase",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.UUIDField(
                        default=mobility.core.ids.uuid7,
                        editable=False,
                        unique=True,
                        verbose_name="public id",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("missing", "Missing"),
                            ("stolen", "Stolen"),
                            ("impounded", "Impounded"),
                        ],
                        max_length=16,
                        verbose_name="kind",
                    ),
                ),
                (
                    "reference",
                    models.CharField(
                        blank=True,
                        help_text="Number of the police report or of the depot's receipt.",
                        max_length=80,
                        verbose_name="reference",
                    ),
                ),
                ("notes", models.TextField(blank=True, max_length=2000, verbose_name="notes")),
                ("opened_at", models.DateTimeField(verbose_name="opened")),
                ("opened_by", models.CharField(max_length=100, verbose_name="opened by")),
                ("lon", models.FloatField(null=True, verbose_name="last longitude")),
                ("lat", models.FloatField(null=True, verbose_name="last latitude")),
                ("seen_at", models.DateTimeField(null=True, verbose_name="last heard")),
                ("closed_at", models.DateTimeField(blank=True, null=True, verbose_name="closed")),
                (
                    "closed_by",
                    models.CharField(blank=True, max_length=100, verbose_name="closed by"),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("recovered", "Recovered"),
                            ("other_case", "Became another case"),
                            ("written_off", "Written off"),
                        ],
                        max_length=16,
                        verbose_name="outcome",
                    ),
                ),
                (
                    "vehicle",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cases",
                        to="fleet.vehicle",
                        verbose_name="vehicle",
                    ),
                ),
            ],
            options={
                "verbose_name": "case",
                "verbose_name_plural": "cases",
                "ordering": ("-id",),
                "indexes": [
                    models.Index(fields=["vehicle", "opened_at"], name="fleet_case_vehicle_at")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("closed_at", None)),
                        fields=("vehicle",),
                        name="fleet_one_open_case_per_vehicle",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at", None), ("outcome", "")),
                            models.Q(
                                ("closed_at__isnull", False),
                                models.Q(("outcome", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="fleet_closed_case_has_outcome",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="VehicleDocument",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.UUIDField(
                        default=mobility.core.ids.uuid7,
                        editable=False,
                        unique=True,
                        verbose_name="public id",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("targhino", "Number sticker (targhino)"),
                            ("insurance", "Insurance"),
                            ("inspection", "Inspection"),
                            ("registration", "Registration"),
                        ],
                        max_length=16,
                        verbose_name="kind",
                    ),
                ),
                ("number", models.CharField(max_length=64, verbose_name="number")),
                ("valid_from", models.DateField(verbose_name="valid from")),
                ("expires_on", models.DateField(blank=True, null=True, verbose_name="last day")),
                (
                    "vehicle",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="documents",
                        to="fleet.vehicle",
                        verbose_name="vehicle",
                    ),
                ),
            ],
            options={
                "verbose_name": "vehicle document",
                "verbose_name_plural": "vehicle documents",
                "ordering": ("-id",),
                "indexes": [models.Index(fields=["expires_on"], name="fleet_document_expires")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("expires_on", None),
                            ("expires_on__gte", models.F("valid_from")),
                            _connector="OR",
                        ),
                        name="fleet_document_ends_after_it_began",
                        violation_error_message="The last day lies before the first.",
                    ),
                    models.UniqueConstraint(
                        fields=("vehicle", "kind", "number", "valid_from"),
                        name="fleet_document_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="VehiclePresence",
            fields=[
                (
                    "vehicle",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="presence",
                        serialize=False,
                        to="fleet.vehicle",
                        verbose_name="vehicle",
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
                ("stored_until", models.DateTimeField(null=True)),
                ("zones_version", models.BigIntegerField(default=0)),
                (
                    "zones",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, size=None
                    ),
                ),
                (
                    "wavering",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, size=None
                    ),
                ),
                ("outside", models.BooleanField(null=True)),
                ("anchor_lon_e7", models.IntegerField(null=True)),
                ("anchor_lat_e7", models.IntegerField(null=True)),
                ("away", models.SmallIntegerField(default=0)),
                ("rest_lon_e7", models.IntegerField(null=True)),
                ("rest_lat_e7", models.IntegerField(null=True)),
                ("rest_since", models.DateTimeField(null=True)),
                ("tilts", models.SmallIntegerField(default=0)),
                ("fast_since", models.DateTimeField(null=True)),
                ("slow_since", models.DateTimeField(null=True)),
                ("doubt_at", models.DateTimeField(null=True)),
                ("doubt_lon_e7", models.IntegerField(null=True)),
                ("doubt_lat_e7", models.IntegerField(null=True)),
            ],
            options={
                "verbose_name": "presence",
                "verbose_name_plural": "presences",
            },
        ),
        migrations.CreateModel(
            name="WorkOrder",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.UUIDField(
                        default=mobility.core.ids.uuid7,
                        editable=False,
                        unique=True,
                        verbose_name="public id",
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("brakes", "Brakes"),
                            ("tyre", "Tyre"),
                            ("lights", "Lights"),
                            ("lock", "Lock"),
                            ("battery", "Battery"),
                            ("display", "Display"),
                            ("damage", "Damage"),
                            ("dirty", "Dirty"),
                            ("misparked", "Badly parked"),
                            ("other", "Something else"),
                            ("preventive", "Preventive"),
                            ("inspection", "Inspection"),
                        ],
                        max_length=16,
                        verbose_name="reason",
                    ),
                ),
                ("title", models.CharField(blank=True, max_length=200, verbose_name="title")),
                (
                    "priority",
                    models.PositiveSmallIntegerField(
                        choices=[(1, "Urgent"), (2, "High"), (3, "Normal"), (4, "Low")],
                        default=3,
                        verbose_name="priority",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("assigned", "Assigned"),
                            ("in_progress", "In progress"),
                            ("done", "Done"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="open",
                        max_length=16,
                        verbose_name="state",
                    ),
                ),
                ("due_at", models.DateTimeField(blank=True, null=True, verbose_name="due")),
                (
                    "place",
                    models.CharField(
                        choices=[("street", "On the street"), ("workshop", "In the workshop")],
                        default="street",
                        max_length=16,
                        verbose_name="place",
                    ),
                ),
                ("lon", models.FloatField(blank=True, null=True, verbose_name="longitude")),
                ("lat", models.FloatField(blank=True, null=True, verbose_name="latitude")),
                ("opened_at", models.DateTimeField(verbose_name="opened")),
                ("opened_by", models.CharField(max_length=100, verbose_name="opened by")),
                (
                    "withdrawn_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="withdrawn"),
                ),
                ("started_at", models.DateTimeField(blank=True, null=True, verbose_name="started")),
                (
                    "finished_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="finished"),
                ),
                (
                    "finished_by",
                    models.CharField(blank=True, max_length=100, verbose_name="finished by"),
                ),
                (
                    "odometer_m",
                    models.IntegerField(blank=True, null=True, verbose_name="odometer (m)"),
                ),
                (
                    "labour_minutes",
                    models.PositiveIntegerField(default=0, verbose_name="labour (minutes)"),
                ),
                (
                    "cost_cents",
                    models.PositiveIntegerField(
                        default=0, verbose_name="cost besides parts (cents)"
                    ),
                ),
                (
                    "currency",
                    models.CharField(default="EUR", max_length=3, verbose_name="currency"),
                ),
                ("notes", models.TextField(blank=True, verbose_name="notes")),
                (
                    "assigned_to",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="assigned to",
                    ),
                ),
                (
                    "checklist",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="fleet.checklisttemplate",
                        verbose_name="checklist",
                    ),
                ),
                (
                    "hub",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="mobility.hub",
                        verbose_name="hub",
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="orders",
                        to="fleet.maintenancerule",
                        verbose_name="maintenance rule",
                    ),
                ),
                (
                    "vehicle",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="work_orders",
                        to="fleet.vehicle",
                        verbose_name="vehicle",
                    ),
                ),
            ],
            options={
                "verbose_name": "work order",
                "verbose_name_plural": "work orders",
                "ordering": ("-id",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ("open", "assigned", "in_progress"))),
                        fields=["priority", "due_at"],
                        name="fleet_order_open_first",
                    ),
                    models.Index(
                        fields=["vehicle", "-finished_at"], name="fleet_order_vehicle_done"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("state__in", ("open", "assigned", "in_progress")), ("rule", None)
                        ),
                        fields=("vehicle", "reason"),
                        name="fleet_one_open_order_per_reason",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("state__in", ("open", "assigned", "in_progress")),
                            ("rule__isnull", False),
                        ),
                        fields=("vehicle", "rule"),
                        name="fleet_one_open_order_per_rule",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("assigned_to", None), ("state", "open")),
                            models.Q(("assigned_to__isnull", False), ("state", "assigned")),
                            models.Q(("started_at__isnull", False), ("state", "in_progress")),
                            models.Q(
                                ("finished_at__isnull", False), ("state__in", ("done", "cancelled"))
                            ),
                            _connector="OR",
                        ),
                        name="fleet_order_state_has_its_facts",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("finished_at", None),
                            ("started_at", None),
                            ("finished_at__gte", models.F("started_at")),
                            _connector="OR",
                        ),
                        name="fleet_order_ends_after_it_began",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ChecklistAnswer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "verdict",
                    models.CharField(
                        choices=[
                            ("passed", "In order"),
                            ("failed", "Not in order"),
                            ("not_applicable", "Does not apply"),
                        ],
                        max_length=16,
                        verbose_name="verdict",
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=300, verbose_name="note")),
                ("at", models.DateTimeField(verbose_name="at")),
                ("by", models.CharField(max_length=100, verbose_name="by")),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="answers",
                        to="fleet.checklistitem",
                        verbose_name="item",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="answers",
                        to="fleet.workorder",
                        verbose_name="work order",
                    ),
                ),
            ],
            options={
                "verbose_name": "checklist answer",
                "verbose_name_plural": "checklist answers",
                "ordering": ("item__position", "id"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("order", "item"), name="fleet_one_answer_per_item"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="FaultReport",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.UUIDField(
                        default=mobility.core.ids.uuid7,
                        editable=False,
                        unique=True,
                        verbose_name="public id",
                    ),
                ),
                (
                    "case_number",
                    models.CharField(
                        default=fleet.maintenance.models.fault.case_number,
                        editable=False,
                        max_length=8,
                        unique=True,
                        verbose_name="case number",
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("resident", "Resident"),
                            ("crew", "Crew"),
                            ("alarm", "Alarm"),
                            ("system", "System"),
                        ],
                        max_length=16,
                        verbose_name="source",
                    ),
                ),
                (
                    "category",
                    models.CharField(
                        choices=[
                            ("brakes", "Brakes"),
                            ("tyre", "Tyre"),
                            ("lights", "Lights"),
                            ("lock", "Lock"),
                            ("battery", "Battery"),
                            ("display", "Display"),
                            ("damage", "Damage"),
                            ("dirty", "Dirty"),
                            ("misparked", "Badly parked"),
                            ("other", "Something else"),
                        ],
                        max_length=16,
                        verbose_name="category",
                    ),
                ),
                (
                    "severity",
                    models.PositiveSmallIntegerField(
                        choices=[(1, "Dangerous"), (2, "Annoying"), (3, "Cosmetic")],
                        verbose_name="severity",
                    ),
                ),
                (
                    "text",
                    models.CharField(blank=True, max_length=1000, verbose_name="what was said"),
                ),
                ("reported_by", models.CharField(max_length=100, verbose_name="reported by")),
                ("trip_ref", models.CharField(blank=True, max_length=80, verbose_name="trip")),
                ("evidence", models.JSONField(blank=True, default=dict, verbose_name="evidence")),
                ("at", models.DateTimeField(verbose_name="at")),
                ("lon", models.FloatField(blank=True, null=True, verbose_name="longitude")),
                ("lat", models.FloatField(blank=True, null=True, verbose_name="latitude")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("accepted", "Accepted"),
                            ("resolved", "Resolved"),
                            ("dismissed", "Dismissed"),
                        ],
                        default="open",
                        max_length=16,
                        verbose_name="state",
                    ),
                ),
                ("closed_at", models.DateTimeField(blank=True, null=True, verbose_name="closed")),
                (
                    "vehicle",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="faults",
                        to="fleet.vehicle",
                        verbose_name="vehicle",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="faults",
                        to="fleet.workorder",
                        verbose_name="work order",
                    ),
                ),
            ],
            options={
                "verbose_name": "fault report",
                "verbose_name_plural": "fault reports",
                "ordering": ("-id",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ("open", "accepted"))),
                        fields=["vehicle", "severity"],
                        name="fleet_fault_open",
                    ),
                    models.Index(fields=["vehicle", "reported_by", "-at"], name="fleet_fault_same"),
                    models.Index(fields=["reported_by", "-id"], name="fleet_fault_by"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("lat", None), ("lon", None)),
                            models.Q(("lat__range", (-90, 90)), ("lon__range", (-180, 180))),
                            _connector="OR",
                        ),
                        name="fleet_fault_place_is_on_earth",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at", None), ("state__in", ("open", "accepted"))),
                            models.Q(
                                ("closed_at__isnull", False),
                                ("state__in", ("resolved", "dismissed")),
                            ),
                            _connector="OR",
                        ),
                        name="fleet_fault_closed_with_a_date",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="WorkOrderPart",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=120, verbose_name="part")),
                ("sku", models.CharField(blank=True, max_length=60, verbose_name="article number")),
                ("quantity", models.PositiveSmallIntegerField(default=1, verbose_name="quantity")),
                (
                    "unit_cost_cents",
                    models.PositiveIntegerField(default=0, verbose_name="cost of one (cents)"),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parts",
                        to="fleet.workorder",
                        verbose_name="work order",
                    ),
                ),
            ],
            options={
                "verbose_name": "part",
                "verbose_name_plural": "parts",
                "ordering": ("id",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("quantity__gt", 0)), name="fleet_part_is_some"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ZoneCrossing",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("zones_version", models.BigIntegerField()),
                ("at", models.DateTimeField(verbose_name="at")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("enter", "Entered"),
                            ("leave", "Left"),
                            ("passed", "Passed through"),
                        ],
                        max_length=8,
                        verbose_name="kind",
                    ),
                ),
                ("lon_e7", models.IntegerField()),
                ("lat_e7", models.IntegerField()),
                ("speed_cms", models.SmallIntegerField(verbose_name="speed (cm/s)")),
                ("on_trip", models.BooleanField(verbose_name="on a trip")),
                (
                    "vehicle",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="crossings",
                        to="fleet.vehicle",
                        verbose_name="vehicle",
                    ),
                ),
                (
                    "zone",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="crossings",
                        to="fleet.zone",
                        verbose_name="zone",
                    ),
                ),
            ],
            options={
                "verbose_name": "zone crossing",
                "verbose_name_plural": "zone crossings",
                "ordering": ("-id",),
                "indexes": [models.Index(fields=["zone", "at"], name="fleet_crossing_zone_at")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("vehicle", "at", "zone", "kind"), name="fleet_crossing_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ZoneSet",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.UUIDField(
                        default=mobility.core.ids.uuid7,
                        editable=False,
                        unique=True,
                        verbose_name="public id",
                    ),
                ),
                ("title", models.CharField(max_length=120, verbose_name="title")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "draft"),
                            ("published", "published"),
                            ("superseded", "superseded"),
                        ],
                        default="draft",
                        editable=False,
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                (
                    "version",
                    models.PositiveIntegerField(
                        blank=True, editable=False, null=True, verbose_name="version"
                    ),
                ),
                (
                    "during",
                    django.contrib.postgres.fields.ranges.DateTimeRangeField(
                        blank=True, editable=False, null=True, verbose_name="in force during"
                    ),
                ),
                ("created_at", models.DateTimeField(editable=False, verbose_name="created at")),
                (
                    "created_by",
                    models.CharField(editable=False, max_length=100, verbose_name="created by"),
                ),
                (
                    "published_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="published at"
                    ),
                ),
                (
                    "published_by",
                    models.CharField(
                        blank=True, editable=False, max_length=100, verbose_name="published by"
                    ),
                ),
                (
                    "based_on",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="fleet.zoneset",
                        verbose_name="based on",
                    ),
                ),
                (
                    "city",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="zone_sets",
                        to="mobility.city",
                        verbose_name="city",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="zone_sets",
                        to="mobility.organisation",
                        verbose_name="organisation",
                    ),
                ),
            ],
            options={
                "verbose_name": "zone set",
                "verbose_name_plural": "zone sets",
                "ordering": ("city", "organisation", "-id"),
                "constraints": [
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        condition=models.Q(("state", "draft"), _negated=True),
                        expressions=(("organisation", "="), ("city", "="), ("during", "&&")),
                        name="fleet_one_zone_set_in_force",
                    ),
                    models.UniqueConstraint(
                        fields=("organisation", "city", "version"),
                        name="fleet_zone_set_version_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("during", None),
                                ("published_at", None),
                                ("state", "draft"),
                                ("version", None),
                            ),
                            models.Q(
                                models.Q(("state", "draft"), _negated=True),
                                ("during__isnull", False),
                                ("published_at__isnull", False),
                                ("version__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="fleet_zone_set_is_draft_or_dated",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ZoneRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(default=0, verbose_name="position")),
                (
                    "vehicle_kinds",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("bicycle", "E-bike"),
                                ("scooter", "E-scooter"),
                                ("car", "E-car"),
                            ],
                            max_length=16,
                        ),
                        blank=True,
                        default=list,
                        help_text="Kinds and types both empty: every vehicle.",
                        size=None,
                        verbose_name="vehicle kinds",
                    ),
                ),
                (
                    "vehicle_types",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=50),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="vehicle types (codes)",
                    ),
                ),
                (
                    "user_groups",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        blank=True,
                        default=list,
                        help_text="Empty: every rider.",
                        size=None,
                        verbose_name="user groups",
                    ),
                ),
                (
                    "weekdays",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveSmallIntegerField(
                            validators=[
                                django.core.validators.MinValueValidator(1),
                                django.core.validators.MaxValueValidator(7),
                            ]
                        ),
                        blank=True,
                        default=list,
                        help_text="1 is Monday, 7 is Sunday; empty: every day.",
                        size=None,
                        verbose_name="weekdays",
                    ),
                ),
                ("start_time", models.TimeField(blank=True, null=True, verbose_name="from")),
                (
                    "end_time",
                    models.TimeField(
                        blank=True,
                        help_text="May lie after midnight.",
                        null=True,
                        verbose_name="until",
                    ),
                ),
                (
                    "ride_start_allowed",
                    models.BooleanField(blank=True, null=True, verbose_name="rides may start"),
                ),
                (
                    "ride_end_allowed",
                    models.BooleanField(blank=True, null=True, verbose_name="rides may end"),
                ),
                (
                    "ride_through_allowed",
                    models.BooleanField(blank=True, null=True, verbose_name="riding through"),
                ),
                (
                    "station_parking",
                    models.BooleanField(blank=True, null=True, verbose_name="parking in bays only"),
                ),
                (
                    "maximum_speed_kmh",
                    models.PositiveSmallIntegerField(
                        blank=True, null=True, verbose_name="speed limit (km/h)"
                    ),
                ),
                (
                    "zone",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: holds wherever no zone says otherwise.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rules",
                        to="fleet.zone",
                        verbose_name="zone",
                    ),
                ),
                (
                    "zone_set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rules",
                        to="fleet.zoneset",
                        verbose_name="zone set",
                    ),
                ),
            ],
            options={
                "verbose_name": "zone rule",
                "verbose_name_plural": "zone rules",
                "ordering": ("zone_set", "zone", "position", "id"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("end_time", None), ("start_time", None)),
                            models.Q(
                                ("end_time__isnull", False),
                                ("start_time__isnull", False),
                                models.Q(("start_time", models.F("end_time")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="fleet_zone_rule_hours_have_two_ends",
                        violation_error_message="Hours need a beginning and another end.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("maximum_speed_kmh", None),
                            ("maximum_speed_kmh__gte", 1),
                            _connector="OR",
                        ),
                        name="fleet_zone_rule_speed_is_positive",
                        violation_error_message="A speed limit is at least 1 km/h.",
                    ),
                ],
            },
        ),
        migrations.RemoveConstraint(
            model_name="quarantinedpoint",
            name="fleet_quarantined_once",
        ),
        migrations.AddField(
            model_name="device",
            name="broker_hash",
            field=models.CharField(blank=True, editable=False, max_length=160),
        ),
        migrations.AddField(
            model_name="device",
            name="imei",
            field=models.CharField(
                blank=True, max_length=15, null=True, unique=True, verbose_name="IMEI"
            ),
        ),
        migrations.AddField(
            model_name="device",
            name="model",
            field=models.CharField(blank=True, max_length=40, verbose_name="model"),
        ),
        migrations.AddField(
            model_name="device",
            name="protocol",
            field=models.CharField(
                choices=[
                    ("http", "HTTPS"),
                    ("mqtt", "MQTT"),
                    ("teltonika", "Teltonika TCP"),
                    ("integration", "The operator's backend"),
                ],
                default="http",
                max_length=16,
                verbose_name="protocol",
            ),
        ),
        migrations.AddField(
            model_name="quarantinedpoint",
            name="device",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="quarantined_points",
                to="fleet.device",
                verbose_name="device",
            ),
        ),
        migrations.AddField(
            model_name="vehicle",
            name="equipment",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("child_seat", "Child seat"),
                        ("helmet_box", "Box with helmet"),
                        ("phone_holder", "Phone holder"),
                        ("phone_charger", "Phone charger"),
                        ("front_basket", "Front basket"),
                        ("cargo_box", "Cargo box"),
                        ("winter_tyres", "Winter tyres"),
                        ("snow_chains", "Snow chains"),
                        ("roof_rack", "Roof rack"),
                        ("toll_transponder", "Toll transponder"),
                        ("wheelchair_access", "Wheelchair access"),
                    ],
                    max_length=24,
                ),
                blank=True,
                default=list,
                size=None,
                verbose_name="equipment",
            ),
        ),
        migrations.AddField(
            model_name="vehicle",
            name="outside_since",
            field=models.DateTimeField(
                editable=False, null=True, verbose_name="outside the city since"
            ),
        ),
        migrations.AddField(
            model_name="vehicle",
            name="qr_code",
            field=models.CharField(
                db_default=django.db.models.functions.text.Substr(
                    django.db.models.functions.text.Replace(
                        django.db.models.functions.comparison.Cast(
                            django.contrib.postgres.functions.RandomUUID(), models.CharField()
                        ),
                        models.Value("-"),
                        models.Value(""),
                    ),
                    1,
                    20,
                ),
                editable=False,
                max_length=20,
                unique=True,
                verbose_name="QR code",
            ),
        ),
        migrations.AddField(
            model_name="vehiclecommand",
            name="parameters",
            field=models.JSONField(blank=True, default=dict, verbose_name="parameters"),
        ),
        migrations.AddField(
            model_name="vehicleevent",
            name="outside",
            field=models.BooleanField(default=False, verbose_name="outside the city"),
        ),
        migrations.AddField(
            model_name="vehicletype",
            name="battery_slots",
            field=models.PositiveSmallIntegerField(
                default=1,
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="battery slots",
            ),
        ),
        migrations.AddField(
            model_name="vehicletype",
            name="cargo_load_kg",
            field=models.PositiveSmallIntegerField(default=0, verbose_name="cargo load (kg)"),
        ),
        migrations.AddField(
            model_name="vehicletype",
            name="commands",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("lock", "Lock"),
                        ("unlock", "Unlock"),
                        ("locate", "Ring and flash"),
                        ("immobilise", "Immobilise"),
                        ("release", "Release"),
                        ("open_hatch", "Open the battery hatch"),
                        ("refresh", "Report now"),
                        ("set_speed_limit", "Limit the speed"),
                    ],
                    max_length=16,
                ),
                blank=True,
                default=fleet.vehicles.models.vehicle.every_command,
                size=None,
                verbose_name="commands it obeys",
            ),
        ),
        migrations.AddField(
            model_name="vehicletype",
            name="form_factor",
            field=models.CharField(
                blank=True,
                choices=[
                    ("bicycle", "Bicycle"),
                    ("cargo_bicycle", "Cargo bike"),
                    ("scooter_standing", "Standing scooter"),
                    ("scooter_seated", "Seated scooter"),
                    ("moped", "Moped"),
                    ("car", "Car"),
                ],
                help_text="Empty: the usual form of its kind.",
                max_length=24,
                verbose_name="form",
            ),
        ),
        migrations.AddField(
            model_name="vehicletype",
            name="required_documents",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("targhino", "Number sticker (targhino)"),
                        ("insurance", "Insurance"),
                        ("inspection", "Inspection"),
                        ("registration", "Registration"),
                    ],
                    max_length=16,
                ),
                blank=True,
                default=list,
                size=None,
                verbose_name="required documents",
            ),
        ),
        migrations.AddField(
            model_name="vehicletype",
            name="swappable",
            field=models.BooleanField(default=False, verbose_name="batteries can be swapped"),
        ),
        migrations.AddField(
            model_name="zone",
            name="position",
            field=models.PositiveSmallIntegerField(
                default=0,
                help_text="Where zones overlap, the one with the lower position decides.",
                verbose_name="position",
            ),
        ),
        migrations.AlterField(
            model_name="quarantinedpoint",
            name="reason",
            field=models.CharField(
                choices=[
                    ("future", "In the future"),
                    ("too_old", "Too old"),
                    ("zero_fix", "No position (0, 0)"),
                    ("out_of_range", "Out of range"),
                    ("unassigned", "Device in no vehicle"),
                    ("impossible_speed", "Impossible speed"),
                ],
                max_length=24,
                verbose_name="reason",
            ),
        ),
        migrations.AlterField(
            model_name="quarantinedpoint",
            name="vehicle",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="quarantined_points",
                to="fleet.vehicle",
                verbose_name="vehicle",
            ),
        ),
        migrations.AlterField(
            model_name="vehicle",
            name="life_state",
            field=models.CharField(
                choices=[
                    ("draft", "Being prepared"),
                    ("in_service", "In service"),
                    ("workshop", "In the workshop"),
                    ("storage", "In storage"),
                    ("missing", "Missing"),
                    ("stolen", "Stolen"),
                    ("impounded", "Impounded"),
                    ("retired", "Retired"),
                ],
                default="draft",
                max_length=16,
                verbose_name="life",
            ),
        ),
        migrations.AlterField(
            model_name="vehicle",
            name="plate",
            field=models.CharField(
                blank=True,
                max_length=16,
                validators=[
                    django.core.validators.RegexValidator(
                        "^[A-Z0-9]{4,10}\\Z", "Give the plate in capital letters and digits."
                    )
                ],
                verbose_name="plate",
            ),
        ),
        migrations.AlterField(
            model_name="vehicle",
            name="vin",
            field=models.CharField(
                blank=True,
                max_length=32,
                validators=[
                    django.core.validators.RegexValidator(
                        "^[A-HJ-NPR-Z0-9]{17}\\Z", "A VIN has 17 characters, without I, O and Q."
                    )
                ],
                verbose_name="VIN",
            ),
        ),
        migrations.AlterField(
            model_name="vehicleblock",
            name="reason",
            field=models.CharField(
                choices=[
                    ("low_battery", "Low battery"),
                    ("maintenance", "Maintenance"),
                    ("off_hours", "Outside service hours"),
                    ("suspended", "Suspended"),
                    ("damage", "Damaged"),
                    ("document_expired", "Document expired"),
                    ("zone", "In a closed zone"),
                    ("inspection", "Waits for its check"),
                ],
                max_length=24,
                verbose_name="reason",
            ),
        ),
        migrations.AlterField(
            model_name="vehiclecommand",
            name="kind",
            field=models.CharField(
                choices=[
                    ("lock", "Lock"),
                    ("unlock", "Unlock"),
                    ("locate", "Ring and flash"),
                    ("immobilise", "Immobilise"),
                    ("release", "Release"),
                    ("open_hatch", "Open the battery hatch"),
                    ("refresh", "Report now"),
                    ("set_speed_limit", "Limit the speed"),
                ],
                max_length=16,
                verbose_name="kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="device",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("protocol", "teltonika"), _negated=True),
                    ("imei__isnull", False),
                    _connector="OR",
                ),
                name="fleet_device_teltonika_has_imei",
            ),
        ),
        migrations.AddConstraint(
            model_name="quarantinedpoint",
            constraint=models.UniqueConstraint(
                fields=("device", "at_us", "reason"), name="fleet_quarantined_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="vehicle",
            constraint=models.UniqueConstraint(
                condition=models.Q(("plate", ""), _negated=True),
                fields=("plate",),
                name="fleet_plate_once",
                violation_error_message="Another vehicle has this plate.",
            ),
        ),
        migrations.AddConstraint(
            model_name="vehicle",
            constraint=models.UniqueConstraint(
                condition=models.Q(("vin", ""), _negated=True),
                fields=("vin",),
                name="fleet_vin_once",
                violation_error_message="Another vehicle has this VIN.",
            ),
        ),
        migrations.AddField(
            model_name="zone",
            name="zone_set",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="zones",
                to="fleet.zoneset",
                verbose_name="zone set",
            ),
        ),
        migrations.RunSQL(
            "ALTER TABLE fleet_point ADD COLUMN tilted smallint NOT NULL DEFAULT -1",
            "ALTER TABLE fleet_point DROP COLUMN tilted",
        ),
        migrations.RunSQL(
            "ALTER TABLE fleet_vehiclepresence SET (fillfactor = 50)",
            "ALTER TABLE fleet_vehiclepresence RESET (fillfactor)",
        ),
        migrations.RunSQL(CHUNKS, "DROP TABLE fleet_pointchunk"),
        migrations.RunSQL(UNLINK, UNLINK_BACK),
        audit_edits("fleet.vehicledocument"),
        audit_edits("fleet.battery"),
        audit_edits("fleet.vehiclecase"),
        audit_edits("fleet.maintenancerule"),
        audit_edits("fleet.checklisttemplate"),
        audit_edits("fleet.checklistitem"),
        audit_edits("fleet.workorder"),
        audit_edits("fleet.workorderpart"),
        audit_edits("fleet.device"),
    ]
