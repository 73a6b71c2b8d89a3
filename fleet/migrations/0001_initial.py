import django.contrib.gis.db.models.fields
import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
from django.db import migrations, models

import mobility.core.ids
import mobility.core.texts
from mobility.core.migration_operations import audit_edits

# Day partitions are made by `telematics.services.ensure_partitions`. Rows in the DEFAULT partition
# are an alarm: somebody reports for a day that nobody prepared. No foreign key: the drain knows its
# vehicles, and checking every row would cost more than storing it. LatestState leaves half of each
# page free, so that its updates stay on their page.
POINTS = """
CREATE TABLE fleet_point (
    vehicle_id bigint NOT NULL,
    at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    lon_e7 integer NOT NULL,
    lat_e7 integer NOT NULL,
    odometer_m integer NOT NULL,
    accuracy_dm smallint NOT NULL,
    speed_cms smallint NOT NULL,
    heading smallint NOT NULL,
    battery_pct smallint NOT NULL,
    locked smallint NOT NULL,
    PRIMARY KEY (vehicle_id, at)
) PARTITION BY RANGE (at);
CREATE INDEX fleet_point_at ON fleet_point USING brin (at);
CREATE TABLE fleet_point_default PARTITION OF fleet_point DEFAULT;
ALTER TABLE fleet_lateststate SET (fillfactor = 50);
"""

