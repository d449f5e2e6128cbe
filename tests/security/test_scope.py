"""Rows of other places are invisible and cannot be written, whatever the code above forgets (SEC-03)."""

from collections.abc import Callable
from datetime import date

import pytest
from django.db import ProgrammingError, connection, transaction

from huimin.database.bulk import copy_rows, run
from huimin.divisions.models import Division
from huimin.funds.models import Allotment
from huimin.registry.models import Household, Person
from tests.database.acting import OTHER_VILLAGE, TOWNSHIP, VILLAGE, acting, add_household, maintenance


@pytest.fixture(autouse=True)
def blank(county: Callable[[str], str]) -> str:
    return county("blank")


def numbers() -> list[str]:
    return sorted(Household.objects.values_list("household_no", flat=True))


@pytest.fixture
def two_villages() -> None:
    with acting("341524"):
        add_household(VILLAGE, 1)
        add_household(OTHER_VILLAGE, 1)


def test_rows_of_another_township_are_invisible(two_villages: None) -> None:
    with acting("341524100"):
        assert numbers() == [f"{VILLAGE}0001"]
    with acting("341524101"):
        assert numbers() == [f"{OTHER_VILLAGE}0001"]
    with acting("341524"):
        assert len(numbers()) == 2


def test_rows_of_another_township_cannot_be_written(two_villages: None) -> None:
    with pytest.raises(ProgrammingError, match="row-level security"), acting("341524100"):
        add_household(OTHER_VILLAGE, 2)
    with acting("341524100"):
        assert Household.objects.filter(division=OTHER_VILLAGE).update(closed_on=date(2021, 7, 1)) == 0
    with pytest.raises(ProgrammingError, match="row-level security"), acting("341524100"):
        Household.objects.filter(division=VILLAGE).update(division=OTHER_VILLAGE)
    assert maintenance("SELECT count(*) FROM registry_household WHERE closed_on IS NOT NULL") == [(0,)]


def test_a_set_loaded_by_copy_meets_the_same_policy() -> None:
    with pytest.raises(ProgrammingError, match="row-level security"), acting("341524100"):
        copy_rows("incoming", [("no", "text"), ("place", "text")], [("1", VILLAGE), ("2", OTHER_VILLAGE)])
        run("INSERT INTO registry_household (household_no, division) SELECT no, place FROM incoming")
    assert maintenance("SELECT count(*) FROM registry_household") == [(0,)]


def test_an_empty_setting_shows_nothing_also_on_a_reused_connection(two_villages: None) -> None:
    """A policy that compares with LIKE fails open here: after a transaction the setting is '' and not unset."""
    with acting("341524"):
        first = connection.connection.info.backend_pid
        assert len(numbers()) == 2
    with transaction.atomic():
        assert connection.connection.info.backend_pid == first
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('app.scope_from', true), current_setting('app.audience', true)")
            assert cursor.fetchone() == ("", "")
        assert numbers() == []
    assert numbers() == []
    with pytest.raises(ProgrammingError, match="row-level security"):
        add_household(VILLAGE, 9)


@pytest.mark.parametrize("missing", ["scope_from", "scope_to", "audience"])
def test_each_empty_setting_alone_shows_nothing(two_villages: None, missing: str) -> None:
    with acting("341524"), connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, '', true)", [f"app.{missing}"])
        assert numbers() == []


def test_a_rolled_back_transaction_leaves_no_scope(two_villages: None) -> None:
    with pytest.raises(RuntimeError), acting("341524"):
        raise RuntimeError
    assert numbers() == []


def test_a_prefix_is_cut_by_level_and_never_by_zeros() -> None:
    """The village 341524100200 ends in zeros; stripped to 3415241002 it would see 341524100201 to 341524100299."""
    with acting("341524"):
        for place in ("341524100200", "341524100201", "341524100200001"):
            add_household(place, 1)
    with acting("341524100200"):
        assert numbers() == ["3415241002000001", "3415241002000010001"]
    with acting("341524100200001"):
        assert numbers() == ["3415241002000010001"]


def test_a_county_code_is_not_the_prefix_of_its_neighbours() -> None:
    with acting("34"):
        add_household("341523100200", 1)
        add_household("341524100200", 1)
        add_household("341525100200", 1)
    with acting("341524"):
        assert numbers() == ["3415241002000001"]


def test_the_chain_class_is_seen_from_below_and_written_from_above() -> None:
    given = {"programme": "dibao", "year": 2021, "amount_fen": 100, "received_by": 1, "received_on": date(2021, 1, 1)}
    with acting("34"):
        Allotment.objects.create(division="341524000000", document_no="县", **given)
        Allotment.objects.create(division=TOWNSHIP, document_no="镇", **given)
        Allotment.objects.create(division="341524101000", document_no="邻镇", **given)
        Allotment.objects.create(division="341523000000", document_no="邻县", **given)
    with acting("341524100201", division=VILLAGE):
        assert set(Allotment.objects.values_list("document_no", flat=True)) == {"县", "镇"}
    with pytest.raises(ProgrammingError, match="row-level security"), acting("341524100201", division=VILLAGE):
        Allotment.objects.filter(document_no="县").update(confirmed_on=None)
    with acting("341524"):
        assert Allotment.objects.filter(document_no="县").update(confirmed_on=None) == 1


def test_open_tables_are_read_everywhere_and_written_in_place_only() -> None:
    place = {"name": "某镇", "level": 9, "parent": "341524000000", "valid_from": date(2021, 1, 1)}
    with acting("341524"):
        Division.objects.create(code=TOWNSHIP, **place)
    with acting("341523"):
        assert Division.objects.count() == 1
    with pytest.raises(ProgrammingError, match="row-level security"), acting("341523"):
        Division.objects.update(valid_to=date(2022, 1, 1))
    with pytest.raises(ProgrammingError, match="row-level security"), acting("341523"):
        Division.objects.create(code="341524101000", **place)
    assert Division.objects.count() == 0


def test_citizens_and_strangers_see_nothing_of_the_registry(two_villages: None) -> None:
    for audience in ("citizen", "bank", "nobody"):
        with acting("341524", audience=audience):
            assert numbers() == [] and Person.objects.count() == 0


def test_nothing_can_be_removed(two_villages: None) -> None:
    for table in ("registry_household", "audit_change"):
        for statement in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
            with pytest.raises(ProgrammingError, match="permission denied"), acting("341524"):
                run(statement)


def test_columns_that_are_frozen_cannot_be_changed(two_villages: None) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), acting("341524"):
        Household.objects.update(household_no="x")
