"""What the demonstration prints and writes: the table of the steps, the comparisons, `demo-out/`.

`summary.json` holds the figures of the whole quarter, counted in the database at the end, so that running the
demonstration again gives the same ones.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.db import connections
from rich.console import Console
from rich.table import Table

from huimin.demo.recount import Comparison
from huimin.kernel.money import yuan

_COUNTS = {
    "people": "SELECT count(*) FROM registry_person",
    "households": "SELECT count(*) FROM registry_household",
    "divisions": "SELECT count(*) FROM divisions_division WHERE level < 15",
    "groups": "SELECT count(*) FROM divisions_division WHERE level = 15",
    "work_items": "SELECT count(*) FROM registry_workitem",
    "proposals": "SELECT count(*) FROM screening_proposal",
    "entitlements": "SELECT count(*) FROM casework_entitlement",
    "roster_lines": "SELECT count(*) FROM payment_rosterline l JOIN payment_roster r ON r.id = l.roster_id"
    " WHERE r.kind = 'base' AND r.state <> 'withdrawn'",
    "roster_fen": "SELECT sum(l.amount_fen) FROM payment_rosterline l JOIN payment_roster r ON r.id = l.roster_id"
    " WHERE r.kind = 'base' AND r.state <> 'withdrawn'",
    "withheld_lines": "SELECT count(*) FROM payment_rosterline WHERE state = 'withheld'",
    "sent_lines": "SELECT count(*) FROM payment_instruction WHERE state <> 'cancelled'",
    "sent_fen": "SELECT sum(amount_fen) FROM payment_instruction WHERE state <> 'cancelled'",
    "paid_lines": "SELECT count(*) FROM payment_instruction WHERE state = 'paid'",
    "paid_fen": "SELECT sum(amount_fen) FROM payment_instruction WHERE state = 'paid'",
    "returned_lines": "SELECT count(*) FROM payment_instruction WHERE state = 'returned'",
    "returned_fen": "SELECT sum(amount_fen) FROM payment_instruction WHERE state = 'returned'",
    "reissued_lines": "SELECT count(*) FROM payment_rosterline WHERE replaces_id IS NOT NULL",
    "exceptions": "SELECT count(*) FROM payment_paymentexception",
    "open_exceptions": "SELECT count(*) FROM payment_paymentexception WHERE state = 'open'",
    "refusals": "SELECT count(*) FROM audit_event WHERE kind = 'refused'",
    "changes_recorded": "SELECT count(*) FROM audit_change",
}


def counted() -> dict[str, int]:
    """The figures of the quarter, each by one plain count."""
    figures = {}
    with connections["maintenance"].cursor() as cursor:
        for name, statement in _COUNTS.items():
            cursor.execute(statement)
            figures[name] = int(cursor.fetchone()[0] or 0)
    return figures


def step_line(title: str, figures: dict[str, Any], seconds: float) -> str:
    """`筛查  建议 12,345 · 8,123,456.00 元 · 1.2 秒 · 10,287/秒`, from the counts and the money of a step; the rate is of the largest count."""
    parts = [f"{_WORDS.get(name, name)} {value:,}" for name, value in figures.items() if _is_count(name, value)]
    if "amount_fen" in figures:
        parts.append(f"{yuan(figures['amount_fen'] or 0)} 元")
    parts.append(f"{seconds:.1f} 秒")
    most = max((value for name, value in figures.items() if _is_count(name, value)), default=0)
    if most and seconds > 0.05:
        parts.append(f"{most / seconds:,.0f}/秒")
    return f"{title}：" + " · ".join(parts)


def _is_count(name: str, value: Any) -> bool:
    return isinstance(value, int) and not name.endswith("_fen")


_WORDS = {
    "divisions": "区划", "offices": "机构", "accounts": "账号", "appointments": "任职", "households": "户",
    "people": "人", "cards": "卡", "work_items": "待核事项", "rejects": "证件有误", "programmes": "项目",
    "proposals": "建议", "unknown": "还不能判断", "entitlements": "待遇", "dues": "应发", "rosters": "清册", "lines": "行",
    "notices": "公示", "rows": "公示行", "objections": "异议", "upheld": "成立", "signed": "已签", "added": "新增户",
    "withheld_lines": "缓发", "confirmed": "已核", "applications": "拨款申请", "batches": "批次", "not_yet_transferred":
    "未拨付", "instructions": "指令", "paid_lines": "已发", "returned_lines": "退回", "exceptions": "异常",
    "open_exceptions": "待处理", "corrections": "更正账户", "reissued_lines": "重发", "unknown_lines": "处理中",
    "sent_lines": "在途", "cancelled_lines": "撤销", "looks": "查看完整信息", "seals": "新封印", "sealed": "封印记录", "pages": "页",
    "asked": "申请", "samples": "抽查名单", "sampled": "名单件数", "checks": "已检查", "wrong_checks": "查出问题", "forms": "入户表", "signals": "预警", "pairs": "相似的档案", "merges": "并档",
    "declarations": "申报", "courses": "培训", "papers": "纸质材料", "visits": "入户调查", "doubts": "疑点", "passed": "转下一步",
    "meetings": "评议会", "villages": "有代表名单的村", "photos": "公示照片", "lists": "长期公示", "letters": "文书", "delivered": "已送达",
    "certificates": "证件", "rechecks": "复核", "offers": "介绍就业", "appeals": "申诉", "items": "整治对象", "vouchers_reviewed": "审核凭证", "months_closed": "结账", "proof_differences": "三方差异", "reviewed": "已复核", "compared": "核对的乡镇", "beneficiaries": "发放对象", "unlike": "有差异",
}  # fmt: skip


def print_comparisons(console: Console, comparisons: list[Comparison]) -> None:
    table = Table(title="独立复核：每一项差额都应为 0", title_justify="left")
    for heading in ("项目", "本系统", "数额", "另一来源", "数额", "差额"):
        table.add_column(heading, justify="right" if heading in ("数额", "差额") else "left")
    for one in comparisons:
        table.add_row(
            one.what, one.ours_from, f"{one.ours:,}", one.theirs_from, f"{one.theirs:,}", f"{one.difference:,}"
        )
    console.print(table)


def write_summary(
    folder: Path, figures: dict[str, int], comparisons: list[Comparison], more: dict[str, Any]
) -> dict[str, Any]:
    """`summary.json`: the quarter's figures, the two differences that must be 0, seconds by step."""
    summary = {
        **figures,
        "ledger_difference_fen": sum(abs(c.difference) for c in comparisons if c.ours_from.startswith("账簿")),
        "bank_difference_fen": sum(abs(c.difference) for c in comparisons if "银行" in c.theirs_from or "文件" in c.theirs_from),
        "differences": sum(abs(c.difference) for c in comparisons),
        **more,
        "comparisons": [{**asdict(c), "difference": c.difference} for c in comparisons],
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "summary.json").write_text(json.dumps(summary, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return summary
