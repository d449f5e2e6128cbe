"""Seals follow finished transactions in order, once, whatever happens between the database and the file (SEC-05)."""

import itertools
import threading
import time
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connections

from huimin.audit import sealing
from huimin.audit.sealing import ChainBroken, NoSealKey, count_unsealed, list_seals, seal
from huimin.audit.verifying import verify
from huimin.database.cluster import Cluster
from huimin.database.heads import DamagedHeads, append_heads, read_heads, retire
from tests.audit.conftest import Intruder
from tests.database.acting import VILLAGE, acting, add_household, maintenance


def add(*serials: int) -> None:
    """One transaction for each serial."""
    for serial in serials:
        with acting("341524", appointment="41"):
            add_household(VILLAGE, serial)


def test_nothing_recorded_makes_no_seal(database: str) -> None:
    assert seal().seals == 0
    assert list_seals(0, 10) == []


def test_sealing_again_does_nothing(database: str, heads_path: Path) -> None:
    add(1, 2)
    assert (seal().changes, seal().seals) == (2, 0)
    assert len(list_seals(0, 10)) == len(read_heads(heads_path, database).chain) == 1


def test_batches_hold_whole_transactions_and_meet(database: str) -> None:
    add(*range(7))
    with acting("341524"):
        for serial in range(100, 110):
            add_household(VILLAGE, serial)
    done = seal(batch=3)
    rows = list_seals(0, 100)
    assert [row.changes for row in rows] == [3, 3, 11]
    assert (done.seals, done.changes, done.unsealed) == (3, 17, 0)
    assert [row.number for row in rows] == [1, 2, 3]
    for before, after in itertools.pairwise(rows):
        assert (after.from_xid, after.previous) == (before.until_xid, before.mac)


def test_an_open_transaction_holds_back_what_came_after_it(database: str, cluster: Cluster) -> None:
    """Its records would otherwise be added to what is sealed."""
    add(1)
    with psycopg.connect(cluster.url(database)) as slow:
        slow.execute("INSERT INTO registry_household (household_no, division) VALUES ('slow', %s)", [VILLAGE])
        add(2)
        done = seal()
        assert (done.changes, done.unsealed) == (1, 1)
        slow.commit()
    done = seal()
    assert (done.changes, done.unsealed) == (2, 0)
    assert verify().ok


def test_a_transaction_with_savepoints_is_sealed_whole(database: str) -> None:
    from django.db import transaction

    with acting("341524"):
        add_household(VILLAGE, 1)
        with transaction.atomic():
            add_household(VILLAGE, 2)
    assert maintenance("SELECT count(DISTINCT xid) FROM audit_change") == [(1,)]
    assert seal(batch=1).seals == 1


def test_a_part_holds_4096_records(database: str) -> None:
    with acting("341524"):
        from huimin.registry.models import Household

        Household.objects.bulk_create(Household(household_no=f"n{i}", division=VILLAGE) for i in range(5000))
    seal()
    assert maintenance("SELECT part, length(leaves) / 40 FROM audit_sealpart ORDER BY part") == [(0, 4096), (1, 904)]
    assert verify().ok


def test_two_sealers_at_once_seal_once(database: str) -> None:
    add(*range(12))
    outcomes: list[int] = []

    def run() -> None:
        try:
            outcomes.append(seal(batch=2).seals)
        finally:
            connections["maintenance"].close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(outcomes) == 6 and len(outcomes) == 3
    assert [row.changes for row in list_seals(0, 20)] == [2] * 6
    assert verify().ok


