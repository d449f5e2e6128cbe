"""Cards of a merge: a first account comes in, the same one is known, another one waits for a correction (REG-07).

`merge_card` has a row for each row of input: pos, id drawn beforehand, holder, household, use, state.
"""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from huimin.database.bulk import fetch, run, temporary
from huimin.database.personal import ACCOUNT, ID_NUMBER
from huimin.registry.commands.merging.revising import drop
from huimin.registry.commands.merging.staging import hashes, put, seals, texts
from huimin.registry.commands.merging.verdicts import Verdict, verdict


def stage(cards: pa.Table) -> None:
    accounts = texts(cards, "account")
    plain = accounts.to_pylist()
    columns = {
        "household": cards["household"] if "household" in cards.column_names else pa.nulls(len(plain), pa.int64()),
        "holder_hash": hashes(texts(cards, "holder_id").to_pylist(), ID_NUMBER),
        "account_enc": seals(plain, ACCOUNT),
        "account_hash": hashes(plain, ACCOUNT),
        "account_tail": pc.utf8_slice_codeunits(accounts, -4),
        "account_name": texts(cards, "account_name"),
        "use": texts(cards, "use"),
        "bank": cards["bank_office_id"] if "bank_office_id" in cards.column_names else pa.nulls(len(plain), pa.int64()),
    }
    types = {
        "household": "bigint", "holder_hash": "bytea", "account_enc": "bytea", "account_hash": "bytea",
        "account_tail": "text", "account_name": "text", "use": "text", "bank": "bigint",
    }  # fmt: skip
    put("merge_cards", columns, types)


# A head's card is the household's unless the row says otherwise; the account decides which of several cards is meant.
_FOUND = """
SELECT DISTINCT ON (f.pos) f.pos, nextval('registry_card_id_seq') AS id, f.holder_id, f.household_id, f.use, f.division,
  CASE WHEN f.holder_id IS NULL THEN 'no_holder'
       WHEN left(f.division, length(%(prefix)s)) <> %(prefix)s THEN 'outside'
       WHEN f.household_id IS NULL THEN 'not_member'
       WHEN f.use = 'household' AND f.relation <> '户主' THEN 'not_head'
       WHEN f.account_name <> f.name THEN 'not_own'
       WHEN c.account_hash = f.account_hash THEN 'known'
       WHEN c.id IS NOT NULL THEN 'second_card'
       ELSE 'new' END AS state
FROM (SELECT l.pos, l.account_hash, l.account_name, p.id AS holder_id, p.name, p.division, m.household_id, m.relation,
             coalesce(l.use, CASE WHEN m.relation = '户主' THEN 'household' ELSE 'person' END) AS use
      FROM (SELECT i.*, coalesce(q.id, g.person_id) AS found FROM merge_cards i
            LEFT JOIN registry_person q ON q.id_number_hash = i.holder_hash AND q.closed_on IS NULL
            LEFT JOIN merge_house t ON i.holder_hash IS NULL AND t.pos = i.household AND t.state IN ('known', 'changed')
            LEFT JOIN registry_membership g ON g.household_id = t.household_id AND g.relation = '户主'
                 AND g.recorded_to IS NULL AND g.valid_to IS NULL) l
      LEFT JOIN registry_person p ON p.id = l.found AND p.closed_on IS NULL
      LEFT JOIN registry_membership m ON m.person_id = p.id AND m.recorded_to IS NULL AND m.valid_to IS NULL) f
LEFT JOIN registry_card c ON c.recorded_to IS NULL AND c.state IN ('active', 'lost', 'frozen') AND c.use = f.use
     AND (f.use = 'household' AND c.household_id = f.household_id OR f.use = 'person' AND c.holder_id = f.holder_id)
ORDER BY f.pos, c.account_hash = f.account_hash DESC NULLS LAST, c.state
"""


def decide(common: dict[str, Any]) -> None:
    drop("merge_card")
    temporary("merge_card", _FOUND, common)


def add(common: dict[str, Any]) -> None:
    """First cards; what the constraints keep out is somebody's already."""
    run(
        "INSERT INTO registry_card (id, division, valid_from, evidence, reported_by, use, holder_id, household_id,"
        " account_enc, account_hash, account_tail, account_name, bank_office_id, state)"
        " SELECT c.id, c.division, %(since)s, %(evidence)s, %(by)s, c.use, c.holder_id, c.household_id, l.account_enc,"
        " l.account_hash, l.account_tail, p.name, l.bank, 'active' FROM merge_card c JOIN merge_cards l USING (pos)"
        " JOIN registry_person p ON p.id = c.holder_id WHERE c.state = 'new' ORDER BY c.pos ON CONFLICT DO NOTHING",
        common,
    )
    run(
        "UPDATE merge_card c SET state = CASE WHEN EXISTS (SELECT FROM registry_card o WHERE o.recorded_to IS NULL"
        " AND o.state = 'active' AND o.use = c.use AND (c.use = 'household' AND o.household_id = c.household_id"
        " OR c.use = 'person' AND o.holder_id = c.holder_id)) THEN 'second_card' ELSE 'shared_card' END"
        " WHERE c.state = 'new' AND NOT EXISTS (SELECT FROM registry_card o WHERE o.id = c.id)"
    )


def verdicts() -> dict[int, Verdict]:
    rows = fetch(
        "SELECT pos, state, coalesce(division, ''), household_id, holder_id FROM merge_card WHERE state <> 'known' ORDER BY pos"
    )
    return {pos: verdict(state, *where) for pos, state, *where in rows}
