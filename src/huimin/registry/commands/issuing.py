"""Cards issued in batch: the bank's file taken in, set-wise, every row answered (REG-07).

in    rows of the bank's file (identity number, name, account, use) and the file's digest
out   first accounts in use, waiting in the hand-over register; other accounts of people who have one as corrections
      for a reviewer; a CardIssue that tells of every other row what is wrong and what to do

Always true: the same file is taken once in a place; the number of statements does not depend on the number of rows; an
account has one holder; a household's card is its head's; no account in use is replaced by a file. Files up to
ROWS_MAX rows.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from huimin.database.bulk import copy_rows, fetch, run, temporary
from huimin.database.personal import ACCOUNT, ID_NUMBER, keyring
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.identity import parse_identity
from huimin.kernel.masking import mask_name
from huimin.organisation.acting import Actor, command
from huimin.organisation.posts import Post
from huimin.registry.models import CardIssue

ROWS_MAX = 50_000
_ACCOUNT = re.compile(r"[0-9]{10,30}")


@dataclass(frozen=True)
class IssuedCard:
    """A row of the bank's file; `use` is "household", "person" or empty (a head's is the household's)."""

    row: int
    id_number: str
    name: str
    account: str
    use: str = ""


_SAYS = {
    "twice": ("同一账号或同一人在文件中不止一行", "请与银行核对后只留一行"),
    "no_holder": ("没有这个证件号码的人", "未登记或不在您的辖区内，请先登记，或由当地办理"),
    "not_own": ("户名与登记的姓名不一致", "请与银行核对户名，或先更正姓名"),
    "not_member": ("此人现不在任何一户", "请先登记其所在的户"),
    "not_head": ("户的卡应在户主名下", "请由户主开户，或按个人用途发卡"),
    "taken": ("这个账号已是另一张在用的卡", "请与银行核对账号"),
    "waiting": ("此人的账户更正正在审核或待启用", "请先办结原更正"),
}


@command(Post.CLERK, Post.COUNTY_OFFICER)
def issue_cards(*, by: Actor, on: date, cards: Sequence[IssuedCard], sha256: str, file_name: str) -> CardIssue:
    """Take in a bank's file of issued cards; the same file again returns what became of it."""
    before = CardIssue.objects.filter(division=by.division, sha256=sha256).first()
    if before is not None:
        return before
    if not 0 < len(cards) <= ROWS_MAX:
        raise BadInput(f"文件有 {len(cards)} 行", where=file_name, remedy=f"请分成 1 至 {ROWS_MAX} 行的文件")
    faults = _stage(cards, on)
    common = {"by": by.appointment, "on": on, "prefix": by.prefix, "evidence": f"银行发卡 {file_name}"[:120]}
    run("DROP TABLE IF EXISTS pg_temp.issued_card")
    temporary("issued_card", _FOUND, common)
    run(_ADD, common)
    run(_TAKEN)
    run(_PROPOSE, common)
    run(_WAITING, common)
    states = fetch("SELECT pos, state FROM issued_card ORDER BY pos")
    names = {card.row: card.name for card in cards}
    faults += [_fault(pos, names[pos], *_SAYS[state]) for pos, state in states if state in _SAYS]
    count = {kind: sum(state == kind for _, state in states) for kind in ("new", "known", "change")}
    made = CardIssue.objects.create(
        division=by.division, file_name=file_name[:120], sha256=sha256, rows=len(cards), issued=count["new"],
        known=count["known"], proposed=count["change"], faults=sorted(faults, key=lambda each: each["row"]),
        taken_by=by.appointment, taken_on=on,
    )  # fmt: skip
    run(
        "INSERT INTO registry_cardhandover (division, card_id, issue_id, signature)"
        " SELECT division, id, %s, '' FROM issued_card WHERE state = 'new' ORDER BY pos",
        [made.pk],
    )
    return made


def _stage(cards: Sequence[IssuedCard], on: date) -> list[dict[str, Any]]:
    """Rows that can be looked up go into `issued_rows`; the others are returned as faults."""
    faults, good = [], []
    for card in cards:
        try:
            number = parse_identity(card.id_number, today=on).number
        except Refusal as wrong:
            faults.append(_fault(card.row, card.name, wrong.what, wrong.remedy))
            continue
        if not _ACCOUNT.fullmatch(card.account):
            faults.append(_fault(card.row, card.name, "账号不是 10 至 30 位数字", "请与银行核对账号"))
        elif card.use not in ("", "household", "person"):
            faults.append(_fault(card.row, card.name, "用途不是“户”或“人”", "请填写户或人，或留空"))
        else:
            good.append((card, number))
    ring, accounts = keyring(), [card.account for card, _ in good]
    columns = (
        ("pos", "int8"), ("id_hash", "bytea"), ("name", "text"), ("account_enc", "bytea"), ("account_hash", "bytea"),
        ("tail", "text"), ("use", "text"),
    )  # fmt: skip
    sealed = zip(
        good,
        ring.lookup_many([number for _, number in good], ID_NUMBER),
        ring.encrypt_many(accounts, ACCOUNT),
        ring.lookup_many(accounts, ACCOUNT),
        strict=True,
    )
    copy_rows(
        "issued_rows",
        columns,
        ((c.row, who, c.name, enc, hashed, c.account[-4:], c.use or None) for (c, _), who, enc, hashed in sealed),
    )
    return faults


