"""A result can be taken back until the minutes are signed; recusals of a result taken back count no more (CASE-03).

guard_item      as in 0002, and back from a result to waiting while the meeting is held and not recorded
guard_recusal   as in 0002, for changes too
"""

from django.db import migrations, models

_MAKE = """
CREATE OR REPLACE FUNCTION meetings_guard_item() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
DECLARE
    m record;
    c record;
    votes integer;
BEGIN
    SELECT id, state, division, meets_on, majority, overseer INTO m FROM meetings_meeting WHERE id = NEW.meeting_id FOR SHARE;
    SELECT k.division, k.step, k.round, k.state, k.household_id, p.steps INTO c
    FROM cases_case k JOIN processes_process p ON p.id = k.process_id WHERE k.id = NEW.case_id;
    IF TG_OP = 'INSERT' THEN
        IF m.state <> 'planned' OR NEW.state <> 'waiting' OR left(c.division, 12) <> m.division OR c.state <> 'open'
           OR (c.step, c.round) <> (NEW.step, NEW.round) OR c.household_id IS NULL
           OR NOT EXISTS (SELECT 1 FROM jsonb_array_elements(c.steps) s
                          WHERE s ->> 'key' = NEW.step AND s -> 'demands' ? '民主评议') THEN
            RAISE EXCEPTION 'case % does not wait for this meeting', NEW.case_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'item_judged_where_it_stands';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state = 'judged' AND NEW.state = 'reopened' AND m.state = 'recorded'
       AND to_jsonb(NEW) - 'state' = to_jsonb(OLD) - 'state'
       AND EXISTS (SELECT 1 FROM meetings_inquiry q WHERE q.item_id = NEW.id AND q.conclusion = 'again') THEN
        RETURN NEW;
    END IF;
    IF OLD.state IN ('judged', 'put_off') AND NEW.state = 'waiting' AND m.state = 'held' AND NEW.outcome = '' AND NEW.how = ''
       AND (NEW.told, NEW.told_on, NEW.eligible, NEW.amount_fen, NEW.facts_digest, NEW.hardship)
           IS NOT DISTINCT FROM (OLD.told, OLD.told_on, OLD.eligible, OLD.amount_fen, OLD.facts_digest, OLD.hardship) THEN
        RETURN NEW;
    END IF;
    IF OLD.state <> 'waiting' THEN
        RAISE EXCEPTION 'item % is final', OLD.id USING ERRCODE = 'check_violation', CONSTRAINT = 'item_final';
    END IF;
    IF (NEW.told, NEW.told_on, NEW.eligible, NEW.amount_fen, NEW.facts_digest, NEW.hardship)
       IS DISTINCT FROM (OLD.told, OLD.told_on, OLD.eligible, OLD.amount_fen, OLD.facts_digest, OLD.hardship)
       AND m.state <> 'planned' THEN
        RAISE EXCEPTION 'what was read aloud of item % is frozen', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'item_final';
    END IF;
    IF NEW.state = 'dropped' AND m.state NOT IN ('void', 'cancelled') AND (c.step, c.round) = (OLD.step, OLD.round)
       OR NEW.state IN ('judged', 'put_off') AND m.state <> 'held' OR NEW.state = 'reopened' THEN
        RAISE EXCEPTION 'item %: no way to % while its meeting is %', OLD.id, NEW.state, m.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'item_state_follows';
    END IF;
    IF NEW.state <> 'judged' THEN
        RETURN NEW;
    END IF;
    IF (c.step, c.round, c.state) <> (NEW.step, NEW.round, 'open') THEN
        RAISE EXCEPTION 'case % went elsewhere', NEW.case_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'item_judged_where_it_stands';
    END IF;
    SELECT count(*) INTO votes FROM meetings_participant p WHERE p.meeting_id = m.id AND p.present AND p.role = 'rep'
    AND NOT EXISTS (SELECT 1 FROM meetings_itemrecusal r WHERE r.item_id = NEW.id AND r.participant_id = p.id AND NOT r.withdrawn);
    IF NEW.voters <> votes OR NEW.majority <> m.majority THEN
        RAISE EXCEPTION 'item %: % votes, not %', NEW.id, votes, NEW.voters
            USING ERRCODE = 'check_violation', CONSTRAINT = 'item_votes_there_are';
    END IF;
    IF EXISTS (SELECT 1 FROM meetings_participant p JOIN registry_membership b ON b.person_id = p.person_id
               AND b.recorded_to IS NULL AND b.valid_from <= m.meets_on AND (b.valid_to IS NULL OR b.valid_to > m.meets_on)
               WHERE p.meeting_id = m.id AND p.present AND b.household_id = c.household_id
               AND NOT EXISTS (SELECT 1 FROM meetings_itemrecusal r WHERE r.item_id = NEW.id AND r.participant_id = p.id AND NOT r.withdrawn)) THEN
        RAISE EXCEPTION 'somebody of the household takes part in item %', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'item_relatives_recused';
    END IF;
    IF NEW.how = 'vote' AND 4 <> (
            SELECT count(*) FROM meetings_participant p WHERE p.meeting_id = m.id AND p.present
            AND (p.id IN (NEW.scrutineer_id, NEW.caller_id, NEW.counter_id) AND p.role = 'rep'
                 OR p.id = NEW.overseer_id AND p.role = CASE m.overseer WHEN 'supervisor' THEN 'supervisor' ELSE 'rep' END)
            AND NOT EXISTS (SELECT 1 FROM meetings_itemrecusal r WHERE r.item_id = NEW.id AND r.participant_id = p.id AND NOT r.withdrawn)) THEN
        RAISE EXCEPTION 'item % was not counted by four who were there', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'item_counted_by_who_was_there';
    END IF;
    RETURN NEW;
END
$body$;

CREATE TRIGGER guard_recusal_change BEFORE UPDATE ON meetings_itemrecusal
    FOR EACH ROW EXECUTE FUNCTION meetings_guard_recusal();
"""

