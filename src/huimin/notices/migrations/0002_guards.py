"""What must hold of notices whoever writes (SEC-07): an ended notice and an answered objection are final; a notice with
an open objection does not end; an objection is filed only against a row of an open notice.

A row lock orders the two that could cross: filing takes FOR SHARE on the notice, ending takes the row for update.
"""

from django.db import migrations

_MAKE = """
CREATE FUNCTION notices_guard_notice() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF OLD.state <> 'open' THEN
        RAISE EXCEPTION 'notice % is final', OLD.id USING ERRCODE = 'check_violation', CONSTRAINT = 'notice_final';
    END IF;
    IF NEW.state = 'ended'
       AND EXISTS (SELECT 1 FROM notices_objection o WHERE o.notice_id = NEW.id AND o.state = 'open') THEN
        RAISE EXCEPTION 'notice % has an open objection', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'notice_without_open_objection';
    END IF;
    RETURN NEW;
END
$body$;

CREATE FUNCTION notices_guard_objection() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.state <> 'open' THEN
            RAISE EXCEPTION 'objection % is final', OLD.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'objection_final';
        END IF;
        RETURN NEW;
    END IF;
    PERFORM 1 FROM notices_notice n
        WHERE n.id = NEW.notice_id AND n.state = 'open' AND n.division = NEW.division FOR SHARE;
    IF NOT FOUND OR NEW.state <> 'open'
       OR NOT EXISTS (SELECT 1 FROM notices_noticerow r WHERE r.id = NEW.row_id AND r.notice_id = NEW.notice_id) THEN
        RAISE EXCEPTION 'no such row on an open notice'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'objection_against_open_notice';
    END IF;
    RETURN NEW;
END
$body$;

CREATE TRIGGER guard_notice BEFORE UPDATE ON notices_notice
    FOR EACH ROW EXECUTE FUNCTION notices_guard_notice();
CREATE TRIGGER guard_objection BEFORE INSERT OR UPDATE ON notices_objection
    FOR EACH ROW EXECUTE FUNCTION notices_guard_objection();
"""

_UNMAKE = """
DROP TRIGGER guard_objection ON notices_objection;
DROP TRIGGER guard_notice ON notices_notice;
DROP FUNCTION notices_guard_objection();
DROP FUNCTION notices_guard_notice();
"""


class Migration(migrations.Migration):
    dependencies = [("notices", "0001_initial")]
    operations = [migrations.RunSQL(_MAKE, _UNMAKE)]
