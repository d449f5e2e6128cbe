"""The demonstration's papers: what there is, and no plain number in any of it (PAY-01, PAY-02, PAY-07, SEC-04)."""

import csv
from pathlib import Path

from huimin.audit.scanning import scan_files
from huimin.database.bulk import fetch
from huimin.database.personal import ACCOUNT, ID_NUMBER, PHONE, plain
from huimin.demo import papers
from huimin.demo.papers import write_papers
from huimin.demo.quarter import County
from huimin.kernel.money import yuan_plain
from huimin.organisation.acting import Actor, reading
from huimin.payment.counting import with_sums
from huimin.payment.models import Roster
from tests.stages import PEOPLE, SEED


def _numbers(by: Actor) -> set[str]:
    """Every identity number, account and phone, out of the database."""
    columns = (
        ("SELECT id_number_enc FROM registry_person", ID_NUMBER),
        ("SELECT account_enc FROM registry_card", ACCOUNT),
        ("SELECT phone_enc FROM registry_householdfacts WHERE phone_enc IS NOT NULL", PHONE),
    )
    with reading(by):
        return {plain(value, purpose) for query, purpose in columns for (value,) in fetch(query)}


def test_papers_are_written_counted_and_hold_no_plain_number(officer: Actor, tmp_path: Path) -> None:
    """SEC-04: the scan reads workbooks and the text of PDFs; 明白卡, 清册 and 公示 of one place are there."""
    counts = write_papers(County(people=PEOPLE, seed=SEED, home=tmp_path / "home"), tmp_path / "out")
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert counts["files"] == len(files) and counts["pages"] >= counts["statements_pages"] > 0
    with reading(officer):
        rosters = with_sums(Roster.objects.order_by("pk"))
    assert len(list((tmp_path / "out/rosters").glob("*.xlsx"))) == len(rosters)
    assert len(list((tmp_path / "out/rosters").glob("*.pdf"))) == 3
    assert len(list((tmp_path / "out/notices").glob("*.pdf"))) == counts["notices_files"] > 0
    with (tmp_path / "out/rosters/summary.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["应付金额（元）"] for row in rows] == [yuan_plain(roster.sums.amount_fen) for roster in rosters]
    numbers = _numbers(officer)
    report = scan_files(numbers, [tmp_path / "out"])
    assert report.files == len(files) and report.ok, report.places


def test_a_large_county_writes_the_papers_of_one_short_township(
    officer: Actor, tmp_path: Path, monkeypatch: object
) -> None:
    """PAY-01: 700,000 people stay within seconds: only one township's papers, the shortest when the first is long."""
    monkeypatch.setattr(papers, "LINES_MAX", 0)  # type: ignore[attr-defined]
    monkeypatch.setattr(papers, "WORKBOOK_LINES_MAX", 0)  # type: ignore[attr-defined]
    write_papers(County(people=PEOPLE, seed=SEED, home=tmp_path / "home"), tmp_path)
    with reading(officer):
        shortest = fetch("SELECT count(*) FROM payment_roster GROUP BY division ORDER BY sum(lines_count), division")
    workbooks, prints = (list((tmp_path / "rosters").glob(f"*.{kind}")) for kind in ("xlsx", "pdf"))
    assert len(workbooks) == len(prints) <= 3 and len({path.stem.split("-")[0] for path in prints}) == 1
    assert len(prints) in {count for (count,) in shortest}
