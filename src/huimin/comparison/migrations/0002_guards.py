"""What must hold of comparisons whoever writes (VER-04).

- comparison_frozen              the figures of a comparison never change; of one that is not waiting for its signature nothing does, nor
                                 do its differences: it may be replaced, or be given back by the county when it was signed
- comparison_explained           none is signed while a difference has no words
- comparison_townships_first     the county signs when no comparison of the month waits for its signature
- comparison_department_first    finance signs what a department signed
"""

from django.db import migrations

_COMPARISONS = """
CREATE FUNCTION comparison_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $body$
DECLARE
    states CONSTANT text[] := ARRAY['state', 'signed_by', 'signed_on', 'signature_id', 'returned_by', 'returned_on', 'return_reason'];
BEGIN
    IF to_jsonb(NEW) - states <> to_jsonb(OLD) - states OR OLD.state <> 'made' AND (
        (NEW.signed_by, NEW.signed_on, NEW.signature_id) IS DISTINCT FROM (OLD.signed_by, OLD.signed_on, OLD.signature_id)
        OR NEW.state <> OLD.state AND NOT (OLD.state = 'signed' AND NEW.state IN ('replaced', 'returned'))
        OR OLD.state <> 'signed' AND NEW IS DISTINCT FROM OLD) THEN
        RAISE EXCEPTION 'comparison % was signed or replaced', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'comparison_frozen';
    END IF;
    IF NEW.state <> 'returned' AND (NEW.returned_by IS NOT NULL OR NEW.return_reason <> '')
       OR OLD.state = 'made' AND NEW.state = 'returned' THEN
        RAISE EXCEPTION 'comparison % was not given back', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'comparison_frozen';
    END IF;
    IF OLD.state = 'made' AND NEW.state = 'signed' AND EXISTS (
        SELECT FROM comparison_comparisondifference d WHERE d.comparison_id = NEW.id AND d.explanation = '') THEN
        RAISE EXCEPTION 'comparison % has differences without words', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'comparison_explained';
    END IF;
    RETURN NEW;
END
$body$;
CREATE TRIGGER comparison_guard BEFORE UPDATE ON comparison_comparison FOR EACH ROW EXECUTE FUNCTION comparison_guard();

CREATE FUNCTION comparison_guard_differences() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $body$
BEGIN
    -- The comparison is locked, so that it is not signed while words are written.
    PERFORM FROM comparison_comparison c WHERE c.id IN (SELECT comparison_id FROM new_rows) FOR SHARE;
    IF EXISTS (SELECT FROM new_rows n LEFT JOIN comparison_comparison c ON c.id = n.comparison_id AND c.state = 'made'
               WHERE c.id IS NULL) THEN
        RAISE EXCEPTION 'a comparison was signed or replaced'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'comparison_frozen';
    END IF;
    RETURN NULL;
END
$body$;
CREATE TRIGGER comparison_guard_added AFTER INSERT ON comparison_comparisondifference
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION comparison_guard_differences();
CREATE TRIGGER comparison_guard_changed AFTER UPDATE ON comparison_comparisondifference
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION comparison_guard_differences();

CREATE FUNCTION comparison_guard_county() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $body$
BEGIN
    IF NOT EXISTS (SELECT FROM comparison_comparison c WHERE c.month = NEW.month AND c.state = 'signed'
                   AND left(c.division, 6) = left(NEW.division, 6))
       OR EXISTS (SELECT FROM comparison_comparison c WHERE c.month = NEW.month AND c.state = 'made'
                  AND left(c.division, 6) = left(NEW.division, 6)) THEN
        RAISE EXCEPTION 'a township has not signed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'comparison_townships_first';
    END IF;
    IF NEW.seat = 'finance' AND NOT EXISTS (
        SELECT FROM comparison_countysigning s WHERE s.division = NEW.division AND s.month = NEW.month
           AND s.digest = NEW.digest AND s.seat = 'department') THEN
        RAISE EXCEPTION 'no department has signed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'comparison_department_first';
    END IF;
    RETURN NULL;
END
$body$;
CREATE TRIGGER comparison_guard_county AFTER INSERT ON comparison_countysigning
    FOR EACH ROW EXECUTE FUNCTION comparison_guard_county();
"""

_UNDO = """
DROP TRIGGER comparison_guard_county ON comparison_countysigning;
DROP FUNCTION comparison_guard_county();
DROP TRIGGER comparison_guard_changed ON comparison_comparisondifference;
DROP TRIGGER comparison_guard_added ON comparison_comparisondifference;
DROP FUNCTION comparison_guard_differences();
DROP TRIGGER comparison_guard ON comparison_comparison;
DROP FUNCTION comparison_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("comparison", "0001_initial")]
    operations = [migrations.RunSQL(_COMPARISONS, _UNDO)]
