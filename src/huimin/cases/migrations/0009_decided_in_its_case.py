"""What is asked for in a live application is decided there, also when the screening proposes it too and nobody tied the two
(SEC-07). The rest is as in 0002.
"""

from django.db import migrations

_MAKE = """
CREATE OR REPLACE FUNCTION cases_guard_decision() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF EXISTS (SELECT 1 FROM fresh f WHERE f.case_number IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM cases_case c WHERE c.id = f.case_number AND c.programme = f.programme
            AND c.state = CASE f.outcome WHEN 'granted' THEN 'granted' ELSE 'refused' END
            AND ((c.household_id, c.person_id) IS NOT DISTINCT FROM (f.household_id, f.person_id)
                 OR EXISTS (SELECT 1 FROM cases_caseline l WHERE l.case_id = c.id AND l.proposal_id = f.proposal_id
                            AND l.left_out = '')))) THEN
        RAISE EXCEPTION 'a decision names a case that did not come to it'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'decision_of_its_case';
    END IF;
    IF EXISTS (SELECT 1 FROM fresh f JOIN cases_case c ON c.proposal_id = f.proposal_id AND c.step <> ''
               WHERE f.case_number IS DISTINCT FROM c.id)
       OR EXISTS (SELECT 1 FROM fresh f JOIN cases_caseline l ON l.proposal_id = f.proposal_id AND l.left_out = ''
                  JOIN cases_case c ON c.id = l.case_id AND c.step <> '' WHERE f.case_number IS DISTINCT FROM c.id)
       OR EXISTS (SELECT 1 FROM fresh f JOIN screening_proposal p ON p.id = f.proposal_id AND p.kind = 'enter'
                  JOIN cases_case c ON c.household_id = f.household_id AND c.programme = f.programme
                       AND c.person_id IS NOT DISTINCT FROM f.person_id AND c.step <> ''
                       AND c.state IN ('asked', 'papers', 'open')
                  WHERE f.case_number IS DISTINCT FROM c.id) THEN
        RAISE EXCEPTION 'a proposal lies in a case'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'decision_not_beside_a_case';
    END IF;
    RETURN NULL;
END
$body$;
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0008_entered_by_another")]
    operations = [migrations.RunSQL(_MAKE, migrations.RunSQL.noop)]
