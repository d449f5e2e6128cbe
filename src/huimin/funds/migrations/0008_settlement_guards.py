"""A settlement comes in prepared, and is confirmed once, by another person, whoever writes (FUND-04)."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION funds_guard_settlement() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $body$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.confirmed_by IS NOT NULL
       OR TG_OP = 'UPDATE' AND (OLD.confirmed_by IS NOT NULL OR ledger_same_person(NEW.confirmed_by, OLD.prepared_by)) THEN
        RAISE EXCEPTION 'confirmed before, or by who prepared it'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'fund_settlement_confirmed_by_another';
    END IF;
    RETURN NEW;
END
$body$;
CREATE TRIGGER guard_settlement BEFORE INSERT OR UPDATE ON funds_fundsettlement
    FOR EACH ROW EXECUTE FUNCTION funds_guard_settlement();
"""

UNDO = "DROP TRIGGER guard_settlement ON funds_fundsettlement; DROP FUNCTION funds_guard_settlement();"


class Migration(migrations.Migration):
    dependencies = [("funds", "0007_settlements"), ("ledger", "0004_guards")]
    operations = [migrations.RunSQL(GUARDS, UNDO)]
