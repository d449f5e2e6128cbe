"""Past determinations come out again, and whatever was tampered with is named (DET-07)."""

from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner

from huimin.casework.cli import screen as group
from huimin.database.bulk import run
from huimin.demo.granting import county_officer
from huimin.organisation.acting import reading
from huimin.screening.commands import snapshot_path
from huimin.screening.models import Proposal, Run
from huimin.screening.proving import prove_run, prove_runs
from tests.screening.test_screening import again

At = Callable[[str], str]


@pytest.fixture
def decided(county: At) -> Run:
    county("decided")
    with reading(county_officer()):
        return Run.objects.get()


@pytest.fixture
def file(decided: Run) -> Iterator[bytes]:
    """The snapshot's bytes, put back afterwards: files are shared by all tests."""
    stored = snapshot_path(decided).read_bytes()
    yield stored
    snapshot_path(decided).write_bytes(stored)


def differences(row: Run) -> str:
    return "\n".join(prove_run(county_officer(), row.pk).differences)


def test_every_run_comes_out_again_after_everything_changed(decided: Run) -> None:
    """DET-07: also after decisions, changed facts, and a second run that kept and superseded."""
    run("UPDATE registry_householdfacts SET sown_land_mu = sown_land_mu + 100", using="maintenance")
    again()
    again()
    proofs = list(prove_runs(county_officer()))
    assert len(proofs) == 3
    assert all(proof.ok and proof.results for proof in proofs), [proof.differences for proof in proofs]
    assert proofs[2].run.kept == proofs[1].run.listed == proofs[2].results


def test_a_changed_amount_is_named_with_the_household(decided: Run) -> None:
    """DET-07: a proposal's amount, changed past the application."""
    with reading(county_officer()):
        one = Proposal.objects.select_related("household").order_by("pk")[0]
    run("UPDATE screening_proposal SET amount_fen = amount_fen + 100 WHERE id = %s", [one.pk], using="maintenance")
    told = differences(decided)
    assert one.household.household_no in told and one.programme in told


@pytest.mark.parametrize("column", ["kind = 'leave'", "failed = '{x}'", "version = 'x'", "facts_digest = 'x'"])
def test_any_changed_column_is_found(decided: Run, column: str) -> None:
    """DET-07: kind, grounds, version and facts count like the amount."""
    run(f"UPDATE screening_proposal SET {column} WHERE kind = 'unknown'", using="maintenance")
    assert "存的" in differences(decided)


def test_a_removed_and_an_added_proposal_are_found(decided: Run) -> None:
    """DET-07: rows that are missing or were never determined."""
    with reading(county_officer()):
        unknown = Proposal.objects.filter(kind="unknown").order_by("pk")[0]
    run("DELETE FROM screening_proposal WHERE id = %s", [unknown.pk], using="maintenance")
    assert "存的 没有" in differences(decided)
    unknown.pk, unknown.programme = None, "invented"
    unknown.save(using="maintenance", force_insert=True)
    assert "重算 没有" in differences(decided)


def test_a_changed_policy_text_is_found(decided: Run) -> None:
    """DET-07: the text of then was changed in place."""
    run("UPDATE policy_policytext SET text = replace(text, '0.9', '0.8')", using="maintenance")
    changed = run(
        "UPDATE policy_policytext SET text = regexp_replace(text, '数值: (\\d+) 元', '数值: 1\\1 元')",
        using="maintenance",
    )
    assert changed
    assert "政策版本" in differences(decided)


def test_a_changed_truncated_or_missing_file_is_said(decided: Run, file: bytes) -> None:
    """DET-07: one byte, half a file, no file, an empty file."""
    path = snapshot_path(decided)
    for damaged in (file[:-1] + bytes([file[-1] ^ 1]), file[: len(file) // 2], b"", b"\x09\x09"):
        path.write_bytes(damaged)
        assert "快照文件打不开" in differences(decided)
    path.unlink()
    assert "快照文件不在" in differences(decided)


def test_a_changed_digest_of_the_run_is_found(decided: Run) -> None:
    """DET-07: the run's own row."""
    run("UPDATE screening_run SET listed_sha256 = repeat('0', 64)", using="maintenance")
    assert "摘要与当时不同" in differences(decided)


def test_the_command_proves_all_and_exits_with_1_on_a_difference(decided: Run) -> None:
    """DET-07: `./huimin screen prove`."""
    told = CliRunner().invoke(group, ["prove"])
    assert told.exit_code == 0, told.output
    assert "全部与存下的相同" in told.output
    run("UPDATE screening_proposal SET previous_fen = 1 WHERE kind = 'unknown'", using="maintenance")
    told = CliRunner().invoke(group, ["prove", "--json"])
    assert told.exit_code == 1
    assert '"differences": ["户' in told.output
