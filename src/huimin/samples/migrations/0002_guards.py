"""What must hold of draws and checks whoever writes (CASE-08, SEC-02).

guard_list      lines come with their draw, all at once: together they have its digest, size and 必查; none is added later
guard_draw      a frozen list is never changed; the number comes from two people, after its day; a draw is made once
make_picks      the database itself writes who is drawn, from digest and number
guard_picks     nobody is drawn, or left out, otherwise than by the seed
guard_check     a result belongs to a drawn case that still waits, by nobody who acted on it, by papers only afterwards, on the
                spot by a signed visit of the county's people
guard_checked   a visit a result rests on is not struck out
guard_evidence  a case passes a step that demands 抽查 only by its draw, all of it checked, and when it was not found wrong
"""

from django.db import migrations

_MAKE = """
CREATE FUNCTION samples_digest(wanted bigint) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $body$
    SELECT encode(sha256(convert_to(coalesce(string_agg(
        l.number || CASE WHEN l.must THEN E'\\t必查' ELSE '' END || E'\\n', '' ORDER BY l.number), ''), 'UTF8')), 'hex')
    FROM samples_drawcase l WHERE l.draw_id = wanted
$body$;

CREATE FUNCTION samples_outstanding(wanted bigint) RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $body$
    -- Drawn, without a result, and still waiting for it: what was withdrawn, refused or sent back needs none.
    SELECT count(*) FROM samples_drawcase l JOIN cases_case c ON c.id = l.case_id
    WHERE l.draw_id = wanted AND l.picked AND NOT EXISTS (SELECT 1 FROM samples_check k WHERE k.line_id = l.id)
      AND (l.step = '事后' OR (c.step, c.round) = (l.step, l.round))
$body$;

CREATE FUNCTION samples_guard_list() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF EXISTS (
        SELECT 1 FROM (SELECT DISTINCT draw_id FROM fresh) f JOIN samples_draw d ON d.id = f.draw_id
        JOIN LATERAL (SELECT count(*) AS size, count(*) FILTER (WHERE l.must) AS must FROM samples_drawcase l
                      WHERE l.draw_id = d.id) n ON true
        WHERE d.state <> 'frozen' OR (d.size, d.must) <> (n.size, n.must) OR d.digest <> samples_digest(d.id)
           OR d.quota <> least((d.size * d.percent + 99) / 100, d.size - d.must)) THEN
        RAISE EXCEPTION 'a frozen list takes no more cases'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'draw_list_frozen';
    END IF;
    IF EXISTS (
        SELECT 1 FROM fresh f JOIN cases_case c ON c.id = f.case_id WHERE f.picked OR f.key <> '' OR f.agency_id IS NOT NULL
           OR f.number <> extract(year FROM c.asked_on)::text || lpad(c.id::text, 7, '0')
           OR f.household_id IS DISTINCT FROM c.household_id) THEN
        RAISE EXCEPTION 'a line that is not its case'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'draw_line_of_its_case';
    END IF;
    RETURN NULL;
END
$body$;

CREATE FUNCTION samples_guard_draw() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
DECLARE
    label text := CASE NEW.event WHEN 'ssq' THEN '福彩双色球' WHEN 'dlt' THEN '体彩大乐透' WHEN 'pl5' THEN '体彩排列五'
                                 WHEN 'sse' THEN '上证综合指数收盘' END;
BEGIN
    IF (OLD.division, OLD.office, OLD.programme, OLD.step, OLD.township, OLD.title, OLD.percent, OLD.basis, OLD.size, OLD.must,
        OLD.quota, OLD.digest, OLD.frozen_on, OLD.frozen_by, OLD.signature_id)
       <> (NEW.division, NEW.office, NEW.programme, NEW.step, NEW.township, NEW.title, NEW.percent, NEW.basis, NEW.size,
           NEW.must, NEW.quota, NEW.digest, NEW.frozen_on, NEW.frozen_by, NEW.signature_id)
       OR OLD.month IS DISTINCT FROM NEW.month
       OR OLD.state <> 'frozen' AND ((OLD.event, OLD.event_on, OLD.number, OLD.seed, OLD.first_number)
          <> (NEW.event, NEW.event_on, NEW.number, NEW.seed, NEW.first_number) OR OLD.drawn_on IS DISTINCT FROM NEW.drawn_on)
       OR NOT OLD.state || '>' || NEW.state = ANY (ARRAY['frozen>frozen', 'frozen>drawn', 'drawn>drawn', 'drawn>done', 'done>done'])
    THEN
        RAISE EXCEPTION 'draw % is final', OLD.id USING ERRCODE = 'check_violation', CONSTRAINT = 'draw_final';
    END IF;
    IF (OLD.event, OLD.event_on) <> (NEW.event, NEW.event_on) AND (NEW.event_on <= OLD.event_on OR NEW.first_number <> ''
       OR NOT EXISTS (SELECT 1 FROM samples_drawskip s WHERE s.draw_id = OLD.id AND s.event = OLD.event
                      AND s.event_on = OLD.event_on AND NEW.event_on > s.skipped_on)) THEN
        RAISE EXCEPTION 'draw %: another number only when the named one never came', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'draw_event_named';
    END IF;
    IF OLD.state = 'frozen' AND NEW.state = 'drawn' THEN
        IF NEW.first_account IS NULL OR NEW.drawn_account IS NULL OR NEW.first_account = NEW.drawn_account THEN
            RAISE EXCEPTION 'one person typed the number twice'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'draw_by_two';
        END IF;
        IF NEW.digest <> samples_digest(NEW.id) OR NEW.seed <> encode(sha256(convert_to(
               concat_ws('|', NEW.digest, label, to_char(NEW.event_on, 'YYYY-MM-DD'), NEW.number), 'UTF8')), 'hex') THEN
            RAISE EXCEPTION 'draw %: not the seed of its list and number', NEW.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'draw_seed';
        END IF;
    END IF;
    IF NEW.state = 'done' AND OLD.state <> 'done' AND samples_outstanding(NEW.id) > 0 THEN
        RAISE EXCEPTION 'draw %: results are missing', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'draw_done_when_checked';
    END IF;
    RETURN NEW;
END
$body$;

CREATE FUNCTION samples_expected(wanted bigint) RETURNS TABLE (id bigint, key text, picked boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $body$
    WITH keyed AS (
        SELECT l.id, l.must, d.quota, encode(sha256(convert_to(d.seed || ':' || l.number, 'UTF8')), 'hex') COLLATE "C" AS key
        FROM samples_drawcase l JOIN samples_draw d ON d.id = l.draw_id WHERE d.id = wanted
    )
    SELECT k.id, k.key, k.must OR row_number() OVER (PARTITION BY k.must ORDER BY k.key) <= k.quota FROM keyed k
$body$;

CREATE FUNCTION samples_make_picks() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    UPDATE samples_drawcase l SET key = e.key, picked = e.picked FROM samples_expected(NEW.id) e WHERE e.id = l.id;
    RETURN NULL;
END
$body$;

CREATE FUNCTION samples_guard_picks() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF EXISTS (SELECT 1 FROM fresh f JOIN stale s ON s.id = f.id WHERE (f.draw_id, f.case_id, f.household_id, f.number, f.round,
               f.step, f.must) <> (s.draw_id, s.case_id, s.household_id, s.number, s.round, s.step, s.must))
       OR EXISTS (SELECT 1 FROM (SELECT DISTINCT f.draw_id FROM fresh f JOIN stale s ON s.id = f.id
                                 WHERE (f.key, f.picked) <> (s.key, s.picked)) t
                  JOIN samples_draw d ON d.id = t.draw_id
                  LEFT JOIN LATERAL samples_expected(d.id) e ON true
                  LEFT JOIN samples_drawcase l ON l.id = e.id
                  WHERE d.state = 'frozen' OR (l.key, l.picked) IS DISTINCT FROM (e.key, e.picked)) THEN
        RAISE EXCEPTION 'drawn otherwise than by the seed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'draw_by_its_seed';
    END IF;
    RETURN NULL;
END
$body$;

CREATE FUNCTION samples_guard_check() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
DECLARE
    line record;
BEGIN
    SELECT l.*, d.state, c.step AS stands, c.round AS stands_round INTO line FROM samples_drawcase l
    JOIN samples_draw d ON d.id = l.draw_id JOIN cases_case c ON c.id = l.case_id WHERE l.id = NEW.line_id FOR SHARE OF l, c;
    IF NOT FOUND OR NOT line.picked OR line.state = 'frozen' THEN
        RAISE EXCEPTION 'not a drawn case' USING ERRCODE = 'check_violation', CONSTRAINT = 'check_of_drawn';
    END IF;
    IF line.step <> '事后' AND (line.stands, line.stands_round) <> (line.step, line.round) THEN
        RAISE EXCEPTION 'the case does not wait any more'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'check_while_it_waits';
    END IF;
    IF NEW.way = 'papers' AND line.step <> '事后' THEN
        RAISE EXCEPTION 'checked on the spot before approval'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'check_on_the_spot';
    END IF;
    IF NEW.agency_id IS DISTINCT FROM (CASE WHEN NEW.way = 'agency' THEN line.agency_id END) THEN
        RAISE EXCEPTION 'not the agency it was given to'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'check_by_its_agency';
    END IF;
    IF NEW.way = 'visit' AND (NOT EXISTS (
           SELECT 1 FROM visits_visit v WHERE v.id = NEW.visit_id AND v.state = 'signed' AND v.subject = 'sample:' || line.id
           AND v.household_id = line.household_id AND v.visited_on = NEW.checked_on)
       OR EXISTS (SELECT 1 FROM visits_investigator i JOIN organisation_appointment p ON p.id = i.appointment
                  JOIN organisation_office f ON f.id = p.office_id WHERE i.visit_id = NEW.visit_id AND f.level <> 6)) THEN
        RAISE EXCEPTION 'no signed visit of the county''s people'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'check_by_a_signed_visit';
    END IF;
    IF EXISTS (SELECT 1 FROM cases_caseact a WHERE a.case_id = line.case_id AND (a.account = NEW.account OR a.account IN (
           SELECT i.account FROM visits_investigator i WHERE i.visit_id = NEW.visit_id))) THEN
        RAISE EXCEPTION 'who acted on the case does not check it'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'check_by_another';
    END IF;
    RETURN NEW;
END
$body$;

CREATE FUNCTION samples_guard_evidence() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
DECLARE
    line record;
BEGIN
    SELECT l.draw_id, l.picked, d.state, k.result INTO line FROM samples_drawcase l JOIN samples_draw d ON d.id = l.draw_id
    LEFT JOIN samples_check k ON k.line_id = l.id
    WHERE 'samples_drawcase:' || l.id = NEW.reference AND (l.case_id, l.round, l.step) = (NEW.case_id, NEW.round, NEW.step);
    IF NOT FOUND OR line.state = 'frozen' OR (line.picked AND line.result IS DISTINCT FROM 'true')
       OR (line.state = 'drawn' AND samples_outstanding(line.draw_id) > 0) THEN
        RAISE EXCEPTION 'the sample of case % is not complete, or found it wrong', NEW.case_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'case_sampled_and_true';
    END IF;
    RETURN NEW;
END
$body$;

CREATE FUNCTION samples_guard_visit() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF EXISTS (SELECT 1 FROM samples_check k WHERE k.visit_id = NEW.id) THEN
        RAISE EXCEPTION 'a check rests on visit %', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'check_keeps_its_visit';
    END IF;
    RETURN NEW;
END
$body$;

CREATE TRIGGER guard_list AFTER INSERT ON samples_drawcase REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION samples_guard_list();
CREATE TRIGGER guard_draw BEFORE UPDATE ON samples_draw FOR EACH ROW EXECUTE FUNCTION samples_guard_draw();
CREATE TRIGGER make_picks AFTER UPDATE ON samples_draw FOR EACH ROW
    WHEN (OLD.state = 'frozen' AND NEW.state = 'drawn') EXECUTE FUNCTION samples_make_picks();
CREATE TRIGGER guard_picks AFTER UPDATE ON samples_drawcase REFERENCING OLD TABLE AS stale NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION samples_guard_picks();
CREATE TRIGGER guard_check BEFORE INSERT ON samples_check FOR EACH ROW EXECUTE FUNCTION samples_guard_check();
CREATE TRIGGER guard_checked BEFORE UPDATE ON visits_visit FOR EACH ROW
    WHEN (NEW.state = 'void') EXECUTE FUNCTION samples_guard_visit();
CREATE TRIGGER guard_sample BEFORE INSERT ON cases_caseevidence FOR EACH ROW
    WHEN (NEW.kind = '抽查') EXECUTE FUNCTION samples_guard_evidence();
"""

_UNMAKE = """
DROP TRIGGER guard_checked ON visits_visit;
DROP FUNCTION samples_guard_visit();
DROP TRIGGER guard_sample ON cases_caseevidence;
DROP TRIGGER guard_check ON samples_check;
DROP TRIGGER guard_picks ON samples_drawcase;
DROP TRIGGER make_picks ON samples_draw;
DROP TRIGGER guard_draw ON samples_draw;
DROP TRIGGER guard_list ON samples_drawcase;
DROP FUNCTION samples_guard_evidence();
DROP FUNCTION samples_guard_check();
DROP FUNCTION samples_guard_picks();
DROP FUNCTION samples_make_picks();
DROP FUNCTION samples_expected(bigint);
DROP FUNCTION samples_guard_draw();
DROP FUNCTION samples_guard_list();
DROP FUNCTION samples_outstanding(bigint);
DROP FUNCTION samples_digest(bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("samples", "0001_initial"), ("cases", "0003_due_index"), ("visits", "0002_guards")]
    operations = [migrations.RunSQL(_MAKE, _UNMAKE)]
