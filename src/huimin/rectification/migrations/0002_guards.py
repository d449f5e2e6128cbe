"""What must hold of a campaign whoever writes (CASE-10, SEC-02).

guard_campaign  planned → open → closed; opened, programmes, place and list stay; two open ones of a place share no programme;
                closed only when every item is reviewed and every drawn one has a check that agrees; closed is final
guard_item      one household's way: open → found → reviewed, back to open only with the next round; what was frozen stays; a
                result rests on a signed visit of this item and round; nothing changes in a closed campaign (but the place)
guard_check     of a drawn, reviewed item in its round, by nobody who found or reviewed it, on a signed visit of its own
guard_draw      what was drawn stays drawn
guard_sent      a report changes only by its receipt, once
"""

from django.db import migrations

_MAKE = """
CREATE FUNCTION rectification_guard_campaign() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF OLD.state = 'closed' THEN
        RAISE EXCEPTION 'campaign % is closed', OLD.id USING ERRCODE = 'check_violation', CONSTRAINT = 'rectification_final';
    END IF;
    IF NEW.state <> OLD.state AND NOT (OLD.state || '>' || NEW.state) = ANY (ARRAY['planned>open', 'open>closed']) THEN
        RAISE EXCEPTION 'campaign %: no way from % to %', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'rectification_state_follows';
    END IF;
    IF OLD.state = 'open' AND (NEW.programmes, NEW.percent, NEW.items_count, NEW.items_digest, NEW.opened_on, NEW.opening_id)
       IS DISTINCT FROM (OLD.programmes, OLD.percent, OLD.items_count, OLD.items_digest, OLD.opened_on, OLD.opening_id) THEN
        RAISE EXCEPTION 'campaign % is open', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'rectification_list_stays';
    END IF;
    IF NEW.state = 'open' AND OLD.state = 'planned' AND EXISTS (
        SELECT 1 FROM rectification_campaign o WHERE o.id <> NEW.id AND o.state = 'open' AND o.programmes && NEW.programmes
        AND (left(o.division, o.level) LIKE left(NEW.division, NEW.level) || '%'
             OR left(NEW.division, NEW.level) LIKE left(o.division, o.level) || '%')) THEN
        RAISE EXCEPTION 'campaign % overlaps another', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'rectification_overlaps';
    END IF;
    IF NEW.state = 'closed' AND (
        EXISTS (SELECT 1 FROM rectification_item i WHERE i.campaign_id = NEW.id AND i.state <> 'reviewed')
        OR NOT EXISTS (SELECT 1 FROM rectification_checkdraw d WHERE d.campaign_id = NEW.id AND d.state = 'drawn')
        OR EXISTS (SELECT 1 FROM rectification_pick p JOIN rectification_item i ON i.id = p.item_id
                   WHERE p.campaign_id = NEW.id AND p.picked AND NOT EXISTS (
                       SELECT 1 FROM rectification_countycheck c
                       WHERE c.pick_id = p.id AND c.round = i.round AND c.agreed))) THEN
        RAISE EXCEPTION 'campaign % is not finished', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'rectification_finished';
    END IF;
    RETURN NEW;
END
$body$;

CREATE FUNCTION rectification_guard_new_items() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF EXISTS (SELECT 1 FROM fresh f JOIN rectification_campaign c ON c.id = f.campaign_id
               WHERE c.state <> CASE f.origin WHEN 'told' THEN 'open' ELSE 'planned' END OR f.state <> 'open' OR f.round <> 1) THEN
        RAISE EXCEPTION 'items are listed as a campaign opens, found ones while it is open'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'rectification_listed_once';
    END IF;
    RETURN NULL;
END
$body$;

CREATE FUNCTION rectification_guard_item() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF (NEW.state, NEW.round, NEW.result, NEW.to_fen, NEW.grounds, NEW.evidence, NEW.visit_id, NEW.found_account, NEW.reviewed_account)
       IS NOT DISTINCT FROM
       (OLD.state, OLD.round, OLD.result, OLD.to_fen, OLD.grounds, OLD.evidence, OLD.visit_id, OLD.found_account, OLD.reviewed_account)
    THEN
        RETURN NEW;
    END IF;
    IF NOT EXISTS (SELECT 1 FROM rectification_campaign c WHERE c.id = NEW.campaign_id AND c.state = 'open') THEN
        RAISE EXCEPTION 'item %: its campaign is not open', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'rectification_item_final';
    END IF;
    IF NOT (OLD.state || '>' || NEW.state) = ANY (ARRAY['open>found', 'found>found', 'found>reviewed', 'found>open', 'reviewed>open'])
       OR NEW.round <> OLD.round + (NEW.state = 'open')::int THEN
        RAISE EXCEPTION 'item %: no way from % to %', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'rectification_item_follows';
    END IF;
    IF NEW.state = 'reviewed' AND (NEW.result, NEW.to_fen, NEW.grounds, NEW.evidence, NEW.visit_id, NEW.found_account)
       IS DISTINCT FROM (OLD.result, OLD.to_fen, OLD.grounds, OLD.evidence, OLD.visit_id, OLD.found_account) THEN
        RAISE EXCEPTION 'item %: a review changes no result', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'rectification_item_follows';
    END IF;
    IF NEW.state = 'found' AND NEW.visit_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM visits_visit v WHERE v.id = NEW.visit_id AND v.state = 'signed' AND v.round = NEW.round
        AND v.subject = 'rectification:' || NEW.campaign_id || ':' || NEW.id AND v.household_id = NEW.household_id) THEN
        RAISE EXCEPTION 'item %: not a signed visit of it', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'rectification_visit_of_item';
    END IF;
    RETURN NEW;
END
$body$;

CREATE FUNCTION rectification_guard_check() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
DECLARE
    stand record;
BEGIN
    SELECT i.id, i.campaign_id, i.state, i.round, i.found_account, i.reviewed_account, p.picked INTO stand
    FROM rectification_pick p JOIN rectification_item i ON i.id = p.item_id WHERE p.id = NEW.pick_id;
    IF NOT FOUND OR NOT stand.picked OR stand.state <> 'reviewed' OR stand.round <> NEW.round THEN
        RAISE EXCEPTION 'a check of what is not drawn and reviewed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'rectification_check_of_drawn';
    END IF;
    IF NEW.account IN (coalesce(stand.found_account, 0), coalesce(stand.reviewed_account, 0)) THEN
        RAISE EXCEPTION 'the same person found or reviewed it'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'rectification_checked_by_another';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM visits_visit v WHERE v.id = NEW.visit_id AND v.state = 'signed' AND v.round = NEW.round
                   AND v.subject = 'rectification:' || stand.campaign_id || ':' || stand.id || ':check') THEN
        RAISE EXCEPTION 'a check without its visit'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'rectification_check_visited';
    END IF;
    RETURN NEW;
END
$body$;

CREATE FUNCTION rectification_guard_draw() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF OLD.state = 'drawn' THEN
        RAISE EXCEPTION 'drawn' USING ERRCODE = 'check_violation', CONSTRAINT = 'rectification_drawn';
    END IF;
    RETURN NEW;
END
$body$;

CREATE FUNCTION rectification_guard_sent() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF OLD.received_on IS NOT NULL THEN
        RAISE EXCEPTION 'received' USING ERRCODE = 'check_violation', CONSTRAINT = 'rectification_received_once';
    END IF;
    RETURN NEW;
END
$body$;

CREATE TRIGGER guard_campaign BEFORE UPDATE ON rectification_campaign
    FOR EACH ROW EXECUTE FUNCTION rectification_guard_campaign();
CREATE TRIGGER guard_new AFTER INSERT ON rectification_item REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION rectification_guard_new_items();
CREATE TRIGGER guard_item BEFORE UPDATE ON rectification_item FOR EACH ROW EXECUTE FUNCTION rectification_guard_item();
CREATE TRIGGER guard_check BEFORE INSERT ON rectification_countycheck
    FOR EACH ROW EXECUTE FUNCTION rectification_guard_check();
CREATE TRIGGER guard_draw BEFORE UPDATE ON rectification_checkdraw FOR EACH ROW EXECUTE FUNCTION rectification_guard_draw();
CREATE TRIGGER guard_sent BEFORE UPDATE ON rectification_submission FOR EACH ROW EXECUTE FUNCTION rectification_guard_sent();
"""

_UNMAKE = """
DROP TRIGGER guard_sent ON rectification_submission;
DROP TRIGGER guard_draw ON rectification_checkdraw;
DROP TRIGGER guard_check ON rectification_countycheck;
DROP TRIGGER guard_item ON rectification_item;
DROP TRIGGER guard_new ON rectification_item;
DROP TRIGGER guard_campaign ON rectification_campaign;
DROP FUNCTION rectification_guard_sent();
DROP FUNCTION rectification_guard_draw();
DROP FUNCTION rectification_guard_check();
DROP FUNCTION rectification_guard_item();
DROP FUNCTION rectification_guard_new_items();
DROP FUNCTION rectification_guard_campaign();
"""


class Migration(migrations.Migration):
    dependencies = [("rectification", "0001_initial"), ("visits", "0001_initial")]
    operations = [migrations.RunSQL(_MAKE, _UNMAKE)]
