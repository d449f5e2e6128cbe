"""回避: nobody decides, confirms, reviews or signs for a household with a near relative he declared (REG-10, SEC-02).

in    who acts, on which day, for which households
out   a refusal for one; for many, what is his relatives' taken out of the set and written down

Always true: one query, however many households; a relative counts in the household he lives in on the day, found by the
person his declaration was tied to or by the number in it (of two merged records, by either). It reads the declarations of who acts, under whichever
appointment (TableClass.PRIVATE), and households he may see; what he never declared nobody can know here
(casework.recusal lists it once he does).
"""

from collections.abc import Iterable
from datetime import date

from huimin.database.bulk import fetch, run
from huimin.kernel.errors import Refusal
from huimin.kinship.declaring import file_of
from huimin.organisation.acting import Actor

# Households on a day of the people that declarations name; `who` narrows the declarations.
HOUSEHOLDS_OF = """
SELECT m.household_id, k.id AS relative_id
FROM (SELECT r.id, CASE WHEN p.merged_into_id IS NULL THEN r.person_id ELSE p.merged_into_id END AS person_id
      FROM kinship_relative r LEFT JOIN registry_person p ON p.id = r.person_id
      WHERE {who} AND r.ended_on IS NULL AND r.person_id IS NOT NULL
      UNION
      SELECT r.id, p.merged_into_id FROM kinship_relative r
      JOIN registry_person p ON p.id_number_hash = r.id_number_hash AND p.merged_into_id IS NOT NULL
      WHERE {who} AND r.ended_on IS NULL
      UNION
      SELECT r.id, p.id FROM kinship_relative r
      JOIN registry_person p ON p.id_number_hash = r.id_number_hash AND p.closed_on IS NULL
      WHERE {who} AND r.ended_on IS NULL) k
JOIN registry_membership m ON m.person_id = k.person_id AND m.recorded_to IS NULL AND m.valid_from <= %(on)s
 AND (m.valid_to IS NULL OR m.valid_to > %(on)s)
"""
_OWN = HOUSEHOLDS_OF.format(who="r.account = %(account)s")
_AMONG = f"""
SELECT DISTINCT h.household_no FROM ({_OWN}) o JOIN registry_household h ON h.id = o.household_id
WHERE o.household_id = ANY (%(households)s) ORDER BY 1
"""  # noqa: S608  constants of this room
_LEAVE_OUT = """
WITH own AS MATERIALIZED ({own}), gone AS (
    DELETE FROM {table} WHERE household_id IN (SELECT household_id FROM own) RETURNING household_id
)
INSERT INTO kinship_recusal (division, account, officer, household_id, household_no, act, subject, request, left_on)
SELECT DISTINCT %(division)s, %(account)s, %(officer)s, g.household_id, h.household_no, %(act)s, %(subject)s, %(request)s,
       %(on)s::date
FROM gone g JOIN registry_household h ON h.id = g.household_id
"""


_WHICH = f"SELECT DISTINCT o.household_id FROM ({_OWN}) o WHERE o.household_id = ANY (%(households)s)"  # noqa: S608


class Recused(Refusal):
    """The household has a near relative of who acts."""


def require_not_related(by: Actor, on: date, households: Iterable[int]) -> None:
    """Recused when a relative `by` declared lives in one of the households; inside a command."""
    found = fetch(_AMONG, {"account": by.account, "on": on, "households": list(households)})
    if found:
        numbers = "、".join(number for (number,) in found[:5])
        raise Recused(
            f"您须回避：{numbers} 有您申报的近亲属",
            why="近亲属回避，本人不得办理、审核、签批",
            remedy="请转交另一位同岗位人员或上级办理",
        )


def require_not_relative(by: Actor, id_number_hash: bytes) -> None:
    """Recused when the person with this number, who need not be registered here, is a relative `by` declared."""
    found = fetch(
        "SELECT 1 FROM kinship_relative WHERE account = %s AND ended_on IS NULL AND id_number_hash = %s LIMIT 1",
        [by.account, id_number_hash],
    )
    if found:
        raise Recused(
            "您须回避：这个人是您申报的近亲属",
            why="近亲属回避，本人不得办理、审核、签批",
            remedy="请转交另一位同岗位人员或上级办理",
        )


def related_among(by: Actor, on: date, households: Iterable[int]) -> set[int]:
    """Those of the households in which a relative `by` declared lives; one query, inside `reading(by)`."""
    found = fetch(_WHICH, {"account": by.account, "on": on, "households": list(households)})
    return {number for (number,) in found}


def leave_out_related(by: Actor, on: date, table: str, *, act: str, subject: str) -> int:
    """Take out of temporary `table` (with a column household_id) the households of `by`'s relatives, and write them down.

    Returns how many households were left out.
    """
    assert table.isidentifier()
    return run(
        _LEAVE_OUT.format(own=_OWN, table=table),
        {
            "account": by.account, "on": on, "division": file_of(by), "officer": by.title[:160], "act": act,
            "subject": subject[:80], "request": by.request,
        },
    )  # fmt: skip
