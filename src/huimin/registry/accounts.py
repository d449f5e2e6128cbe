"""Which account a person is paid on, on a day: one piece of SQL that everybody joins with (REG-07, PAY-08).

The person's own card first (for a household only one for household use; for a person his own, else a household card
he holds); without one, the account of who holds an authority in force for him. An authority counts from `valid_from` up
to, not including, `valid_to`; a proxy who has become staff or a village cadre draws for nobody.
"""

_HOLDS = "{row}.valid_from <= %(on)s AND ({row}.valid_to IS NULL OR {row}.valid_to > %(on)s)"

SERVES = (
    "{row}.state = 'approved' AND " + _HOLDS + " AND ({row}.kind <> 'proxy' OR NOT EXISTS (SELECT 1"  # noqa: S608
    " FROM registry_personfacts pf WHERE pf.person_id = {row}.agent_id AND pf.recorded_to IS NULL AND "
    + _HOLDS.replace("{row}", "pf")
    + " AND (pf.fiscal_payroll OR pf.village_cadre)))"
)
"""Whether an authority `{row}` serves on %(on)s."""


def serves(row: str) -> str:
    return SERVES.replace("{row}", row)


def card_holds(row: str) -> str:
    """Whether card `row` may be paid to on %(on)s."""
    return f"{row}.recorded_to IS NULL AND {row}.state = 'active' AND " + _HOLDS.replace("{row}", row)


def account_of(person: str, use: str) -> str:
    """A LATERAL of at most one row (id, account_hash, holder_id, authority_id); `person`, `use` are SQL expressions."""
    return (
        "(SELECT ac.id, ac.account_hash, ac.holder_id, drawer.authority_id FROM"  # noqa: S608
        f" (SELECT {person} AS holder, NULL::bigint AS authority_id UNION ALL"
        f" SELECT au.agent_id, au.id FROM registry_cardauthority au WHERE au.beneficiary_id = {person}"
        f" AND {serves('au')}) drawer JOIN registry_card ac ON ac.holder_id = drawer.holder AND {card_holds('ac')}"
        f" WHERE ac.use = {use} OR {use} = 'person' OR drawer.authority_id IS NOT NULL"
        f" ORDER BY drawer.authority_id IS NOT NULL, ac.use = {use} DESC, drawer.authority_id, ac.id LIMIT 1)"
    )


def payee_of(line: str, card: str, authority: str) -> str:
    """A LATERAL (person, use): who a roster line would be paid to today, given the card and authority it froze.

    A household is paid through its head of the day, whoever headed it when the line was drawn. OFFSET 0 keeps the look-up a
    subquery of its own: pulled up into the joins, it would be a condition that row-level security lets no index answer.
    """
    return (
        f"(SELECT CASE WHEN {authority}.id IS NOT NULL THEN {authority}.beneficiary_id"  # noqa: S608
        f" WHEN {card}.use = 'household' THEN coalesce((SELECT hm.person_id FROM registry_membership hm"
        f" WHERE hm.household_id = {line}.household_id AND hm.relation = '户主' AND hm.recorded_to IS NULL AND "
        + _HOLDS.replace("{row}", "hm")
        + f" LIMIT 1), {line}.payee_id) ELSE {line}.payee_id END AS person,"
        f" CASE WHEN {authority}.id IS NULL THEN {card}.use ELSE 'person' END AS use OFFSET 0)"
    )


def line_in_force(line: str) -> str:
    """Whether roster line `line` may still be paid on %(on)s to the account it froze."""
    return (
        f"EXISTS (SELECT 1 FROM registry_card fc WHERE fc.id = {line}.card_id AND {card_holds('fc')})"  # noqa: S608
        f" AND ({line}.authority_id IS NULL OR EXISTS (SELECT 1 FROM registry_cardauthority fa"
        f" WHERE fa.id = {line}.authority_id AND {serves('fa')}))"
    )
