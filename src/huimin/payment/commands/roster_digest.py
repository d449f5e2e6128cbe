"""The digest of a roster (清册摘要): what every signature on it names, and how anybody makes it again (PAY-01, SEC-05).

A line's digest is SHA-256 over `LINE`: entitlement, household, person, payee, name, the parts of its amount, account (hashed), facts and
policy version; a reissued line's over `REISSUED`, which names the line it replaces. The roster's is SHA-256 over the canonical JSON of

    ["roster", place, programme, 清册 or 重发清册, first day, day after the last, number, policy version, lines, 分, lines' digest]

where the lines' digest is SHA-256 over the lines' digests one after another. So the same people and amounts of another quarter, place,
programme or supplementary roster have another digest, and whoever changes one of these columns is met at the next signature. A roster
compiled before 2026-12 bears the lines' digest alone; it is still known by it, and cannot be mistaken for one of the new form.

All in one statement a roster, whatever its length. `altered_lines` makes every line's digest again from the rows it was made of.
"""

from datetime import date
from typing import Any

from huimin.database.bulk import fetch_one
from huimin.kernel.digests import digest
from huimin.kernel.errors import Refusal
from huimin.payment.models import Roster


class RosterChanged(Refusal):
    """What is stored is not what was signed."""


LINE = """
sha256(convert_to(concat_ws('|', entitlement_id, household_id, person_id, payee_id, name, amount_fen, arrears_fen, withheld_fen,
       encode(account_hash, 'hex'), facts_digest, version), 'UTF8'))
"""
"""Of a draft, or of `_STORED`: columns of the line, its account's hash and its entitlement's policy version."""
REISSUED = """
sha256(convert_to(concat_ws('|', l.entitlement_id, l.household_id, l.person_id, {payee}, {name},
       l.amount_fen, encode(c.account_hash, 'hex'), l.facts_digest, {replaces}), 'UTF8'))
"""
"""Of the line `l` on account `c`."""

_SUMS = """
SELECT count(*)::int, coalesce(sum(amount_fen), 0)::bigint,
       encode(sha256(coalesce(string_agg({digest}, ''::bytea ORDER BY line_no), ''::bytea)), 'hex')
FROM {lines}
"""


def sums_of_draft(table: str, line_digest: str, only: str = "true") -> tuple[int, int, str]:
    """(lines, 分, the lines' digest) of lines that do not exist yet."""
    lines, fen, over = fetch_one(_SUMS.format(digest=line_digest, lines=f"{table} WHERE {only}"))
    return lines, fen, over


def digest_of(roster: dict[str, Any], lines: int, amount_fen: int, over: str) -> str:
    """From the columns of a roster, what its lines come to and their digest."""
    days: list[date] = [roster["period_from"], roster["period_until"]]
    return digest([
        "roster", roster["division"], roster["programme"], str(roster["kind"]), *days, roster["number"], roster["version"],
        lines, amount_fen, over,
    ])  # fmt: skip


_COLUMNS = ("division", "programme", "kind", "period_from", "period_until", "number", "version")


def is_unchanged(roster: Roster) -> bool:
    """Whether the stored roster and lines are the ones its digest was made over."""
    lines, fen, over = fetch_one(
        _SUMS.format(digest="digest", lines="payment_rosterline WHERE roster_id = %s"), [roster.pk]
    )
    if (lines, fen) != (roster.lines_count, roster.amount_fen):
        return False
    return roster.digest in (digest_of({name: getattr(roster, name) for name in _COLUMNS}, lines, fen, over), over)


def require_unchanged(roster: Roster) -> None:
    """RosterChanged when it is not."""
    if not is_unchanged(roster):
        raise RosterChanged("清册内容与编制时的摘要不符", why="数据可能被改动", remedy="请停止办理并报告监督员核查")


_ALTERED = f"""
SELECT count(*)::int FROM (
    SELECT l.digest, l.replaces_id, {REISSUED.format(payee="l.payee_id", name="l.name", replaces="l.replaces_id")} AS again_reissued,
           l.entitlement_id, l.household_id, l.person_id, l.payee_id, l.name, l.amount_fen, l.arrears_fen, l.withheld_fen,
           c.account_hash, l.facts_digest, e.version
    FROM payment_rosterline l JOIN registry_card c ON c.id = l.card_id JOIN casework_entitlement e ON e.id = l.entitlement_id) s
WHERE digest IS DISTINCT FROM CASE WHEN replaces_id IS NULL THEN {LINE} ELSE again_reissued END
"""  # noqa: S608


def altered_lines() -> int:
    """Lines seen from here whose digest is not that of their rows; one statement."""
    [count] = fetch_one(_ALTERED)
    return int(count)
