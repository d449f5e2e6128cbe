"""Every way of tampering is found, and named (SEC-05, SEC-07)."""

import json
from datetime import date

import pytest
from click.testing import CliRunner
from django.conf import settings

from huimin.audit.cli import audit
from huimin.audit.rebaselining import rebaseline
from huimin.audit.sealing import list_seals, seal
from huimin.audit.verifying import Report, verify
from huimin.audit.verifying.report import FINDINGS_MAX, Kind
from huimin.database.personal import sealed
from huimin.kernel.errors import BadInput
from huimin.registry.models import Household, Person
from tests.audit.conftest import Intruder
from tests.database.acting import VILLAGE, acting, add_household, maintenance


def kinds(report: Report) -> dict[str, int]:
    return dict(report.counts)


def record_of(operation: str, offset: int = 0) -> int:
    rows = maintenance(
        "SELECT id FROM audit_change WHERE operation = %s ORDER BY id OFFSET %s LIMIT 1", operation, offset
    )
    return int(str(rows[0][0]))


def test_an_untouched_history_is_whole(history: str) -> None:
    report = verify()
    assert report.ok and report.findings == []
    assert (report.seals, report.sealed_records, report.unsealed_records, report.rows) == (3, 7, 0, 6)
    assert "未发现问题" in report.lines()[-1]


def test_verifying_seals_first_what_can_be_sealed(history: str) -> None:
    with acting("341524"):
        add_household(VILLAGE, 99)
    assert (verify(flush=False).unsealed_records, verify().unsealed_records, verify().sealed_records) == (1, 0, 8)


EDITS = {
    "before": 'before = \'{"closed_on": "2020-01-01"}\'',
    "after": 'after = \'{"closed_on": "2021-07-03"}\'',
    "digest": "digest = sha256('x')",
    "appointment": "appointment = 77",
    "request": "request = 'other'",
    "time": "at = at - interval '1 day'",
    "operation": "operation = 'I'",
    "row": "row_key = '99'",
    "table": "table_name = 'registry_card'",
    "division": "division = '341524101200'",
}


@pytest.mark.parametrize("change", EDITS.values(), ids=EDITS)
def test_an_edited_record_is_found(intruder: Intruder, change: str) -> None:
    record = record_of("U")
    with intruder() as admin:
        admin.execute(f"UPDATE audit_change SET {change} WHERE id = %s", [record])
    report = verify()
    [finding] = [found for found in report.findings if found.kind is Kind.RECORD_EDITED]
    assert (finding.record, finding.seal) == (record, 2)
    assert finding.who == (77 if "appointment" in change else 42)
    assert f"记录 {record}" in str(finding) and "变更记录被改动" in str(finding)


def test_a_removed_record_is_found(intruder: Intruder) -> None:
    record = record_of("I", 1)
    with intruder() as admin:
        admin.execute("DELETE FROM audit_change WHERE id = %s", [record])
    report = verify()
    assert kinds(report) == {"record_removed": 1, "row_unlogged": 1}
    assert report.findings[0].record == record


def test_an_inserted_record_is_found(intruder: Intruder) -> None:
    with intruder() as admin:
        admin.execute(
            "INSERT INTO audit_change (xid, table_name, row_key, operation, appointment, digest)"
            " SELECT xid, table_name, row_key, operation, 42, digest FROM audit_change ORDER BY id LIMIT 1"
        )
    [finding] = verify().findings
    assert (finding.kind, finding.table, finding.who, finding.seal) == (
        Kind.RECORD_INSERTED,
        "registry_household",
        42,
        1,
    )


def test_a_record_moved_to_another_transaction_is_found(intruder: Intruder) -> None:
    with intruder() as admin:
        admin.execute("UPDATE audit_change SET xid = (SELECT max(xid) FROM audit_change) WHERE operation = 'U'")
    assert kinds(verify()) == {"record_removed": 1, "record_inserted": 1}


def test_two_records_that_changed_places_are_found(intruder: Intruder) -> None:
    one, other = record_of("I", 0), record_of("I", 1)
    with intruder() as admin:
        admin.execute("UPDATE audit_change SET id = -1 WHERE id = %s", [one])
        admin.execute("UPDATE audit_change SET id = %s WHERE id = %s", [one, other])
        admin.execute("UPDATE audit_change SET id = %s WHERE id = -1", [other])
    assert kinds(verify()) == {"record_edited": 2}


def test_records_whose_kept_hashes_were_changed_too_are_still_found(intruder: Intruder) -> None:
    with intruder() as admin:
        admin.execute("UPDATE audit_change SET appointment = 77 WHERE operation = 'U'")
        admin.execute("UPDATE audit_sealpart SET leaves = substr(leaves, 1, 8) || sha256('x') WHERE seal_id = 2")
    assert kinds(verify()) == {"records_differ": 1}
    with intruder() as admin:
        admin.execute("DELETE FROM audit_sealpart WHERE seal_id = 2")
    assert kinds(verify()) == {"records_differ": 1}


