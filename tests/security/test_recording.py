"""Every change leaves a record with who and why, whichever way it was made, and never a secret (SEC-05, SEC-04)."""

import json
from collections.abc import Callable
from datetime import date

import pytest
from django.db import ProgrammingError, connections

from huimin.database.bulk import copy_rows, run
from huimin.database.cluster import Cluster
from huimin.database.personal import sealed
from huimin.organisation.models import Account
from huimin.registry.models import CardCorrection, Household, Person
from tests.database.acting import VILLAGE, acting, add_household, maintenance, superuser

ID_NUMBER = "341599195001011284"


@pytest.fixture(autouse=True)
def blank(county: Callable[[str], str]) -> str:
    return county("blank")


def records(table: str) -> list[tuple[object, ...]]:
    return maintenance(
        "SELECT operation, row_key, division, appointment, request, before, after FROM audit_change"
        " WHERE table_name = %s ORDER BY id",
        table,
    )


def add_person(name: str = "汪梅梅") -> Person:
    encrypted, hashed = sealed(ID_NUMBER, "id_number")
    return Person.objects.create(
        name=name,
        division=VILLAGE,
        id_number_enc=encrypted,
        id_number_hash=hashed,
        sex="女",
        birth_date=date(1950, 1, 1),
    )


def test_one_row_added_and_changed() -> None:
    with acting("341524", appointment="41", request="r1"):
        household = add_household(VILLAGE, 1)
    with acting("341524", appointment="42", request="r2"):
        Household.objects.filter(pk=household.pk).update(closed_on=date(2021, 8, 1))
    assert records("registry_household") == [
        ("I", str(household.pk), VILLAGE, 41, "r1", None, None),
        ("U", str(household.pk), VILLAGE, 42, "r2", '{"closed_on": null}', '{"closed_on": "2021-08-01"}'),
    ]


def test_many_rows_at_once_leave_a_record_each() -> None:
    with acting("341524", appointment="41", request="bulk"):
        Household.objects.bulk_create(Household(household_no=f"n{i}", division=VILLAGE) for i in range(300))
        Household.objects.filter(division=VILLAGE).update(closed_on=date(2021, 8, 1))
    found = records("registry_household")
    assert [r[0] for r in found] == ["I"] * 300 + ["U"] * 300
    assert {r[3:5] for r in found} == {(41, "bulk")}


def test_rows_that_came_by_copy_leave_a_record_each() -> None:
    with acting("341524", appointment="41", request="copy"):
        copy_rows("incoming", [("no", "text")], [(f"n{i}",) for i in range(100)])
        assert (
            run("INSERT INTO registry_household (household_no, division) SELECT no, %s FROM incoming", [VILLAGE]) == 100
        )
    assert [r[:1] + r[3:5] for r in records("registry_household")] == [("I", 41, "copy")] * 100


def test_an_update_that_changes_nothing_leaves_no_record() -> None:
    with acting("341524"):
        add_household(VILLAGE, 1)
        assert Household.objects.update(closed_on=None) == 1
    assert len(records("registry_household")) == 1


def test_a_row_removed_by_the_highest_rights_is_recorded_whole(blank: str, cluster: Cluster) -> None:
    with acting("341524"):
        household = add_household(VILLAGE, 1)
    with superuser(cluster.url(blank), triggers=True) as admin:
        admin.execute("DELETE FROM registry_household")
    *_, (operation, key, place, who, _, before, _) = records("registry_household")
    assert (operation, key, place, who) == ("D", str(household.pk), VILLAGE, None)
    assert household.household_no in str(before)


def test_a_rolled_back_change_leaves_no_record() -> None:
    with pytest.raises(RuntimeError), acting("341524"):
        add_household(VILLAGE, 1)
        raise RuntimeError
    assert records("registry_household") == []


def test_ciphertext_is_never_in_the_log_and_its_hash_is() -> None:
    with acting("341524"):
        person = add_person()
        encrypted, hashed = sealed("341599195001011305", "id_number")
        Person.objects.filter(pk=person.pk).update(id_number_enc=encrypted, id_number_hash=hashed)
    added, changed = records("registry_person")
    assert set(json.loads(str(changed[6]))) == {"id_number_hash"}
    log = "".join(str(r) for r in maintenance("SELECT c::text FROM audit_change c"))
    assert hashed.hex() in log
    assert encrypted.hex() not in log and "id_number_enc" not in log and ID_NUMBER not in log
    assert added[6] is None


def test_a_key_rotation_leaves_no_record() -> None:
    """The same number encrypted anew is no change of business data."""
    with acting("341524"):
        person = add_person()
        Person.objects.filter(pk=person.pk).update(id_number_enc=sealed(ID_NUMBER, "id_number")[0])
    assert len(records("registry_person")) == 1


