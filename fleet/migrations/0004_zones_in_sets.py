import django.db.models.deletion
from django.db import migrations, models

# Zones with dates of their own become sets: those in force a published one, those whose time is
# over one that is kept for the record, those to come a draft. Kinds and limits become rules.
ZONES_INTO_SETS = """
INSERT INTO fleet_zoneset
    (public_id, organisation_id, city_id, title, state, version, during, created_at, created_by,
     published_at, published_by)
SELECT gen_random_uuid(), organisation_id, city_id, 'Zones', 'published', 1,
       tstzrange(min(lower(during)), NULL), now(), 'system:platform', now(), 'system:platform'
FROM fleet_zone WHERE during @> now() GROUP BY organisation_id, city_id
UNION ALL
SELECT gen_random_uuid(), organisation_id, city_id, 'Earlier zones', 'superseded', 0,
       'empty', now(), 'system:platform', now(), 'system:platform'
FROM fleet_zone WHERE upper(during) <= now() GROUP BY organisation_id, city_id
UNION ALL
SELECT gen_random_uuid(), organisation_id, city_id, 'Zones to come', 'draft', NULL::integer,
       NULL::tstzrange, now(), 'system:platform', NULL::timestamptz, ''
FROM fleet_zone WHERE lower(during) > now() GROUP BY organisation_id, city_id;
UPDATE fleet_zone SET
    zone_set_id = placed.zone_set_id,
    position = placed.place,
    code = CASE WHEN placed.twin > 1 THEN left(code, 30) || '-' || fleet_zone.id ELSE code END
FROM (
    SELECT zone.id, one.id AS zone_set_id,
           row_number() OVER (PARTITION BY one.id ORDER BY array_position(
               ARRAY['bay', 'no_ride', 'no_park', 'slow', 'operating'], zone.kind::text), zone.id
           ) AS place,
           row_number() OVER (PARTITION BY one.id, zone.code ORDER BY zone.id DESC) AS twin
    FROM fleet_zone zone JOIN fleet_zoneset one
      ON one.organisation_id = zone.organisation_id AND one.city_id = zone.city_id
     AND one.state = CASE WHEN zone.during @> now() THEN 'published'
                          WHEN lower(zone.during) > now() THEN 'draft' ELSE 'superseded' END
) placed WHERE placed.id = fleet_zone.id;
INSERT INTO fleet_zonerule
    (zone_set_id, zone_id, position, vehicle_kinds, vehicle_types, user_groups, weekdays,
     ride_start_allowed, ride_end_allowed, ride_through_allowed, maximum_speed_kmh)
SELECT zone_set_id, id, 1, vehicle_kinds, '{}', '{}', '{}',
       CASE kind WHEN 'operating' THEN TRUE WHEN 'bay' THEN TRUE WHEN 'no_ride' THEN FALSE END,
       CASE kind WHEN 'operating' THEN TRUE WHEN 'bay' THEN TRUE WHEN 'no_ride' THEN FALSE
                 WHEN 'no_park' THEN FALSE END,
       CASE kind WHEN 'operating' THEN TRUE WHEN 'no_ride' THEN FALSE END,
       max_speed_kmh
FROM fleet_zone WHERE vehicle_kinds <> '{}' OR max_speed_kmh IS NOT NULL;
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
"""
# What was in force stays answerable: the database lets nobody change a set that is no draft, and
# puts no broken line into force. Only a hub that is taken down may leave its zone. The versions
# themselves are the trail of who changed what, so the one row by row ends.
KEEP_PUBLISHED_ZONES = """
DROP TRIGGER IF EXISTS audit_edit ON fleet_zone;
CREATE FUNCTION fleet_keep_published_zones() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Who publishes holds the row; wait for it, and look only then.
    IF TG_OP <> 'INSERT' THEN
        PERFORM FROM fleet_zoneset WHERE id = OLD.zone_set_id FOR SHARE;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM FROM fleet_zoneset WHERE id = NEW.zone_set_id FOR SHARE;
    END IF;
    IF EXISTS (
        SELECT FROM fleet_zoneset WHERE state <> 'draft' AND (
            (TG_OP <> 'INSERT' AND id = OLD.zone_set_id)
            OR (TG_OP <> 'DELETE' AND id = NEW.zone_set_id))
    ) THEN
        RAISE EXCEPTION 'a published zone set stays as it is' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;
CREATE TRIGGER keep_published BEFORE INSERT OR DELETE
    OR UPDATE OF zone_set_id, position, code, name, kind, boundary, capacity ON fleet_zone
    FOR EACH ROW EXECUTE FUNCTION fleet_keep_published_zones();
CREATE TRIGGER keep_published BEFORE INSERT OR UPDATE OR DELETE ON fleet_zonerule
    FOR EACH ROW EXECUTE FUNCTION fleet_keep_published_zones();
CREATE FUNCTION fleet_publish_sound_zones() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM fleet_zone WHERE zone_set_id = NEW.id AND NOT ST_IsValid(boundary)) THEN
        RAISE EXCEPTION 'a zone of this set has a broken boundary' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER publish_sound BEFORE UPDATE OF state ON fleet_zoneset
    FOR EACH ROW WHEN (OLD.state = 'draft' AND NEW.state = 'published')
    EXECUTE FUNCTION fleet_publish_sound_zones();
"""
LET_PUBLISHED_ZONES_GO = """
DROP TRIGGER publish_sound ON fleet_zoneset;
DROP TRIGGER keep_published ON fleet_zonerule;
DROP TRIGGER keep_published ON fleet_zone;
DROP FUNCTION fleet_publish_sound_zones();
DROP FUNCTION fleet_keep_published_zones();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("fleet", "0003_operations"),
    ]

    operations = [
        migrations.RunSQL(ZONES_INTO_SETS, migrations.RunSQL.noop),
        migrations.AlterModelOptions(
            name="zone",
            options={
                "ordering": ("zone_set", "position", "id"),
                "verbose_name": "zone",
                "verbose_name_plural": "zones",
            },
        ),
        migrations.RemoveConstraint(
            model_name="zone",
            name="fleet_zone_boundary_is_sound",
        ),
        migrations.RemoveConstraint(
            model_name="zone",
            name="fleet_slow_zone_has_a_limit",
        ),
        migrations.RemoveConstraint(
            model_name="zone",
            name="fleet_zone_has_a_beginning",
        ),
        migrations.RemoveField(
            model_name="zone",
            name="city",
        ),
        migrations.RemoveField(
            model_name="zone",
            name="during",
        ),
        migrations.RemoveField(
            model_name="zone",
            name="max_speed_kmh",
        ),
        migrations.RemoveField(
            model_name="zone",
            name="organisation",
        ),
        migrations.RemoveField(
            model_name="zone",
            name="vehicle_kinds",
        ),
        migrations.AlterField(
            model_name="zone",
            name="zone_set",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="zones",
                to="fleet.zoneset",
                verbose_name="zone set",
            ),
        ),
        migrations.AddConstraint(
            model_name="zone",
            constraint=models.UniqueConstraint(
                fields=("zone_set", "code"), name="fleet_zone_code_once"
            ),
        ),
        migrations.RunSQL(KEEP_PUBLISHED_ZONES, LET_PUBLISHED_ZONES_GO),
    ]
