"""The end of the demonstration: independent recount, the change log verified, no plain number anywhere, papers written.

in    the county after its last step; out `Proof`, and files in `demo-out/`
"""

import csv
import multiprocessing
import shutil
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django

from huimin.audit.scanning import scan_database, scan_files
from huimin.audit.verifying import verify
from huimin.database import instance
from huimin.demo import dates
from huimin.demo.bank import inbox, outbox
from huimin.demo.papers import write_papers
from huimin.demo.population import generate
from huimin.demo.quarter import County
from huimin.demo.recount import Comparison, compare
from huimin.demo.report import counted


@dataclass(frozen=True)
class Proof:
    """What was proved, and how much was read for it."""

    figures: dict[str, int]
    comparisons: list[Comparison]
    audit_ok: bool
    audit_line: str
    scan_ok: bool
    scan_line: str
    papers: dict[str, int]

    @property
    def ok(self) -> bool:
        return self.audit_ok and self.scan_ok and not any(c.difference for c in self.comparisons)

    def as_figures(self) -> dict[str, Any]:
        return {"audit_ok": self.audit_ok, "no_plain_numbers": self.scan_ok, "papers": self.papers}


def prove(county: County, out: Path) -> Proof:
    """Everything that must hold, tried."""
    shutil.rmtree(out, ignore_errors=True)
    papers = write_papers(county, out)
    _copy_bank_files(county, out / "bank")
    # Two processes: both the log's proof and the search are long in Python. All the second needs is in the environment.
    apart = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=apart, initializer=django.setup) as beside:
        scanning = beside.submit(_scan, county, out)
        report = verify()
        scanned = scanning.result()
    return Proof(
        figures=counted(),
        comparisons=compare(county),
        audit_ok=report.ok,
        audit_line=report.lines()[0] if report.ok else "\n".join(report.lines()),
        scan_ok=scanned[0],
        scan_line=scanned[1],
        papers=papers,
    )


def _copy_bank_files(county: County, folder: Path) -> None:
    for source, name in ((outbox(county), "sent"), (inbox(county), "answered")):
        shutil.copytree(source, folder / name)


def _scan(county: County, out: Path) -> tuple[bool, str]:
    """No identity number, account or phone in plain, but in what went to the bank and in the bank's own books."""
    plain = _plain_numbers(county)
    tables = scan_database(plain)
    banks = [county.home / "bank", out / "bank", *instance.home().glob("*/bank")]
    files = scan_files(plain, [out, instance.home()], but=[*banks, *_binary_folders()])
    ok = tables.ok and files.ok
    line = (
        f"明文扫描：{len(plain):,} 个证件号、账号、电话，{tables.tables} 张表、{files.files} 个文件，"
        f"发现 {tables.found + files.found} 处"
    )
    return ok, line if ok else "\n".join([line, *tables.places[:10], *files.places[:10]])


def _binary_folders() -> list[Path]:
    """The database's own files, which are scanned through its tables, and its programs; its log is scanned."""
    return [instance.home() / "postgres" / "data", instance.home() / "postgres" / "postgres"]


def _plain_numbers(county: County) -> set[str]:
    """Every identity number, account and phone there is: from the generator and from the files the bank opened."""
    population = generate(county.people, county.seed, instance.ROOT / "data" / "divisions.csv", dates.REGISTERED)
    values = set(population.people["id_number"].to_pylist()) | set(population.rejects["id_number"].to_pylist())
    values |= {phone for phone in population.households["phone"].to_pylist() if phone}
    for path in (county.home / "bank").glob("*accounts.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            values |= {row["account"] for row in csv.DictReader(file)}
    return {value for value in values if value[:-1].isdigit()}  # a number with a letter inside is nobody's
