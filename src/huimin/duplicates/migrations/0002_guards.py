"""A merged record holds nothing in force, whoever writes it (REG-04): checked by statement, and when a record is merged."""

from django.db import migrations

# (table, whose, what is in force)
_HELD = (
    ("registry_membership", "person_id", "r.recorded_to IS NULL AND r.valid_to IS NULL"),
    ("registry_personfacts", "person_id", "r.recorded_to IS NULL AND r.valid_to IS NULL"),
    ("registry_card", "holder_id", "r.recorded_to IS NULL AND r.state IN ('active', 'lost', 'pending')"),
    ("registry_cardauthority", "beneficiary_id", "r.state = 'proposed' OR r.state = 'approved' AND r.valid_to > p.closed_on"),
    ("registry_cardauthority", "agent_id", "r.state = 'proposed' OR r.state = 'approved' AND r.valid_to > p.closed_on"),
    ("casework_entitlement", "person_id", "r.valid_to IS NULL"),
    ("casework_careagreement", "person_id", "r.ended_on IS NULL"),
)
_RAISE = "RAISE EXCEPTION 'a merged record holds %', TG_TABLE_NAME USING ERRCODE = 'check_violation', CONSTRAINT = 'merged_holds_nothing';"


def _guard(number, table, owner, live):
    """Few records are merged: the partial index tells them, so a load of millions pays one hash join with a handful."""
    name = f"merged_holds_nothing_{number}"
    function = f"""
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $body$
BEGIN
    IF EXISTS (SELECT FROM registry_person WHERE merged_into_id IS NOT NULL) AND EXISTS (
        SELECT FROM new_rows r JOIN registry_person p ON p.id = r.{owner} AND p.merged_into_id IS NOT NULL WHERE {live}) THEN
        {_RAISE}
    END IF;
    RETURN NULL;
END
$body$;"""
    triggers = "".join(
        f"""
CREATE TRIGGER {name}_{event.lower()} AFTER {event} ON {table} REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION {name}();"""
        for event in ("INSERT", "UPDATE")
    )
    undo = f"DROP FUNCTION {name}() CASCADE;"
    return function + triggers, undo


def _at_merging():
    checks = " OR ".join(f"EXISTS (SELECT FROM {table} r WHERE r.{owner} = p.id AND ({live}))" for table, owner, live in _HELD)
    return f"""
CREATE FUNCTION merged_into_the_living() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $body$
BEGIN
    IF EXISTS (SELECT FROM registry_person p WHERE p.id = NEW.id AND p.merged_into_id IS NOT NULL AND ({checks}
        OR EXISTS (SELECT FROM registry_person s WHERE s.id = p.merged_into_id AND s.merged_into_id IS NOT NULL))) THEN
        {_RAISE}
    END IF;
    RETURN NULL;
END
$body$;
CREATE CONSTRAINT TRIGGER merged_into_the_living AFTER UPDATE OF merged_into_id ON registry_person
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.merged_into_id IS NOT NULL)
    EXECUTE FUNCTION merged_into_the_living();"""


_GUARDS = [_guard(number, *each) for number, each in enumerate(_HELD, 1)]


class Migration(migrations.Migration):
    dependencies = [
        ("duplicates", "0001_initial"), ("registry", "0010_merged_people"), ("casework", "0004_relief_and_care"),
    ]
    operations = [
        *[migrations.RunSQL(made, undo) for made, undo in _GUARDS],
        migrations.RunSQL(_at_merging(), "DROP FUNCTION merged_into_the_living() CASCADE;"),
    ]