@pytest.mark.parametrize(
    "change",
    ["changes = 9", "content = sha256('x')", "previous = sha256('x')", "mac = sha256('x')", "until_xid = '1'", "from_xid = '1'",
     "sealed_at = sealed_at - interval '1 day'"],
)  # fmt: skip
def test_an_edited_seal_is_found(intruder: Intruder, change: str) -> None:
    with intruder() as admin:
        admin.execute(f"UPDATE audit_seal SET {change} WHERE number = 2")
    assert any(found.kind is Kind.SEAL_EDITED and found.seal == 2 for found in verify().findings)


def test_a_removed_seal_is_found(intruder: Intruder) -> None:
    with intruder() as admin:
        admin.execute("DELETE FROM audit_sealpart WHERE seal_id = 2; DELETE FROM audit_seal WHERE number = 2")
    [finding] = [found for found in verify().findings if found.kind is Kind.SEAL_MISSING]
    assert finding.seal == 2


def test_seals_that_changed_places_are_found(intruder: Intruder) -> None:
    with intruder() as admin:
        for old, new in ((1, -1), (2, 1), (-1, 2)):
            admin.execute("UPDATE audit_seal SET number = %s WHERE number = %s", [new, old])
    edited = {found.seal for found in verify().findings if found.kind is Kind.SEAL_EDITED}
    assert edited == {1, 2}


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_seals_cut_off_at_the_end_are_found(intruder: Intruder, kept: int) -> None:
    """Together with the records under them: without the file outside the database nothing would be missing."""
    with intruder() as admin:
        admin.execute(
            "DELETE FROM audit_change WHERE xid >= coalesce((SELECT until_xid FROM audit_seal WHERE number = %s), '0')",
            [kept],
        )
        admin.execute("DELETE FROM audit_sealpart WHERE seal_id > %s", [kept])
        admin.execute("DELETE FROM audit_seal WHERE number > %s", [kept])
        admin.execute("DELETE FROM registry_household")
    report = verify()
    assert [found.seal for found in report.findings if found.kind is Kind.SEALS_CUT_OFF] == list(range(kept + 1, 4))
    assert any("没有继续封印" in notice for notice in report.notices)


def test_the_wrong_key_proves_nothing(history: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "SEAL_KEY", "00" * 32)
    assert kinds(verify()) == {"seal_edited": 3}


def test_a_seal_forged_without_the_key_is_found(intruder: Intruder) -> None:
    with intruder() as admin:
        admin.execute(
            "INSERT INTO audit_seal (number, from_xid, until_xid, changes, content, previous, mac)"
            " SELECT 4, until_xid, until_xid, 0, content, mac, sha256('guess') FROM audit_seal WHERE number = 3"
        )
    assert {found.seal for found in verify().findings} == {4}


def test_a_row_edited_around_the_log_is_found(intruder: Intruder) -> None:
    with intruder() as admin:
        admin.execute("UPDATE registry_household SET closed_on = '2021-09-09' WHERE household_no LIKE '%0003'")
    [finding] = verify().findings
    [(key,)] = maintenance("SELECT id::text FROM registry_household WHERE household_no LIKE '%%0003'")
    assert (finding.kind, finding.table, finding.row, finding.who) == (Kind.ROW_EDITED, "registry_household", key, 41)
    assert finding.at and "数据被绕过系统改动" in str(finding)


def test_a_row_added_around_the_log_is_found(intruder: Intruder) -> None:
    with intruder() as admin:
        admin.execute("INSERT INTO registry_household (household_no, division) VALUES ('ghost', %s)", [VILLAGE])
    assert kinds(verify()) == {"row_unlogged": 1}


def test_a_row_removed_around_the_log_is_found(intruder: Intruder) -> None:
    with intruder() as admin:
        admin.execute("DELETE FROM registry_household WHERE household_no LIKE '%0003'")
    assert kinds(verify()) == {"row_vanished": 1}


def test_a_row_removed_under_the_log_and_put_back_around_it_is_found(history: str, intruder: Intruder) -> None:
    with intruder() as admin:
        admin.execute("SET session_replication_role = origin")
        admin.execute("CREATE TEMP TABLE kept AS SELECT * FROM registry_household WHERE household_no LIKE '%0003'")
        admin.execute("DELETE FROM registry_household WHERE household_no LIKE '%0003'")
        assert verify().ok
        admin.execute("SET session_replication_role = replica")
        admin.execute("INSERT INTO registry_household SELECT * FROM kept")
    assert kinds(verify()) == {"row_unlogged": 1}


def test_a_null_inside_a_json_column_counts_as_content(database: str, intruder: Intruder) -> None:
    with acting("341524"):
        from huimin.audit.models import Event

        Event.objects.create(kind="refused", division=VILLAGE, detail={"a": None, "b": {"c": None}})
    assert verify().ok
    with intruder() as admin:
        admin.execute('UPDATE audit_event SET detail = \'{"a": null, "b": {}}\'')
    assert kinds(verify()) == {"row_edited": 1}


