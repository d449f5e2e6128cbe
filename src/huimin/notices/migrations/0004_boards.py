"""What must hold of sheets and of answers whoever writes (SEC-07).

guard_sheet       a sheet comes down once, and not while one of its notices is open
guard_objection   as before; and an answer says how, when, by whom it was looked into and what was found, is not given by whom
                  it is about (under whichever appointment), and is final but for the day the objector was told, once
"""

from django.db import migrations

_GUARD = """
CREATE OR REPLACE FUNCTION notices_guard_objection() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.state <> 'open' AND (NEW.state, NEW.how, NEW.looked_on, NEW.looked_by, NEW.found, NEW.answer, NEW.answered_on,
            NEW.answered_by) IS DISTINCT FROM (OLD.state, OLD.how, OLD.looked_on, OLD.looked_by, OLD.found, OLD.answer,
            OLD.answered_on, OLD.answered_by)
           OR OLD.told_on IS NOT NULL AND (NEW.told_on, NEW.told_how, NEW.told_by) IS DISTINCT FROM
              (OLD.told_on, OLD.told_how, OLD.told_by) THEN
            RAISE EXCEPTION 'objection % is final', OLD.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'objection_final';
        END IF;
        IF OLD.state = 'open' AND NEW.state <> 'open' AND (NEW.how = '' OR NEW.looked_on IS NULL OR NEW.looked_by = ''
            OR NEW.found = '' OR NEW.looked_on < NEW.filed_on OR NEW.looked_on > NEW.answered_on) THEN
            RAISE EXCEPTION 'objection % was not looked into', OLD.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'objection_looked_into';
        END IF;
        IF OLD.state = 'open' AND NEW.state <> 'open' AND EXISTS (
            SELECT 1 FROM organisation_appointment a JOIN organisation_appointment b ON b.account_id = a.account_id
            WHERE a.id = NEW.about_appointment AND b.id = NEW.answered_by) THEN
            RAISE EXCEPTION 'objection % is about who answers', OLD.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'objection_not_by_whom_it_is_about';
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

CREATE FUNCTION notices_guard_sheet() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF OLD.taken_down_on IS NOT NULL THEN
        RAISE EXCEPTION 'sheet % was taken down', OLD.id USING ERRCODE = 'check_violation', CONSTRAINT = 'sheet_down_once';
    END IF;
    IF EXISTS (SELECT 1 FROM notices_notice n WHERE n.sheet_id = NEW.id AND n.state = 'open') THEN
        RAISE EXCEPTION 'sheet % has an open notice', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'sheet_hangs_while_open';
    END IF;
    RETURN NEW;
END
$body$;

CREATE TRIGGER guard_sheet BEFORE UPDATE ON notices_sheet FOR EACH ROW EXECUTE FUNCTION notices_guard_sheet();
"""

_BEFORE = """
DROP TRIGGER guard_sheet ON notices_sheet;
DROP FUNCTION notices_guard_sheet();
CREATE OR REPLACE FUNCTION notices_guard_objection() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
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
"""


class Migration(migrations.Migration):
    dependencies = [("notices", "0003_sheets"), ("organisation", "0001_initial")]
    operations = [migrations.RunSQL(_GUARD, _BEFORE)]