def test_password_hashes_are_never_in_the_log() -> None:
    with acting("341524"):
        account = Account.objects.create(username="u", full_name="李某", division=VILLAGE, password="argon2$one")
        Account.objects.filter(pk=account.pk).update(password="argon2$two")
        Account.objects.filter(pk=account.pk).update(password="argon2$three", must_change_password=False)
    found = records("organisation_account")
    assert [r[0] for r in found] == ["I", "U"]
    assert found[1][6] == '{"must_change_password": false}'
    assert "argon2" not in str(maintenance("SELECT c::text FROM audit_change c"))


def test_the_digest_does_not_depend_on_the_session(blank: str) -> None:
    """Times and bytes are written by the session's settings; a digest that followed them would cry wolf."""
    from huimin.audit.verifying import verify

    with acting("341524"):
        run("SET LOCAL timezone = 'Asia/Shanghai'")
        run("SET LOCAL bytea_output = 'escape'")
        run("SET LOCAL datestyle = 'German'")
        add_person()
    assert verify().findings == []


def test_the_application_cannot_write_the_log() -> None:
    row = "INSERT INTO audit_change (table_name, row_key, operation, digest) VALUES ('registry_card', '1', 'I', '')"
    seal = "INSERT INTO audit_seal (number, from_xid, until_xid, changes, content, previous, mac) VALUES (1, '0', '9', 0, '', '', '')"
    for statement in (
        row,
        seal,
        "UPDATE audit_change SET appointment = 1",
        "DELETE FROM audit_change",
        "DELETE FROM audit_seal",
    ):
        with pytest.raises(ProgrammingError, match="permission denied"), acting("341524"):
            run(statement)


def test_the_application_cannot_forge_records_with_a_trigger_of_its_own() -> None:
    """The log's function writes as its owner: on a temporary table with a known name it would write anything."""
    with pytest.raises(ProgrammingError, match="permission denied for function"), acting("341524"):
        run("CREATE TEMPORARY TABLE registry_card (id bigint, division text)")
        run(
            "CREATE TRIGGER forge AFTER INSERT ON pg_temp.registry_card REFERENCING NEW TABLE AS new_rows"
            " FOR EACH STATEMENT EXECUTE FUNCTION audit_record_change('id', 'division', '', '')"
        )


def test_the_application_cannot_switch_the_log_off() -> None:
    for statement in (
        "ALTER TABLE registry_household DISABLE TRIGGER record_insert",
        "SET session_replication_role = replica",
        "DROP TRIGGER record_insert ON registry_household",
        "ALTER TABLE registry_household DISABLE ROW LEVEL SECURITY",
        "SET ROLE huimin_owner",
        "CREATE OR REPLACE FUNCTION audit_record_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    ):
        with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"), acting("341524"):
            run(statement)


def test_maintenance_cannot_change_evidence() -> None:
    for table in ("audit_change", "audit_seal", "audit_sealpart"):
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET id = 1", f"TRUNCATE {table} CASCADE"):
            with pytest.raises(ProgrammingError, match="permission denied"):
                maintenance(statement)
    connections["maintenance"].close()


def test_the_owner_sees_no_rows_and_removes_none() -> None:
    """Forced row-level security binds the owner too; it migrates and does nothing else."""
    with acting("341524"):
        add_household(VILLAGE, 1)
    assert run("DELETE FROM registry_household", using="owner") == 0
    assert run("DELETE FROM audit_change", using="owner") == 0
    assert run("UPDATE audit_change SET appointment = 1", using="owner") == 0


def test_nobody_approves_what_he_proposed() -> None:
    """SEC-02, SEC-07: the database refuses it, whatever the command forgot."""
    from django.db import IntegrityError

    encrypted, hashed = sealed("6299000000000011284", "account")
    with pytest.raises(IntegrityError, match="correction_needs_two_people"), acting("341524"):
        CardCorrection.objects.create(
            division=VILLAGE, use="person", holder=add_person(), account_enc=encrypted, account_hash=hashed, account_tail="1284",
            account_name="汪梅梅", reason="换卡", proposed_by=7, proposed_on=date(2021, 9, 1), approved_by=7,
        )  # fmt: skip


def test_every_pair_of_steps_that_check_each_other_has_its_constraint() -> None:
    wanted = {
        "correction_needs_two_people", "release_by_another_person", "application_decided_by_another",
        "objection_answered_by_another", "one_person_one_post_at_a_time",
    }  # fmt: skip
    found = {name for (name,) in maintenance("SELECT conname::text FROM pg_constraint WHERE contype IN ('c', 'x')")}
    assert wanted <= found
