"""What must hold of meetings whoever writes (CASE-03, SEC-07).

guard_meeting      a meeting goes from state to state as listed; it is held (or void) with the numbers of who is ticked and the
                   statutory number in force; minutes only when every case of the agenda is told; then nothing changes
guard_participant  the register changes before the meeting is held only; who is ticked is on the checked list that day
guard_item         a case comes on the agenda where it stands at a step that demands a meeting; it is judged at a held meeting,
                   with as many votes as representatives are there who are not near to it; all who live in the
                   household are recused; who counts is there, has a vote, and the fourth is whom the county ruled
guard_recusal      noted before the case is judged, of somebody of this meeting
guard_after        inquiries and corrections of recorded meetings, scans of meetings that took place
guard_review       a step's evidence that names a result here names one that counts: recorded, of this round, not contested or
                   inquired into
"""

from django.db import migrations

_MAKE = """
CREATE FUNCTION meetings_guard_meeting() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
DECLARE
    came record;
    number integer;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'planned' THEN
            RAISE EXCEPTION 'a meeting is called first'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'meeting_state_follows';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state IN ('recorded', 'void', 'cancelled') THEN
        RAISE EXCEPTION 'meeting % is final', OLD.id USING ERRCODE = 'check_violation', CONSTRAINT = 'meeting_final';
    END IF;
    IF NEW.state <> OLD.state AND NOT (OLD.state || '>' || NEW.state) = ANY (ARRAY[
        'planned>held', 'planned>void', 'planned>cancelled', 'held>recorded']) THEN
        RAISE EXCEPTION 'meeting %: no way from % to %', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'meeting_state_follows';
    END IF;
    IF OLD.state = 'held' AND (NEW.statutory, NEW.present, NEW.supervisors, NEW.cadres, NEW.majority, NEW.overseer)
       IS DISTINCT FROM (OLD.statutory, OLD.present, OLD.supervisors, OLD.cadres, OLD.majority, OLD.overseer) THEN
        RAISE EXCEPTION 'who came to meeting % is written down', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'meeting_final';
    END IF;
    IF OLD.state = 'planned' AND NEW.state IN ('held', 'void') THEN
        SELECT count(*) FILTER (WHERE p.role = 'rep') AS reps, count(*) FILTER (WHERE p.role = 'supervisor') AS watching,
               count(*) FILTER (WHERE p.role = 'cadre') AS cadres INTO came
        FROM meetings_participant p WHERE p.meeting_id = NEW.id AND p.present;
        SELECT n.number INTO number FROM meetings_statutorynumber n
        WHERE n.division = NEW.division AND n.state = 'confirmed' AND n.valid_from <= NEW.meets_on
        ORDER BY n.valid_from DESC LIMIT 1;
        IF (NEW.statutory, NEW.present, NEW.supervisors, NEW.cadres)
           IS DISTINCT FROM (number, came.reps, came.watching, came.cadres) THEN
            RAISE EXCEPTION 'meeting % counts others than came', OLD.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'meeting_counts_who_came';
        END IF;
    END IF;
    IF NEW.state = 'recorded' AND EXISTS (SELECT 1 FROM meetings_item i WHERE i.meeting_id = NEW.id AND i.state = 'waiting') THEN
        RAISE EXCEPTION 'meeting % has cases without a result', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'meeting_every_case_told';
    END IF;
    RETURN NEW;
END
$body$;

CREATE FUNCTION meetings_guard_participant() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
DECLARE
    m record;
BEGIN
    SELECT state, division, meets_on INTO m FROM meetings_meeting WHERE id = NEW.meeting_id FOR SHARE;
    IF NOT FOUND OR m.state <> 'planned' THEN
        RAISE EXCEPTION 'the register of meeting % is closed', NEW.meeting_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'meeting_final';
    END IF;
    IF NEW.role = 'rep' AND NOT EXISTS (
            SELECT 1 FROM meetings_representative r WHERE r.id = NEW.representative_id AND r.division = m.division
            AND r.state = 'confirmed' AND r.valid_from <= m.meets_on
            AND (NOT coalesce(NEW.present, false) OR r.valid_to IS NULL OR r.valid_to > m.meets_on))
       OR NEW.role = 'supervisor' AND NOT EXISTS (
            SELECT 1 FROM meetings_supervisor s WHERE s.id = NEW.supervisor_id AND s.division = m.division
            AND s.valid_from <= m.meets_on
            AND (NOT coalesce(NEW.present, false) OR s.valid_to IS NULL OR s.valid_to > m.meets_on)) THEN
        RAISE EXCEPTION 'participant % is not on the checked list of that day', NEW.name
            USING ERRCODE = 'check_violation', CONSTRAINT = 'participant_on_the_list';
    END IF;
    RETURN NEW;
END
$body$;

CREATE FUNCTION meetings_guard_item() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
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

CREATE FUNCTION meetings_guard_recusal() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM meetings_item i JOIN meetings_meeting m ON m.id = i.meeting_id
                   JOIN meetings_participant p ON p.meeting_id = m.id AND p.id = NEW.participant_id AND p.present
                   WHERE i.id = NEW.item_id AND i.state = 'waiting' AND m.state = 'held') THEN
        RAISE EXCEPTION 'a recusal is noted before the case is judged, of who is there'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'item_final';
    END IF;
    RETURN NEW;
END
$body$;

CREATE FUNCTION meetings_guard_inquiry() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM meetings_item i JOIN meetings_meeting m ON m.id = i.meeting_id
                   WHERE i.id = NEW.item_id AND i.state = 'judged' AND m.state = 'recorded'
                   AND (i.contested OR NEW.conclusion = 'again')) THEN
        RAISE EXCEPTION 'nothing to inquire into' USING ERRCODE = 'check_violation', CONSTRAINT = 'inquiry_of_a_result';
    END IF;
    RETURN NEW;
END
$body$;

CREATE FUNCTION meetings_guard_after() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM meetings_meeting m WHERE m.id = NEW.meeting_id AND m.state = ANY (TG_ARGV)) THEN
        RAISE EXCEPTION 'not of a meeting in this state'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'meeting_took_place';
    END IF;
    RETURN NEW;
END
$body$;

CREATE FUNCTION meetings_guard_review() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF NOT EXISTS (
            SELECT 1 FROM meetings_item i JOIN meetings_meeting m ON m.id = i.meeting_id
            WHERE i.id::text = split_part(NEW.reference, ':', 2) AND i.case_id = NEW.case_id
            AND (i.step, i.round) = (NEW.step, NEW.round) AND i.state = 'judged' AND m.state = 'recorded'
            AND (NOT i.contested OR EXISTS (SELECT 1 FROM meetings_inquiry q WHERE q.item_id = i.id AND q.conclusion = 'stands'))) THEN
        RAISE EXCEPTION '% is no result that counts', NEW.reference
            USING ERRCODE = 'check_violation', CONSTRAINT = 'evidence_of_a_meeting_that_counts';
    END IF;
    RETURN NEW;
END
$body$;

CREATE TRIGGER guard_meeting BEFORE INSERT OR UPDATE ON meetings_meeting FOR EACH ROW EXECUTE FUNCTION meetings_guard_meeting();
CREATE TRIGGER guard_participant BEFORE INSERT OR UPDATE ON meetings_participant
    FOR EACH ROW EXECUTE FUNCTION meetings_guard_participant();
CREATE TRIGGER guard_item BEFORE INSERT OR UPDATE ON meetings_item FOR EACH ROW EXECUTE FUNCTION meetings_guard_item();
CREATE TRIGGER guard_recusal BEFORE INSERT ON meetings_itemrecusal FOR EACH ROW EXECUTE FUNCTION meetings_guard_recusal();
CREATE TRIGGER guard_inquiry BEFORE INSERT ON meetings_inquiry FOR EACH ROW EXECUTE FUNCTION meetings_guard_inquiry();
CREATE TRIGGER guard_after BEFORE INSERT ON meetings_correction FOR EACH ROW EXECUTE FUNCTION meetings_guard_after('recorded');
CREATE TRIGGER guard_after BEFORE INSERT ON meetings_meetingscan
    FOR EACH ROW EXECUTE FUNCTION meetings_guard_after('held', 'recorded', 'void');
CREATE TRIGGER guard_review BEFORE INSERT ON cases_caseevidence FOR EACH ROW
    WHEN (NEW.kind = '民主评议' AND NEW.reference LIKE 'meetings\\_item:%') EXECUTE FUNCTION meetings_guard_review();
"""

_UNMAKE = """
DROP TRIGGER guard_review ON cases_caseevidence;
DROP TRIGGER guard_after ON meetings_meetingscan;
DROP TRIGGER guard_after ON meetings_correction;
DROP TRIGGER guard_inquiry ON meetings_inquiry;
DROP TRIGGER guard_recusal ON meetings_itemrecusal;
DROP TRIGGER guard_item ON meetings_item;
DROP TRIGGER guard_participant ON meetings_participant;
DROP TRIGGER guard_meeting ON meetings_meeting;
DROP FUNCTION meetings_guard_review();
DROP FUNCTION meetings_guard_after();
DROP FUNCTION meetings_guard_inquiry();
DROP FUNCTION meetings_guard_recusal();
DROP FUNCTION meetings_guard_item();
DROP FUNCTION meetings_guard_participant();
DROP FUNCTION meetings_guard_meeting();
"""


class Migration(migrations.Migration):
    dependencies = [("meetings", "0001_initial"), ("cases", "0003_due_index")]
    operations = [migrations.RunSQL(_MAKE, _UNMAKE)]