def test_an_exchanged_ciphertext_is_found(intruder: Intruder) -> None:
    """No record, no changed digest: but it no longer hashes to what stands beside it."""
    with acting("341524"):
        for number in ("341599195001011284", "341599195001011305"):
            encrypted, hashed = sealed(number, "id_number")
            Person.objects.create(
                name="汪某", division=VILLAGE, id_number_enc=encrypted, id_number_hash=hashed, sex="女", birth_date=date(1950, 1, 1)
            )  # fmt: skip
    assert verify().values == 2
    with intruder() as admin:
        admin.execute(
            "UPDATE registry_person p SET id_number_enc = o.id_number_enc FROM registry_person o WHERE o.id > p.id"
        )
    [finding] = verify().findings
    assert (finding.kind, finding.table) == (Kind.VALUE_EXCHANGED, "registry_person")
    with intruder() as admin:
        admin.execute("UPDATE registry_person SET id_number_enc = 'garbage'")
    assert kinds(verify()) == {"value_exchanged": 2}


def test_a_trigger_switched_off_is_found(intruder: Intruder) -> None:
    with intruder() as admin:
        admin.execute("ALTER TABLE registry_card DISABLE TRIGGER record_update")
        admin.execute("DROP TRIGGER record_insert ON registry_person")
    assert {(found.kind, found.table) for found in verify().findings} == {
        (Kind.GUARD_MISSING, "registry_card"),
        (Kind.GUARD_MISSING, "registry_person"),
    }


def test_a_new_nullable_column_breaks_nothing_and_another_needs_a_baseline(intruder: Intruder) -> None:
    with intruder() as admin:
        admin.execute("ALTER TABLE registry_household ADD COLUMN note text")
        assert verify().ok
        admin.execute("ALTER TABLE registry_household ADD COLUMN kind text NOT NULL DEFAULT 'farm'")
        assert kinds(verify()) == {"row_edited": 6}
        admin.execute("DELETE FROM registry_household WHERE household_no LIKE '%0004'")
        admin.execute("INSERT INTO registry_household (household_no, division) VALUES ('ghost', %s)", [VILLAGE])
    assert rebaseline("registry_household", "增加户别") == 5
    report = verify()
    assert kinds(report) == {"row_vanished": 1, "row_unlogged": 1}, "a baseline makes nothing else good"
    assert any("5 行数据重定过基线" in notice for notice in report.notices)
    assert rebaseline("registry_household", "再来一次") == 0
    with pytest.raises(BadInput, match="没有这张表"):
        rebaseline("registry_cattle", "x")


def test_many_findings_are_counted_and_the_first_listed(database: str, intruder: Intruder) -> None:
    with acting("341524"):
        Household.objects.bulk_create(
            Household(household_no=f"n{i}", division=VILLAGE) for i in range(FINDINGS_MAX + 200)
        )
    seal()
    with intruder() as admin:
        admin.execute("UPDATE audit_change SET appointment = 77 WHERE xid = (SELECT max(xid) FROM audit_change)")
    report = verify()
    assert report.counts["record_edited"] == FINDINGS_MAX + 200
    assert len(report.findings) == FINDINGS_MAX
    assert any("另有 200 处" in line for line in report.lines())


def test_verifying_changes_nothing(history: str) -> None:
    before = maintenance("SELECT max(id), count(*) FROM audit_change"), list_seals(0, 9)
    verify()
    verify()
    assert (maintenance("SELECT max(id), count(*) FROM audit_change"), list_seals(0, 9)) == before


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line stays on the test's database."""
    monkeypatch.setattr("huimin.audit.cli.use_instance", lambda: None)


def test_the_command_says_what_it_covered_and_ends_with_0(history: str, here: None) -> None:
    done = CliRunner().invoke(audit, ["verify"])
    assert (done.exit_code, "封印 3 个" in done.output, "未发现问题" in done.output) == (0, True, True)
    assert "尚未封印 0 条" in CliRunner().invoke(audit, ["seal"]).output


def test_the_command_names_what_it_found_and_ends_with_1(intruder: Intruder, here: None) -> None:
    with intruder() as admin:
        admin.execute("UPDATE audit_change SET appointment = 77 WHERE operation = 'U'")
    done = CliRunner().invoke(audit, ["verify"])
    assert done.exit_code == 1 and "变更记录被改动" in done.output and "任职 77" in done.output
    done = CliRunner().invoke(audit, ["verify", "--json"])
    data = json.loads(done.output)
    assert done.exit_code == 1 and data["ok"] is False and data["counts"] == {"record_edited": 1}
    assert data["findings"][0]["kind"] == "record_edited" and data["findings"][0]["who"] == 77


def test_the_command_takes_a_baseline_with_a_reason_only(history: str, here: None) -> None:
    assert CliRunner().invoke(audit, ["rebaseline", "registry_card"]).exit_code == 2
    assert "0 行" in CliRunner().invoke(audit, ["rebaseline", "registry_card", "--reason", "x"]).output
