"""What must hold of drafts and texts whoever writes (POL-03, SEC-07).

A draft goes its way step by step; each forward step rests on a recorded one of this round, over this very text, by
somebody who neither drafted it nor recorded another step of the round. Its words stand still outside drafting. A text
below `local/` comes from an approved draft with the same words, and the application adds no other text. Nothing that is
in force is edited: texts are only ended, and those from a draft only with the draft, before their day.
"""

from django.db import migrations

_MAKE = """
CREATE FUNCTION policy_guard_draft() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
DECLARE
    needed text;
BEGIN
    IF NEW.sha256 <> encode(sha256(convert_to(NEW.text, 'UTF8')), 'hex') THEN
        RAISE EXCEPTION 'the digest is not that of the text'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'policy_draft_digest';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'drafting' OR NEW.round <> 1 THEN
            RAISE EXCEPTION 'a draft begins with drafting'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'policy_draft_order';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state = 'withdrawn' OR (OLD.state = 'approved' AND NEW.state <> 'withdrawn') THEN
        RAISE EXCEPTION 'draft % is final', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'policy_draft_final';
    END IF;
    IF OLD.state = 'approved' AND NEW.ended_on >= OLD.effective_on THEN
        RAISE EXCEPTION 'draft % is in force', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'policy_draft_in_force';
    END IF;
    IF (OLD.state <> 'drafting' OR NEW.state NOT IN ('drafting', 'withdrawn'))
       AND (NEW.text, NEW.effective_on, NEW.reason, NEW.path)
           IS DISTINCT FROM (OLD.text, OLD.effective_on, OLD.reason, OLD.path) THEN
        RAISE EXCEPTION 'draft % is not being drafted', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'policy_draft_frozen';
    END IF;
    IF NEW.state = OLD.state OR NEW.state = 'withdrawn' THEN
        RETURN NEW;
    END IF;
    IF NEW.state = 'drafting' THEN
        IF NEW.round <> OLD.round + 1 OR NOT EXISTS (
            SELECT 1 FROM policy_draftstep s WHERE s.draft_id = OLD.id AND s.round = OLD.round AND s.outcome = 'refused'
        ) THEN
            RAISE EXCEPTION 'nobody sent draft % back', OLD.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'policy_draft_order';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.round <> OLD.round THEN
        RAISE EXCEPTION 'a round ends by being sent back'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'policy_draft_order';
    END IF;
    IF OLD.state = 'drafting' AND NEW.state = 'submitted' THEN
        RETURN NEW;
    END IF;
    needed := CASE OLD.state || '>' || NEW.state
        WHEN 'submitted>heard' THEN 'hearing'
        WHEN 'heard>reviewed' THEN 'department'
        WHEN 'reviewed>examined' THEN 'experts'
        WHEN 'examined>approved' THEN 'leading_group' END;
    IF needed IS NULL OR NOT EXISTS (
        SELECT 1 FROM policy_draftstep s
        WHERE s.draft_id = OLD.id AND s.round = OLD.round AND s.kind = needed AND s.outcome = 'agreed'
          AND s.sha256 = OLD.sha256
    ) THEN
        RAISE EXCEPTION 'draft % may not go from % to %', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'policy_draft_order';
    END IF;
    RETURN NEW;
END
$body$;

CREATE FUNCTION policy_guard_step() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
DECLARE
    draft record;
BEGIN
    SELECT * INTO draft FROM policy_policydraft d WHERE d.id = NEW.draft_id AND d.division = NEW.division FOR SHARE;
    IF NOT FOUND OR NEW.round <> draft.round OR NEW.sha256 <> draft.sha256 OR NEW.kind IS DISTINCT FROM (
        CASE draft.state WHEN 'submitted' THEN 'hearing' WHEN 'heard' THEN 'department'
             WHEN 'reviewed' THEN 'experts' WHEN 'examined' THEN 'leading_group' END
    ) THEN
        RAISE EXCEPTION 'the draft does not wait for this step'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'policy_step_order';
    END IF;
    IF NEW.account = draft.drafted_account THEN
        RAISE EXCEPTION 'who drafted it passes nothing'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'policy_step_not_by_drafter';
    END IF;
    IF NEW.held_on < draft.submitted_on OR EXISTS (
        SELECT 1 FROM policy_draftstep s
        WHERE s.draft_id = NEW.draft_id AND s.round = NEW.round AND s.held_on > NEW.held_on
    ) THEN
        RAISE EXCEPTION 'the step was held before the one it rests on'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'policy_step_days';
    END IF;
    RETURN NEW;
END
$body$;

CREATE FUNCTION policy_guard_text() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.path LIKE 'local/%' AND NOT EXISTS (
            SELECT 1 FROM policy_policydraft d
            WHERE d.state = 'approved' AND d.path = NEW.path AND d.division = NEW.division AND d.sha256 = NEW.sha256
              AND d.text = NEW.text
        ) THEN
            RAISE EXCEPTION 'no approved draft has these words'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'policy_text_from_draft';
        END IF;
        IF NEW.path NOT LIKE 'local/%' AND current_user = 'huimin_app' THEN
            RAISE EXCEPTION 'the application adds no policy file'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'policy_text_by_installation';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.superseded_at IS NOT NULL THEN
        RAISE EXCEPTION 'text % is over', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'policy_text_final';
    END IF;
    IF OLD.path LIKE 'local/%' AND NOT EXISTS (
        SELECT 1 FROM policy_policydraft d WHERE d.path = OLD.path AND d.sha256 = OLD.sha256 AND d.state = 'withdrawn'
    ) OR OLD.path NOT LIKE 'local/%' AND current_user = 'huimin_app' THEN
        RAISE EXCEPTION 'text % stays', OLD.id USING ERRCODE = 'check_violation', CONSTRAINT = 'policy_text_stays';
    END IF;
    RETURN NEW;
END
$body$;

CREATE TRIGGER guard_draft BEFORE INSERT OR UPDATE ON policy_policydraft
    FOR EACH ROW EXECUTE FUNCTION policy_guard_draft();
CREATE TRIGGER guard_step BEFORE INSERT ON policy_draftstep
    FOR EACH ROW EXECUTE FUNCTION policy_guard_step();
CREATE TRIGGER guard_text BEFORE INSERT OR UPDATE ON policy_policytext
    FOR EACH ROW EXECUTE FUNCTION policy_guard_text();
"""

_UNMAKE = """
DROP TRIGGER guard_text ON policy_policytext;
DROP TRIGGER guard_step ON policy_draftstep;
DROP TRIGGER guard_draft ON policy_policydraft;
DROP FUNCTION policy_guard_text();
DROP FUNCTION policy_guard_step();
DROP FUNCTION policy_guard_draft();
"""


class Migration(migrations.Migration):
    dependencies = [("policy", "0001_initial")]
    operations = [migrations.RunSQL(_MAKE, _UNMAKE)]
