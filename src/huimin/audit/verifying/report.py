"""What a verification found, in words for the supervisor and as data for programs."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

FINDINGS_MAX = 1000
"""As many findings of one kind are listed one by one; beyond that they are only counted."""


class Kind(StrEnum):
    """What is wrong; the value is how programs name it."""

    SEAL_MISSING = "seal_missing"
    SEAL_EDITED = "seal_edited"
    SEAL_UNLINKED = "seal_unlinked"
    SEALS_CUT_OFF = "seals_cut_off"
    HEADS_DAMAGED = "heads_damaged"
    RECORD_EDITED = "record_edited"
    RECORD_REMOVED = "record_removed"
    RECORD_INSERTED = "record_inserted"
    RECORDS_DIFFER = "records_differ"
    ROW_EDITED = "row_edited"
    ROW_UNLOGGED = "row_unlogged"
    ROW_VANISHED = "row_vanished"
    VALUE_EXCHANGED = "value_exchanged"
    GUARD_MISSING = "guard_missing"

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    Kind.SEAL_MISSING: "缺少封印",
    Kind.SEAL_EDITED: "封印被改动",
    Kind.SEAL_UNLINKED: "封印前后不相接",
    Kind.SEALS_CUT_OFF: "末尾的封印被删去",
    Kind.HEADS_DAMAGED: "库外链头损坏",
    Kind.RECORD_EDITED: "变更记录被改动",
    Kind.RECORD_REMOVED: "变更记录被删除",
    Kind.RECORD_INSERTED: "变更记录是后来插入的",
    Kind.RECORDS_DIFFER: "变更记录与封印不符",
    Kind.ROW_EDITED: "数据被绕过系统改动",
    Kind.ROW_UNLOGGED: "数据没有变更记录",
    Kind.ROW_VANISHED: "数据被绕过系统删除",
    Kind.VALUE_EXCHANGED: "加密内容与校验值不符",
    Kind.GUARD_MISSING: "记录变更的触发器缺失或停用",
}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. `record` is the id in audit_change, `who` the acting appointment's number."""

    kind: Kind
    what: str
    seal: int | None = None
    record: int | None = None
    table: str = ""
    row: str = ""
    at: str = ""
    who: int | None = None

    def __str__(self) -> str:
        place = [
            f"第 {self.seal} 号封印" if self.seal is not None else "",
            f"记录 {self.record}" if self.record is not None else "",
            f"表 {self.table}" if self.table else "",
            f"行 {self.row}" if self.row else "",
            f"时间 {self.at}" if self.at else "",
            f"任职 {self.who}" if self.who is not None else "",
        ]
        where = "，".join(part for part in place if part)
        return f"{self.kind.label}：{self.what}" + (f"（{where}）" if where else "")


@dataclass
class Report:
    """The outcome; `ok` when nothing was found. Counts say what was covered, `notices` what a person should know."""

    seals: int = 0
    sealed_records: int = 0
    unsealed_records: int = 0
    tables: int = 0
    rows: int = 0
    values: int = 0
    seconds: float = 0.0
    findings: list[Finding] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def ok(self) -> bool:
        return not self.counts

    def add(self, kind: Kind, what: str, **where: Any) -> None:
        """Count a finding, and list it while the list of its kind is not full."""
        self.counts[kind.value] += 1
        if self.counts[kind.value] <= FINDINGS_MAX:
            self.findings.append(Finding(kind, what, **where))

    def lines(self) -> list[str]:
        """The report as the command line prints it."""
        covered = (
            f"封印 {self.seals} 个，覆盖变更记录 {self.sealed_records} 条，未封印 {self.unsealed_records} 条；"
            f"核对 {self.tables} 张表 {self.rows} 行数据、{self.values} 个加密内容；用时 {self.seconds:.1f} 秒"
        )
        listed = Counter(finding.kind.value for finding in self.findings)
        more = [
            f"{Kind(kind).label}：另有 {count - listed[kind]} 处未逐一列出"
            for kind, count in self.counts.items()
            if count > listed[kind]
        ]
        end = "未发现问题" if self.ok else f"发现问题 {self.counts.total()} 处，请保存现场并报告监督部门"
        return [*map(str, self.findings), *more, *(f"提示：{notice}" for notice in self.notices), covered, end]

    def as_data(self) -> dict[str, Any]:
        """For `--json`."""
        plain = asdict(self)
        return plain | {"ok": self.ok, "counts": dict(self.counts)}