def _fault(row: int, name: str, what: str, remedy: str) -> dict[str, Any]:
    return {"row": row, "name": mask_name(name) if name else "", "what": what, "remedy": remedy}


_FOUND = """
SELECT DISTINCT ON (f.pos) f.pos, nextval('registry_card_id_seq') AS id, f.holder_id, f.household_id, f.use, f.division,
  c.id AS old_id,
  CASE WHEN f.rows > 1 OR f.holder_rows > 1 THEN 'twice'
       WHEN f.holder_id IS NULL OR left(f.division, length(%(prefix)s)) <> %(prefix)s THEN 'no_holder'
       WHEN f.row_name <> f.name THEN 'not_own'
       WHEN f.household_id IS NULL THEN 'not_member'
       WHEN f.use = 'household' AND f.relation <> '户主' THEN 'not_head'
       WHEN c.account_hash = f.account_hash AND c.state = 'active' THEN 'known'
       WHEN EXISTS (SELECT 1 FROM registry_card t WHERE t.account_hash = f.account_hash AND t.recorded_to IS NULL
                    AND t.state IN ('active', 'pending')) THEN 'taken'
       WHEN c.state = 'pending' THEN 'waiting'
       WHEN c.id IS NOT NULL THEN 'change'
       ELSE 'new' END AS state
FROM (SELECT i.pos, i.account_hash, i.name AS row_name, p.id AS holder_id, p.name, p.division, m.household_id,
             m.relation, u.use, count(*) OVER (PARTITION BY i.account_hash) AS rows,
             count(*) OVER (PARTITION BY i.id_hash, u.use) AS holder_rows
      FROM issued_rows i
      LEFT JOIN registry_person p ON p.id_number_hash = i.id_hash AND p.closed_on IS NULL
      LEFT JOIN registry_membership m ON m.person_id = p.id AND m.recorded_to IS NULL AND m.valid_to IS NULL
      CROSS JOIN LATERAL (SELECT coalesce(i.use, CASE WHEN m.relation = '户主' THEN 'household' ELSE 'person' END) AS use) u
     ) f
LEFT JOIN registry_card c ON c.recorded_to IS NULL AND c.state IN ('active', 'lost', 'frozen', 'pending') AND c.use = f.use
     AND (f.use = 'household' AND c.household_id = f.household_id OR f.use = 'person' AND c.holder_id = f.holder_id)
ORDER BY f.pos, c.account_hash = f.account_hash DESC NULLS LAST, c.state = 'pending' DESC, c.state
"""
_ADD = """
INSERT INTO registry_card (id, division, valid_from, evidence, reported_by, use, holder_id, household_id, account_enc,
    account_hash, account_tail, account_name, state)
SELECT c.id, c.division, %(on)s, %(evidence)s, %(by)s, c.use, c.holder_id, c.household_id, i.account_enc, i.account_hash,
       i.tail, p.name, 'active'
FROM issued_card c JOIN issued_rows i USING (pos) JOIN registry_person p ON p.id = c.holder_id
WHERE c.state = 'new' ORDER BY c.pos ON CONFLICT DO NOTHING
"""
# What the constraints kept out is somebody's whom the actor does not see.
_TAKEN = """
UPDATE issued_card c SET state = 'taken'
WHERE c.state = 'new' AND NOT EXISTS (SELECT 1 FROM registry_card k WHERE k.id = c.id)
"""
_PROPOSE = """
INSERT INTO registry_cardcorrection (division, use, holder_id, household_id, old_card_id, account_enc, account_hash,
    account_tail, account_name, reason, state, refusal, proposed_by, proposed_on)
SELECT c.division, c.use, c.holder_id, c.household_id, c.old_id, i.account_enc, i.account_hash, i.tail, p.name,
       %(evidence)s, 'proposed', '', %(by)s, %(on)s
FROM issued_card c JOIN issued_rows i USING (pos) JOIN registry_person p ON p.id = c.holder_id
WHERE c.state = 'change' ORDER BY c.pos ON CONFLICT DO NOTHING
"""
_WAITING = """
UPDATE issued_card c SET state = 'waiting' FROM issued_rows i
WHERE i.pos = c.pos AND c.state = 'change' AND NOT EXISTS (SELECT 1 FROM registry_cardcorrection k
      WHERE k.holder_id = c.holder_id AND k.use = c.use AND k.state = 'proposed' AND k.account_hash = i.account_hash)
"""
