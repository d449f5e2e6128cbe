"""Whether a due is paid by another instruction is asked line by line, by key (PAY-06).

As a join the planner was free to begin with all live instructions of the place, for every batch: what a release cost grew
with all that was ever paid. Each step is a subquery of the one before it and cannot be turned round. What holds is as in 0010.
"""

from importlib import import_module

from django.db import migrations

_BEFORE = import_module("huimin.payment.migrations.0010_guards")

_JOINED = """
      FROM new_rows n JOIN payment_linedue x ON x.line_id = n.line_id
      JOIN payment_linedue y ON y.due_id = x.due_id AND y.line_id <> x.line_id
      JOIN payment_instruction i ON i.line_id = y.line_id AND i.state IN ('sent', 'paid', 'unknown')
     WHERE n.state IN ('sent', 'paid', 'unknown') LIMIT 1;"""
_JOINED_REVIVED = """
    IF EXISTS (SELECT 1 FROM payment_linedue x
               JOIN payment_linedue y ON y.due_id = x.due_id AND y.line_id <> x.line_id
               JOIN payment_instruction i ON i.line_id = y.line_id AND i.state IN ('sent', 'paid', 'unknown')
               WHERE x.line_id = NEW.line_id) THEN"""
# True when another line with a due of the line {line} has a live instruction; NULL otherwise.
_PAID_ELSEWHERE = """(SELECT true FROM payment_linedue x
       CROSS JOIN LATERAL (SELECT o.line_id FROM payment_linedue o
                            WHERE o.due_id = x.due_id AND o.line_id <> x.line_id OFFSET 0) y
       CROSS JOIN LATERAL (SELECT o.id FROM payment_instruction o
                            WHERE o.line_id = y.line_id AND o.state IN ('sent', 'paid', 'unknown') OFFSET 0) i
      WHERE x.line_id = {line} LIMIT 1)"""
_ASKED = f"""
      FROM new_rows n WHERE n.state IN ('sent', 'paid', 'unknown') AND {_PAID_ELSEWHERE.format(line="n.line_id")} LIMIT 1;"""
_ASKED_REVIVED = f"""
    IF {_PAID_ELSEWHERE.format(line="NEW.line_id")} THEN"""


def functions() -> tuple[str, str]:
    """Both guards as they are now, and as they were."""
    before = _BEFORE._INSTRUCTIONS
    assert _JOINED in before and _JOINED_REVIVED in before
    made = before[: before.index("CREATE TRIGGER payment_line_gate")]
    made += before[
        before.index("CREATE FUNCTION payment_guard_revived") : before.index("CREATE TRIGGER payment_line_revived")
    ]
    made = made.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
    return made.replace(_JOINED, _ASKED).replace(_JOINED_REVIVED, _ASKED_REVIVED), made


class Migration(migrations.Migration):
    dependencies = [("payment", "0013_references")]
    operations = [migrations.RunSQL(*functions())]
