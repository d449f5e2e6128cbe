"""Freezing the list of a campaign: who holds, who may have been missed, and which marks of risk the registry shows (CASE-10).

in    a campaign that is being opened, the business date
out   its Items, in one INSERT … SELECT each for those who hold and those the screening would let enter; the digest of the list

A mark says where to look first, never that something is wrong. Every mark is read from the registry, the entitlements and the
screening; relatives an officer declared are in the county's own file and marked at the county only (checking). Law:
日政办发〔2018〕95号 四(一) (财政供养人员、村干部、经办人员近亲属), 四(二) (车辆、大型农机具、工商登记), 四(六) (保户不保人), 四(七), 四(十).
"""

from datetime import date

from huimin.database.bulk import fetch_one, run
from huimin.database.context import scope_of
from huimin.rectification.models import Campaign

RISKS = {
    "dead": "有人死亡或户已注销", "leave": "系统筛查应退未退", "payroll": "财政供养", "cadre": "村干部", "kin": "经办人员近亲属",
    "business": "工商登记", "vehicle": "机动车", "machine": "大型农机具", "houses": "两套以上住房", "double": "一户多保",
    "part": "保人不保户", "lifted": "脱贫户",
}  # fmt: skip
"""Marks by code, in the order lists show them."""

_VALID = "{0}.recorded_to IS NULL AND {0}.valid_from <= %(on)s AND ({0}.valid_to IS NULL OR {0}.valid_to > %(on)s)"
_LIVE = "{0}.valid_from <= %(on)s AND ({0}.valid_to IS NULL OR {0}.valid_to > %(on)s)"

# What is known of the households that are on the list: facts of the household, of its people, what else is held there.
_KNOWN = f"""
homes AS MATERIALIZED (SELECT DISTINCT household_id AS id FROM wanted),
facts AS MATERIALIZED (
    SELECT f.household_id, f.vehicles > 0 AS vehicle, f.large_machines > 0 AS machine, f.businesses > 0 AS business,
           f.houses > 1 AS houses, f.poverty_registered = '脱贫户' AS lifted
    FROM homes o JOIN registry_householdfacts f ON f.household_id = o.id WHERE {_VALID.format("f")}
), people AS MATERIALIZED (
    SELECT m.household_id, bool_or(f.fiscal_payroll) AS payroll, bool_or(f.village_cadre) AS cadre, bool_or(f.staff_kin) AS kin,
           bool_or(f.death_date <= %(on)s OR p.closed_on IS NOT NULL) AS dead,
           count(*) FILTER (WHERE p.closed_on IS NULL AND f.death_date IS NULL) AS members
    FROM homes o JOIN registry_membership m ON m.household_id = o.id AND {_VALID.format("m")}
    JOIN registry_person p ON p.id = m.person_id
    LEFT JOIN registry_personfacts f ON f.person_id = m.person_id AND {_VALID.format("f")}
    GROUP BY 1
), held AS MATERIALIZED (
    SELECT e.household_id, count(DISTINCT e.programme) > 1 AS double FROM homes o
    JOIN casework_entitlement e ON e.household_id = o.id AND {_LIVE.format("e")}
    WHERE e.programme = ANY (%(programmes)s) OR e.programme ~ '(^|-)(dibao|tekun|wubao)' GROUP BY 1
), leaving AS MATERIALIZED (
    SELECT DISTINCT p.household_id, p.person_id, p.programme FROM screening_proposal p
    WHERE p.kind = 'leave' AND p.state = 'open' AND p.programme = ANY (%(programmes)s)
      AND p.division >= %(low)s AND p.division < %(high)s
)"""  # noqa: S608  constants of this module
_MARKS = """
array_remove(ARRAY[
    CASE WHEN k.dead OR h.closed_on IS NOT NULL OR owner.closed_on IS NOT NULL THEN 'dead' END,
    CASE WHEN l.household_id IS NOT NULL THEN 'leave' END,
    CASE WHEN k.payroll THEN 'payroll' END, CASE WHEN k.cadre THEN 'cadre' END, CASE WHEN k.kin THEN 'kin' END,
    CASE WHEN f.business THEN 'business' END, CASE WHEN f.vehicle THEN 'vehicle' END, CASE WHEN f.machine THEN 'machine' END,
    CASE WHEN f.houses THEN 'houses' END, CASE WHEN d.double THEN 'double' END,
    CASE WHEN w.origin = 'held' AND w.person_id IS NULL AND g.unit = 'household' AND w.people < k.members THEN 'part' END,
    CASE WHEN f.lifted THEN 'lifted' END], NULL)"""
