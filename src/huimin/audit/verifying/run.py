"""The whole verification in its order."""

import time
from pathlib import Path

from django.db import transaction

from huimin.audit.sealing import ALIAS, ChainBroken, count_unsealed, database_name, pin_session, seal, seal_key
from huimin.audit.verifying.chain import check_chain
from huimin.audit.verifying.report import Kind, Report
from huimin.audit.verifying.rows import check_guards, check_rows
from huimin.audit.verifying.values import check_values
from huimin.database import instance
from huimin.database.bulk import fetch_one, run
from huimin.database.heads import DamagedHeads, Heads, read_heads


def verify(*, heads_path: Path | None = None, flush: bool = True) -> Report:
    """Seal what can be sealed (unless `flush` is false), then check everything in one snapshot. Raises NoSealKey.

    It only reads besides sealing, and runs while people work: what they do meanwhile is not in the snapshot.
    """
    started, report, path = time.monotonic(), Report(), heads_path or instance.heads_file()
    if flush:
        _flush(report, path)
    heads = _heads(report, path)
    with transaction.atomic(using=ALIAS):
        run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY", using=ALIAS)
        pin_session()
        run("SET LOCAL work_mem = '256MB'", using=ALIAS)
        check_chain(report, seal_key(), database_name(), heads)
        check_rows(report)
        check_values(report)
        check_guards(report)
        report.unsealed_records = count_unsealed()
        _note_baselines(report)
    report.seconds = time.monotonic() - started
    return report


def _flush(report: Report, path: Path) -> None:
    """A chain that does not go with its heads cannot be sealed on; the checks that follow say why."""
    try:
        mended = seal(heads_path=path).mended_heads
        if mended:
            report.notices.append(f"链头文件缺少最后 {mended} 号，已按密钥核对后补记")
    except (ChainBroken, DamagedHeads) as broken:
        report.notices.append(f"没有继续封印：{broken}")


def _heads(report: Report, path: Path) -> Heads:
    try:
        heads = read_heads(path, database_name())
    except DamagedHeads as damaged:
        report.add(Kind.HEADS_DAMAGED, str(damaged))
        return Heads()
    report.notices += [f"链头文件记有更早的封印链，{at} 因新建数据库而止" for at in heads.retired]
    return heads


def _note_baselines(report: Report) -> None:
    count, last = fetch_one("SELECT count(*), max(at)::text FROM audit_change WHERE operation = 'B'", using=ALIAS)
    if count:
        report.notices.append(f"有 {count} 行数据重定过基线，最近一次在 {last}")
