"""A visit or letter sealed anew with another key is no change of it: only what else changes is guarded (SEC-04, CASE-02)."""

from django.db import migrations

_MAKE = """
DROP TRIGGER guard_visit ON visits_visit;
CREATE TRIGGER guard_visit BEFORE UPDATE ON visits_visit FOR EACH ROW
    WHEN ((to_jsonb(NEW) - 'payload_enc') IS DISTINCT FROM (to_jsonb(OLD) - 'payload_enc'))
    EXECUTE FUNCTION visits_guard_visit();
DROP TRIGGER guard_entrustment ON visits_entrustment;
CREATE TRIGGER guard_entrustment BEFORE INSERT ON visits_entrustment
    FOR EACH ROW EXECUTE FUNCTION visits_guard_entrustment();
CREATE TRIGGER guard_entrustment_change BEFORE UPDATE ON visits_entrustment FOR EACH ROW
    WHEN ((to_jsonb(NEW) - ARRAY['address_enc', 'payload_enc'])
          IS DISTINCT FROM (to_jsonb(OLD) - ARRAY['address_enc', 'payload_enc']))
    EXECUTE FUNCTION visits_guard_entrustment();
"""

_UNMAKE = """
DROP TRIGGER guard_entrustment_change ON visits_entrustment;
DROP TRIGGER guard_entrustment ON visits_entrustment;
CREATE TRIGGER guard_entrustment BEFORE INSERT OR UPDATE ON visits_entrustment
    FOR EACH ROW EXECUTE FUNCTION visits_guard_entrustment();
DROP TRIGGER guard_visit ON visits_visit;
CREATE TRIGGER guard_visit BEFORE UPDATE ON visits_visit FOR EACH ROW EXECUTE FUNCTION visits_guard_visit();
"""


class Migration(migrations.Migration):
    dependencies = [("visits", "0005_lists")]

    operations = [migrations.RunSQL(_MAKE, _UNMAKE)]