_UNMAKE = """
DROP TRIGGER guard_recusal_change ON meetings_itemrecusal;
CREATE OR REPLACE FUNCTION meetings_guard_item() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
DECLARE
    m record;
    c record;
    votes integer;
BEGIN
    SELECT id, state, division, meets_on, majority, overseer INTO m FROM meetings_meeting WHERE id = NEW.meeting_id FOR SHARE;
    SELECT k.division, k.step, k.round, k.state, k.household_id, p.steps INTO c
    FROM cases_case k JOIN processes_process p ON p.id = k.process_id WHERE k.id = NEW.case_id;
    IF TG_OP = 'INSERT' THEN
        IF m.state <> 'planned' OR NEW.state <> 'waiting' OR left(c.division, 12) <> m.division OR c.state <> 'open'
           OR (c.step, c.round) <> (NEW.step, NEW.round) OR c.household_id IS NULL
           OR NOT EXISTS (SELECT 1 FROM jsonb_array_elements(c.steps) s
                          WHERE s ->> 'key' = NEW.step AND s -> 'demands' ? '民主评议') THEN
            RAISE EXCEPTION 'case % does not wait for this meeting', NEW.case_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'item_judged_where_it_stands';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state = 'judged' AND NEW.state = 'reopened' AND m.state = 'recorded'
       AND to_jsonb(NEW) - 'state' = to_jsonb(OLD) - 'state'
       AND EXISTS (SELECT 1 FROM meetings_inquiry q WHERE q.item_id = NEW.id AND q.conclusion = 'again') THEN
        RETURN NEW;
    END IF;
    IF OLD.state <> 'waiting' THEN
        RAISE EXCEPTION 'item % is final', OLD.id USING ERRCODE = 'check_violation', CONSTRAINT = 'item_final';
    END IF;
    IF (NEW.told, NEW.told_on, NEW.eligible, NEW.amount_fen, NEW.facts_digest, NEW.hardship)
       IS DISTINCT FROM (OLD.told, OLD.told_on, OLD.eligible, OLD.amount_fen, OLD.facts_digest, OLD.hardship)
       AND m.state <> 'planned' THEN
        RAISE EXCEPTION 'what was read aloud of item % is frozen', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'item_final';
    END IF;
    IF NEW.state = 'dropped' AND m.state NOT IN ('void', 'cancelled') AND (c.step, c.round) = (OLD.step, OLD.round)
       OR NEW.state IN ('judged', 'put_off') AND m.state <> 'held' OR NEW.state = 'reopened' THEN
        RAISE EXCEPTION 'item %: no way to % while its meeting is %', OLD.id, NEW.state, m.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'item_state_follows';
    END IF;
    IF NEW.state <> 'judged' THEN
        RETURN NEW;
    END IF;
    IF (c.step, c.round, c.state) <> (NEW.step, NEW.round, 'open') THEN
        RAISE EXCEPTION 'case % went elsewhere', NEW.case_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'item_judged_where_it_stands';
    END IF;
    SELECT count(*) INTO votes FROM meetings_participant p WHERE p.meeting_id = m.id AND p.present AND p.role = 'rep'
    AND NOT EXISTS (SELECT 1 FROM meetings_itemrecusal r WHERE r.item_id = NEW.id AND r.participant_id = p.id);
    IF NEW.voters <> votes OR NEW.majority <> m.majority THEN
        RAISE EXCEPTION 'item %: % votes, not %', NEW.id, votes, NEW.voters
            USING ERRCODE = 'check_violation', CONSTRAINT = 'item_votes_there_are';
    END IF;
    IF EXISTS (SELECT 1 FROM meetings_participant p JOIN registry_membership b ON b.person_id = p.person_id
               AND b.recorded_to IS NULL AND b.valid_from <= m.meets_on AND (b.valid_to IS NULL OR b.valid_to > m.meets_on)
               WHERE p.meeting_id = m.id AND p.present AND b.household_id = c.household_id
               AND NOT EXISTS (SELECT 1 FROM meetings_itemrecusal r WHERE r.item_id = NEW.id AND r.participant_id = p.id)) THEN
        RAISE EXCEPTION 'somebody of the household takes part in item %', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'item_relatives_recused';
    END IF;
    IF NEW.how = 'vote' AND 4 <> (
            SELECT count(*) FROM meetings_participant p WHERE p.meeting_id = m.id AND p.present
            AND (p.id IN (NEW.scrutineer_id, NEW.caller_id, NEW.counter_id) AND p.role = 'rep'
                 OR p.id = NEW.overseer_id AND p.role = CASE m.overseer WHEN 'supervisor' THEN 'supervisor' ELSE 'rep' END)
            AND NOT EXISTS (SELECT 1 FROM meetings_itemrecusal r WHERE r.item_id = NEW.id AND r.participant_id = p.id)) THEN
        RAISE EXCEPTION 'item % was not counted by four who were there', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'item_counted_by_who_was_there';
    END IF;
    RETURN NEW;
END
$body$;
"""


class Migration(migrations.Migration):
    dependencies = [("meetings", "0002_guards")]
    operations = [
        migrations.AddField(
            model_name="itemrecusal", name="withdrawn", field=models.BooleanField(default=False)
        ),
        migrations.RunSQL(_MAKE, _UNMAKE),
    ]