_INSERT = f"""
WITH wanted AS MATERIALIZED (
    {{wanted}}
), {_KNOWN}, marked AS (
    SELECT w.*, h.division AS place, {_MARKS} AS risks
    FROM wanted w JOIN registry_household h ON h.id = w.household_id
    LEFT JOIN registry_person owner ON owner.id = w.person_id LEFT JOIN facts f ON f.household_id = w.household_id
    LEFT JOIN people k ON k.household_id = w.household_id LEFT JOIN held d ON d.household_id = w.household_id
    LEFT JOIN policy_programme g ON g.code = w.programme
    LEFT JOIN leaving l ON w.origin = 'held' AND l.household_id = w.household_id AND l.programme = w.programme
     AND l.person_id IS NOT DISTINCT FROM w.person_id
)
INSERT INTO rectification_item (campaign_id, number, division, household_id, person_id, programme, origin, entitlement_id,
    proposal_id, note, amount_fen, people, risks, risk_count, state, round, result, grounds, evidence)
SELECT %(campaign)s, %(stem)s || lpad(row_number() OVER (ORDER BY place, household_id, programme, person_id)::text, 7, '0'), place,
       household_id, person_id, programme, origin, entitlement_id, proposal_id, '', amount_fen, people, risks,
       cardinality(risks), 'open', 1, '', '', ''
FROM marked ON CONFLICT (campaign_id, household_id, person_id, programme) DO NOTHING
"""  # noqa: S608  constants of this module
_HELD = f"""
SELECT e.household_id, e.person_id, e.programme, 'held' AS origin, e.id AS entitlement_id, NULL::bigint AS proposal_id,
       e.amount_fen, e.people
FROM casework_entitlement e WHERE e.programme = ANY (%(programmes)s) AND {_LIVE.format("e")}
  AND e.division >= %(low)s AND e.division < %(high)s"""  # noqa: S608
_MISSED = f"""
SELECT p.household_id, p.person_id, p.programme, 'missed' AS origin, NULL::bigint AS entitlement_id, p.id AS proposal_id,
       p.amount_fen, p.people
FROM screening_proposal p JOIN registry_household t ON t.id = p.household_id AND t.closed_on IS NULL
WHERE p.kind = 'enter' AND p.state = 'open' AND p.programme = ANY (%(programmes)s)
  AND p.division >= %(low)s AND p.division < %(high)s AND NOT EXISTS (
    SELECT 1 FROM casework_entitlement e WHERE e.household_id = p.household_id AND e.programme = p.programme
    AND e.person_id IS NOT DISTINCT FROM p.person_id AND {_LIVE.format("e")})"""  # noqa: S608

DIGEST = """
SELECT count(*)::int, encode(sha256(convert_to(coalesce(string_agg(concat_ws('|', number, programme, origin, amount_fen, people,
       array_to_string(risks, ',')), E'\\n' ORDER BY number), ''), 'UTF8')), 'hex')
FROM rectification_item WHERE campaign_id = %s AND origin <> 'told'
"""
"""How many items were frozen, and the digest of the list as it was: of what no later act changes."""


def freeze_items(campaign: Campaign, on: date) -> tuple[int, str]:
    """Put everybody on the list; how many, and its digest. Inside the command that opens the campaign."""
    low, high = scope_of(campaign.prefix)
    asked = {
        "campaign": campaign.pk, "programmes": campaign.programmes, "on": on, "low": low, "high": high,
        "stem": f"{stem_of(campaign)}1",
    }  # fmt: skip
    run(_INSERT.format(wanted=_HELD), asked)
    run(_INSERT.format(wanted=_MISSED), {**asked, "stem": f"{stem_of(campaign)}2"})
    count, found = fetch_one(DIGEST, [campaign.pk])
    return int(count), str(found)


def stem_of(campaign: Campaign) -> str:
    """What the numbers of a campaign's items begin with; a digit for how it came to the list follows."""
    assert campaign.opened_on is not None
    return f"{campaign.opened_on.year}{campaign.pk:04d}"


def words_of(risks: list[str]) -> list[str]:
    """Marks in words, in the order of the list."""
    return [RISKS[code] for code in RISKS if code in risks]