def test_a_crash_between_database_and_file_is_mended(
    database: str, heads_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(1)
    seal()

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    add(2)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(sealing, "append_heads", crash)
        seal()
    assert (len(list_seals(0, 9)), len(read_heads(heads_path, database).chain)) == (2, 1)
    done = seal()
    assert (done.seals, done.mended_heads) == (0, 1)
    assert len(read_heads(heads_path, database).chain) == 2
    assert verify().ok


def test_a_crash_before_the_database_has_the_seal_leaves_nothing(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(1)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(sealing, "_add_seal", crash)
        seal()
    assert maintenance("SELECT (SELECT count(*) FROM audit_seal), (SELECT count(*) FROM audit_sealpart)") == [(0, 0)]
    assert seal().changes == 1


def test_a_line_cut_by_a_power_cut_is_written_again(database: str, heads_path: Path) -> None:
    add(1)
    seal()
    add(2)
    seal()
    whole = heads_path.read_bytes()
    heads_path.write_bytes(whole[:-30])
    assert seal().mended_heads == 1
    assert len(read_heads(heads_path, database).chain) == 2
    assert heads_path.read_bytes().count(b"\n") == whole.count(b"\n")


def test_nothing_is_sealed_on_a_chain_that_was_cut(history: str, intruder: Intruder) -> None:
    with intruder() as admin:
        admin.execute("DELETE FROM audit_sealpart; DELETE FROM audit_seal")
    add(50)
    with pytest.raises(ChainBroken, match="封印链与库外链头不符"):
        seal()
    assert list_seals(0, 9) == []


def test_nothing_is_sealed_on_a_seal_of_somebody_else(history: str, intruder: Intruder) -> None:
    with intruder() as admin:
        admin.execute(
            "INSERT INTO audit_seal (number, from_xid, until_xid, changes, content, previous, mac)"
            " SELECT number + 1, until_xid, until_xid, 0, content, mac, mac FROM audit_seal ORDER BY number DESC LIMIT 1"
        )
    with pytest.raises(ChainBroken, match="不是本系统所作"):
        seal()


def test_a_database_made_anew_begins_a_new_chain(history: str, heads_path: Path, intruder: Intruder) -> None:
    """The demonstration starts again under the same name; the earlier heads stay in the file as evidence."""
    before = heads_path.read_text()
    retire(heads_path, history, "新建数据库")
    with intruder() as admin:
        admin.execute("DELETE FROM audit_sealpart; DELETE FROM audit_seal")
    assert seal().seals == 1
    assert heads_path.read_text().startswith(before)
    report = verify()
    assert report.ok and any("更早的封印链" in notice for notice in report.notices)


def test_heads_of_other_databases_are_left_alone(history: str, heads_path: Path) -> None:
    assert read_heads(heads_path, "another").chain == {}
    retire(heads_path, "another", "新建数据库")
    assert '"another"' not in heads_path.read_text()


def test_a_damaged_heads_file_stops_sealing(history: str, heads_path: Path) -> None:
    kept = heads_path.read_text()
    heads_path.write_text("{\n" + kept)
    try:
        with pytest.raises(DamagedHeads, match="第 1 行"):
            seal()
        report = verify()
        assert report.counts["heads_damaged"] == 1
    finally:
        heads_path.write_text(kept)


def test_contradicting_heads_are_damage(history: str, heads_path: Path) -> None:
    kept = heads_path.read_text()
    first = read_heads(heads_path, history).chain[1]
    append_heads(heads_path, [type(first)(history, 1, first.until_xid, "00" * 32)])
    try:
        with pytest.raises(DamagedHeads, match="先后不一致"):
            read_heads(heads_path, history)
    finally:
        heads_path.write_text(kept)


def test_without_a_key_nothing_is_sealed(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "SEAL_KEY", "")
    with pytest.raises(NoSealKey, match="HUIMIN_SEAL_KEY"):
        seal()


def test_the_key_never_reaches_the_database(database: str, cluster: Cluster) -> None:
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as admin:
        admin.execute("ALTER SYSTEM SET log_statement = 'all'")
        admin.execute("SELECT pg_reload_conf()")
    try:
        time.sleep(0.3)
        add(1)
        seal()
        log = (cluster.home / "postgres.log").read_text(errors="replace")
        assert "audit_seal" in log
        assert settings.SEAL_KEY not in log
    finally:
        with psycopg.connect(cluster.url("postgres"), autocommit=True) as admin:
            admin.execute("ALTER SYSTEM RESET log_statement")
            admin.execute("SELECT pg_reload_conf()")


def test_sealing_is_fast_enough_for_millions(database: str) -> None:
    """5 million records in under two minutes, tried at 50,000 with a wide margin for a busy machine."""
    from huimin.registry.models import Household

    with acting("341524"):
        for start in range(0, 50_000, 10_000):
            Household.objects.bulk_create(
                Household(household_no=f"n{start + i}", division=VILLAGE) for i in range(10_000)
            )
    started = time.monotonic()
    assert seal().changes == 50_000
    assert time.monotonic() - started < 50_000 / 5_000_000 * 120 * 3
    assert count_unsealed() == 0