HISTORY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON fleet_vehicleevent
    FOR EACH ROW EXECUTE FUNCTION mobility_refuse_change();
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("mobility", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Point",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "vehicle_id",
                        "at",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("vehicle_id", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
                ("lon_e7", models.IntegerField()),
                ("lat_e7", models.IntegerField()),
                ("odometer_m", models.IntegerField()),
                ("accuracy_dm", models.SmallIntegerField()),
                ("speed_cms", models.SmallIntegerField()),
                ("heading", models.SmallIntegerField()),
                ("battery_pct", models.SmallIntegerField()),
                ("locked", models.SmallIntegerField()),
            ],
            options={
                "db_table": "fleet_point",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Vehicle",
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
                ("code", models.CharField(max_length=16, unique=True, verbose_name="code")),
                ("plate", models.CharField(blank=True, max_length=16, verbose_name="plate")),
                ("vin", models.CharField(blank=True, max_length=32, verbose_name="VIN")),
                (
                    "life_state",
                    models.CharField(
                        choices=[
                            ("draft", "Being prepared"),
                            ("in_service", "In service"),
                            ("workshop", "In the workshop"),
                            ("storage", "In storage"),
                            ("missing", "Missing"),
                            ("impounded", "Impounded"),
                            ("retired", "Retired"),
                        ],
                        default="draft",
                        max_length=16,
                        verbose_name="life",
                    ),
                ),
                (
                    "rental_state",
                    models.CharField(
                        choices=[
                            ("free", "Free"),
                            ("held", "Held for a rider"),
                            ("starting", "Unlocking"),
                            ("on_trip", "On a trip"),
                            ("paused", "Paused"),
                            ("ending", "Ending"),
                            ("staff", "With staff"),
                        ],
                        default="free",
                        max_length=16,
                        verbose_name="rental",
                    ),
                ),
                (
                    "link_state",
                    models.CharField(
                        choices=[("online", "Online"), ("late", "Late"), ("lost", "Lost")],
                        default="lost",
                        max_length=16,
                        verbose_name="link",
                    ),
                ),
                ("command_sequence", models.PositiveIntegerField(default=0, editable=False)),
                (
                    "city",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="vehicles",
                        to="mobility.city",
                        verbose_name="city",
                    ),
                ),
                (
                    "home_hub",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="vehicles",
                        to="mobility.hub",
                        verbose_name="home hub",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="vehicles",
                        to="mobility.organisation",
                        verbose_name="organisation",
                    ),
                ),
            ],
            options={
                "verbose_name": "vehicle",
                "verbose_name_plural": "vehicles",
                "ordering": ("code",),
            },
        ),
        migrations.CreateModel(
            name="VehicleType",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.SlugField(unique=True, verbose_name="code")),
                ("name", mobility.core.texts.LocalizedField(verbose_name="name")),
                (
                    "kind",
                    models.CharField(
                        choices=[("bicycle", "E-bike"), ("scooter", "E-scooter"), ("car", "E-car")],
                        max_length=16,
                        verbose_name="kind",
                    ),
                ),
                (
                    "propulsion",
                    models.CharField(
                        choices=[
                            ("electric_assist", "Electric assist"),
                            ("electric", "Electric"),
                            ("human", "Human"),
                        ],
                        default="electric",
                        max_length=24,
                        verbose_name="propulsion",
                    ),
                ),
                (
                    "max_range_m",
                    models.PositiveIntegerField(verbose_name="range on a full battery (m)"),
                ),
                (
                    "max_speed_kmh",
                    models.PositiveSmallIntegerField(verbose_name="top speed (km/h)"),
                ),
                ("battery_wh", models.PositiveIntegerField(verbose_name="battery (Wh)")),
                ("seats", models.PositiveSmallIntegerField(default=1, verbose_name="seats")),
            ],
            options={
                "verbose_name": "vehicle type",
                "verbose_name_plural": "vehicle types",
                "ordering": ("code",),
            },
        ),
        migrations.CreateModel(
            name="Device",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("serial", models.CharField(max_length=40, unique=True, verbose_name="serial")),
                ("secret_hash", models.CharField(editable=False, max_length=64, unique=True)),
                ("created_at", models.DateTimeField(verbose_name="created")),
                ("revoked_at", models.DateTimeField(blank=True, null=True, verbose_name="revoked")),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="devices",
                        to="mobility.organisation",
                        verbose_name="organisation",
                    ),
                ),
            ],
            options={
                "verbose_name": "device",
                "verbose_name_plural": "devices",
                "ordering": ("serial",),
            },
        ),
        migrations.CreateModel(
            name="IngestOffset",
            fields=[
                ("shard", models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                ("last_id", models.CharField(max_length=40)),
                ("updated_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("last_id", ""), _negated=True),
                        name="fleet_offset_is_named",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LatestState",
            fields=[
                (
                    "vehicle",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="latest",
                        serialize=False,
                        to="fleet.vehicle",
                        verbose_name="vehicle",
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
                ("received_at", models.DateTimeField(verbose_name="received")),
                ("lon_e7", models.IntegerField()),
                ("lat_e7", models.IntegerField()),
                ("accuracy_dm", models.SmallIntegerField(null=True, verbose_name="accuracy (dm)")),
                ("speed_cms", models.SmallIntegerField(null=True, verbose_name="speed (cm/s)")),
                ("heading", models.SmallIntegerField(null=True, verbose_name="heading (degrees)")),
                ("battery_pct", models.SmallIntegerField(null=True, verbose_name="battery (%)")),
                ("odometer_m", models.IntegerField(null=True, verbose_name="odometer (m)")),
                ("locked", models.BooleanField(null=True, verbose_name="locked")),
            ],
            options={
                "verbose_name": "latest state",
                "verbose_name_plural": "latest states",
            },
        ),
        migrations.AddField(
            model_name="vehicle",
            name="type",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="vehicles",
                to="fleet.vehicletype",
                verbose_name="type",
            ),
        ),
        migrations.CreateModel(
            name="Zone",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=40, verbose_name="code")),
                ("name", mobility.core.texts.LocalizedField(verbose_name="name")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("operating", "Service area"),
                            ("no_ride", "No riding"),
                            ("no_park", "No parking"),
                            ("slow", "Slow"),
                            ("bay", "Parking bay"),
                        ],
                        max_length=16,
                        verbose_name="kind",
                    ),
                ),
                (
                    "boundary",
                    django.contrib.gis.db.models.fields.MultiPolygonField(
                        srid=4326, verbose_name="boundary"
                    ),
                ),
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
                        help_text="Empty: every kind of vehicle.",
                        size=None,
                        verbose_name="vehicle kinds",
                    ),
                ),
                (
                    "during",
                    django.contrib.postgres.fields.ranges.DateTimeRangeField(
                        verbose_name="valid during"
                    ),
                ),
                (
                    "max_speed_kmh",
                    models.PositiveSmallIntegerField(
                        blank=True, null=True, verbose_name="speed limit (km/h)"
                    ),
                ),
                (
                    "capacity",
                    models.PositiveSmallIntegerField(
                        blank=True, null=True, verbose_name="capacity"
                    ),
                ),
                (
                    "city",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="zones",
                        to="mobility.city",
                        verbose_name="city",
                    ),
                ),
                (
                    "hub",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="zones",
                        to="mobility.hub",
                        verbose_name="hub",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="zones",
                        to="mobility.organisation",
                        verbose_name="organisation",
                    ),
                ),
            ],
            options={
                "verbose_name": "zone",
                "verbose_name_plural": "zones",
                "ordering": ("city", "code", "-id"),
            },
        ),
        migrations.CreateModel(
            name="DeviceAssignment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "during",
                    django.contrib.postgres.fields.ranges.DateTimeRangeField(verbose_name="during"),
                ),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="assignments",
                        to="fleet.device",
                        verbose_name="device",
                    ),
                ),
                (
                    "vehicle",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="assignments",
                        to="fleet.vehicle",
                        verbose_name="vehicle",
                    ),
                ),
            ],
            options={
                "verbose_name": "device assignment",
                "verbose_name_plural": "device assignments",
                "ordering": ("-id",),
                "constraints": [
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=(("device", "="), ("during", "&&")),
                        name="fleet_device_in_one_vehicle",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="QuarantinedPoint",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("future", "In the future"),
                            ("too_old", "Too old"),
                            ("zero_fix", "No position (0, 0)"),
                            ("out_of_range", "Out of range"),
                        ],
                        max_length=24,
                        verbose_name="reason",
                    ),
                ),
                ("at_us", models.BigIntegerField(verbose_name="device time (µs since 1970)")),
                ("received_at", models.DateTimeField(verbose_name="received")),
                ("lon_e7", models.IntegerField()),
                ("lat_e7", models.IntegerField()),
                (
                    "vehicle",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="quarantined_points",
                        to="fleet.vehicle",
                        verbose_name="vehicle",
                    ),
                ),
            ],
            options={
                "verbose_name": "quarantined point",
                "verbose_name_plural": "quarantined points",
                "ordering": ("-id",),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("vehicle", "at_us", "reason"), name="fleet_quarantined_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="VehicleBlock",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("low_battery", "Low battery"),
                            ("maintenance", "Maintenance"),
                            ("off_hours", "Outside service hours"),
                            ("suspended", "Suspended"),
                            ("damage", "Damaged"),
                            ("document_expired", "Document expired"),
                            ("zone", "In a closed zone"),
                        ],
                        max_length=24,
                        verbose_name="reason",
                    ),
                ),
                ("since", models.DateTimeField(verbose_name="since")),
                ("until", models.DateTimeField(blank=True, null=True, verbose_name="until")),
                ("placed_by", models.CharField(max_length=100, verbose_name="placed by")),
                (
                    "lifted_by",
                    models.CharField(blank=True, max_length=100, verbose_name="lifted by"),
                ),
                (
                    "vehicle",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="blocks",
                        to="fleet.vehicle",
                        verbose_name="vehicle",
                    ),
                ),
            ],
            options={
                "verbose_name": "block",
                "verbose_name_plural": "blocks",
                "ordering": ("-since", "-id"),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("until", None)),
                        fields=("vehicle", "reason"),
                        name="fleet_one_active_block_per_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("until", None), ("until__gte", models.F("since")), _connector="OR"
                        ),
                        name="fleet_block_ends_after_it_began",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="VehicleCommand",
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
                ("sequence", models.PositiveIntegerField(verbose_name="sequence")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("lock", "Lock"),
                            ("unlock", "Unlock"),
                            ("locate", "Ring and flash"),
                            ("immobilise", "Immobilise"),
                            ("release", "Release"),
                        ],
                        max_length=16,
                        verbose_name="kind",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("sent", "Sent"),
                            ("accepted", "Accepted"),
                            ("confirmed", "Confirmed"),
                            ("rejected", "Rejected"),
                            ("unknown", "Outcome unknown"),
                            ("expired", "Expired"),
                            ("superseded", "Superseded"),
                        ],
                        default="queued",
                        max_length=16,
                        verbose_name="state",
                    ),
                ),
                ("idempotency_key", models.CharField(max_length=120)),
                (
                    "purpose_ref",
                    models.CharField(blank=True, max_length=80, verbose_name="purpose"),
                ),
                ("requested_by", models.CharField(max_length=100, verbose_name="requested by")),
                ("created_at", models.DateTimeField(verbose_name="created")),
                ("sent_at", models.DateTimeField(blank=True, null=True, verbose_name="sent")),
                (
                    "finished_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="finished"),
                ),
                ("expires_at", models.DateTimeField(verbose_name="expires")),
                (
                    "vehicle",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="commands",
                        to="fleet.vehicle",
                        verbose_name="vehicle",
                    ),
                ),
            ],
            options={
                "verbose_name": "command",
                "verbose_name_plural": "commands",
                "ordering": ("-id",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ("queued", "sent", "accepted"))),
                        fields=["expires_at"],
                        name="fleet_command_waiting",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("vehicle", "sequence"), name="fleet_command_sequence_once"
                    ),
                    models.UniqueConstraint(
                        fields=("vehicle", "idempotency_key"), name="fleet_command_key_once"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="VehicleEvent",
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
                ("at", models.DateTimeField(verbose_name="at")),
                ("mds_state", models.CharField(max_length=20, verbose_name="state")),
                (
                    "mds_events",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=32), size=None, verbose_name="events"
                    ),
                ),
                ("life_state", models.CharField(max_length=16, verbose_name="life")),
                ("rental_state", models.CharField(max_length=16, verbose_name="rental")),
                ("link_state", models.CharField(max_length=16, verbose_name="link")),
                (
                    "blocks",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=24),
                        default=list,
                        size=None,
                        verbose_name="blocks",
                    ),
                ),
                ("lon", models.FloatField(null=True, verbose_name="longitude")),
                ("lat", models.FloatField(null=True, verbose_name="latitude")),
                ("battery_pct", models.SmallIntegerField(null=True, verbose_name="battery (%)")),
                ("trip_ref", models.CharField(blank=True, max_length=80, verbose_name="trip")),
                ("by", models.CharField(max_length=100, verbose_name="by")),
                (
                    "vehicle",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="fleet.vehicle",
                        verbose_name="vehicle",
                    ),
                ),
            ],
            options={
                "verbose_name": "vehicle event",
                "verbose_name_plural": "vehicle events",
                "ordering": ("-id",),
                "indexes": [
                    models.Index(fields=["vehicle", "at"], name="fleet_event_vehicle_at"),
                    models.Index(fields=["at"], name="fleet_event_at"),
                ],
            },
        ),
        migrations.CreateModel(
            name="VehicleHold",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "during",
                    django.contrib.postgres.fields.ranges.DateTimeRangeField(verbose_name="during"),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("ride", "Ride"),
                            ("booking", "Booking"),
                            ("crew", "Crew"),
                            ("service", "Service"),
                        ],
                        max_length=16,
                        verbose_name="purpose",
                    ),
                ),
                (
                    "holder_ref",
                    models.CharField(db_index=True, max_length=80, verbose_name="holder"),
                ),
                (
                    "released_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="released"),
                ),
                (
                    "vehicle",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="holds",
                        to="fleet.vehicle",
                        verbose_name="vehicle",
                    ),
                ),
            ],
            options={
                "verbose_name": "hold",
                "verbose_name_plural": "holds",
                "ordering": ("-id",),
                "constraints": [
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        condition=models.Q(("released_at", None)),
                        expressions=(("vehicle", "="), ("during", "&&")),
                        name="fleet_one_hold_per_vehicle",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("during__isempty", False),
                            ("during__lower_inf", False),
                            ("during__upper_inf", False),
                        ),
                        name="fleet_hold_has_two_ends",
                    ),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="vehicle",
            index=models.Index(
                fields=["organisation", "life_state"], name="fleet_vehicle_org_life"
            ),
        ),
        migrations.AddConstraint(
            model_name="zone",
            constraint=models.CheckConstraint(
                condition=models.Q(("boundary__isvalid", True)),
                name="fleet_zone_boundary_is_sound",
                violation_error_message="The boundary crosses itself.",
            ),
        ),
        migrations.AddConstraint(
            model_name="zone",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "slow"), _negated=True),
                    ("max_speed_kmh__isnull", False),
                    _connector="OR",
                ),
                name="fleet_slow_zone_has_a_limit",
                violation_error_message="A slow zone needs a speed limit.",
            ),
        ),
        migrations.AddConstraint(
            model_name="zone",
            constraint=models.CheckConstraint(
                condition=models.Q(("during__isempty", False), ("during__lower_inf", False)),
                name="fleet_zone_has_a_beginning",
                violation_error_message="A zone needs the moment from which it is valid.",
            ),
        ),
        migrations.RunSQL(POINTS, "DROP TABLE fleet_point"),
        migrations.RunSQL(HISTORY, "DROP TRIGGER append_only ON fleet_vehicleevent"),
        audit_edits("fleet.zone"),
        audit_edits("fleet.vehicletype"),
    ]
