"""Bulk load: what is new comes in once, what clashes waits whole and encrypted (REG-01, REG-04, SEC-04)."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from django.db import connections

from huimin.database.personal import ACCOUNT, ID_NUMBER, PAYLOAD, keyring, plain
from huimin.demo.actors import actor
from huimin.demo.population.numbers import as_text, identity_numbers
from huimin.kernel.errors import BadInput
from huimin.kernel.facts import HOUSEHOLD_FACTS, PERSON_FACTS, Fact, Kind
from huimin.organisation.acting import NotYourPlace, NotYourPost, reading
from huimin.organisation.posts import Post
from huimin.registry.commands import load_population
from huimin.registry.models import (
    ELSEWHERE,
    Card,
    Household,
    HouseholdFacts,
    Membership,
    Person,
    PersonFacts,
    WorkItem,
)
from tests.registry.people import DAY, officer

VILLAGE = "341524100002"
NUMBERS = as_text(identity_numbers(np.array([4000, 5000, 6000, 20]), np.array([1, 0, 1, 0]))).to_pylist()


def _type(fact: Fact) -> pa.DataType:
    kinds = {Kind.FLAG: pa.bool_(), Kind.DATE: pa.date32(), Kind.CHOICE: pa.string()}
    return kinds.get(fact.kind, pa.int64())


def households(*rows: dict) -> pa.Table:
    schema = [(name, pa.string()) for name in ("household_no", "division", "address", "phone")]
    return pa.Table.from_pylist(list(rows), pa.schema(schema + [(f.code, _type(f)) for f in HOUSEHOLD_FACTS]))


def people(*rows: dict) -> pa.Table:
    schema = [("household", pa.int64()), ("name", pa.string()), ("id_number", pa.string())]
    return pa.Table.from_pylist(list(rows), pa.schema(schema + [(f.code, _type(f)) for f in PERSON_FACTS]))


def cards(*rows: dict) -> pa.Table:
    types = {"account": pa.string(), "holder": pa.int64(), "household": pa.int64()}
    return pa.Table.from_pylist(list(rows), pa.schema([*types.items(), ("kind", pa.string()), ("state", pa.string())]))


def home(serial: int = 1, **more: object) -> dict:
    return {"household_no": f"{VILLAGE}-9{serial:03d}", "division": VILLAGE, "address": "金寨县梅山镇某村1号", **more}


def person(number: str, household: int = 0, **more: object) -> dict:
    return {"household": household, "name": "张三", "id_number": number, "relation": "户主", **more}


def card(account: str, holder: int = 0, household: int = 0, **more: object) -> dict:
    return {
        "account": account,
        "holder": holder,
        "household": household,
        "kind": "household",
        "state": "active",
        **more,
    }


def load(h, p, c=None, by=None):
    return load_population(by=by or officer(), on=DAY, households=h, people=p, cards=c if c is not None else cards())


def stored(model, **which):
    with reading(officer()):
        return list(model.objects.filter(**which).order_by("id"))


def counts():
    with reading(officer()):
        return [m.objects.count() for m in (Household, HouseholdFacts, Person, PersonFacts, Membership, Card, WorkItem)]


def test_columns_are_the_fact_dictionary():
    """REG-01: no fact without a column, no column without a fact."""
    technical = {"id", "household", "person", "division", "valid_from", "valid_to", "recorded_from", "recorded_to"}
    technical |= {"evidence", "reported_by", "address_enc", "address_hash", "phone_enc", "phone_hash", "added"}
    columns = {field.name for field in HouseholdFacts._meta.fields} - technical
    assert columns == {fact.code for fact in HOUSEHOLD_FACTS}
    columns = {field.name for field in PersonFacts._meta.fields} - technical
    assert columns == {fact.code for fact in PERSON_FACTS} - set(ELSEWHERE)
    assert {"sex", "birth_date"} <= {field.name for field in Person._meta.fields}


def test_new_households_come_in_and_nothing_twice(county):
    county("organised")
    h = households(home(phone="16001234567", hukou="农业", contract_land_mu=325, deposits=None))
    p = people(person(NUMBERS[0], sex="男", wage_month=0), person(NUMBERS[1].lower(), relation="配偶", name="单 雪"))
    report = load(h, p, cards(card("6299990000000000011")))
    assert (report.households, report.people, report.cards, report.work_items) == (1, 2, 1, {})
    before = counts()
    again = load(h, p, cards(card("6299990000000000011")))
    assert (again.households, again.unchanged, again.people, again.cards, again.work_items) == (0, 1, 0, 0, {})
    assert counts() == before
    [facts] = stored(HouseholdFacts)
    assert (facts.contract_land_mu, facts.deposits, facts.hukou, facts.valid_from) == (325, None, "农业", DAY)
    head, wife = stored(Person)
    assert plain(head.id_number_enc, ID_NUMBER) == NUMBERS[0]
    assert bytes(head.id_number_hash) == keyring().lookup(NUMBERS[0], ID_NUMBER)
    assert wife.sex == "女" and wife.name_pinyin.startswith("shan")
    [issued] = stored(Card)
    assert plain(issued.account_enc, ACCOUNT) == "6299990000000000011" and issued.account_name == "张三"


def test_many_rows_take_no_more_statements_than_few(county):
    """A load is sets, not loops."""
    county("organised")
    numbers = as_text(identity_numbers(np.arange(4000, 4060), np.ones(60, np.int64))).to_pylist()
    counted = []
    for first, count in ((0, 1), (1, 50)):
        statements = []

        def count_one(execute, *rest, said=statements):
            said.append(1)
            return execute(*rest)

        h = households(*(home(serial) for serial in range(first, first + count)))
        p = people(*(person(numbers[first + row], row) for row in range(count)))
        with connections["default"].execute_wrapper(count_one):
            assert load(h, p).people == count
        counted.append(len(statements))
    assert counted[0] == counted[1] < 50


def test_every_kind_of_clash_waits_whole(county):
    """REG-04: bad number, same person, shared card, second card, card without holder: nothing lost, nothing guessed."""
    county("organised")
    bad = NUMBERS[3][:17] + ("1" if NUMBERS[3][17] == "0" else "0")
    h = households(home(1), home(2))
    p = people(
        person(NUMBERS[0]),
        person(NUMBERS[1], 1, name="李四"),
        person(NUMBERS[0], 1, relation="子"),
        person(bad, 1, relation="女", name="王五", wage_month=100),
        person(NUMBERS[2], 1, relation="子", sex="女", name="赵六"),
    )
    c = cards(
        card("6299990000000000011"),
        card("6299990000000000011", 1, 1),
        card("6299990000000000012"),
        card("6299990000000000013", 3, 1),
    )
    report = load(h, p, c)
    assert (report.households, report.people, report.cards) == (2, 2, 1)
    assert report.work_items == {
        "bad_identity": 2, "same_person": 1, "shared_card": 1, "second_card": 1, "card_without_holder": 1,
    }  # fmt: skip
    items = {item.kind: item for item in stored(WorkItem) if "王" in item.summary or item.kind != "bad_identity"}
    kept = json.loads(plain(items["bad_identity"].payload_enc, PAYLOAD))
    assert (kept["id_number"], kept["wage_month"], kept["household_no"]) == (bad, 100, f"{VILLAGE}-9002")
    assert json.loads(plain(items["card_without_holder"].payload_enc, PAYLOAD))["account"] == "6299990000000000013"
    assert f"{VILLAGE}-9001" in items["same_person"].summary
    summaries = " ".join(item.summary for item in stored(WorkItem))
    assert not any(value in summaries for value in (bad, NUMBERS[0], "6299990000000000011", "王五"))
    assert any("性别与证件号码不符" in item.summary for item in stored(WorkItem, kind="bad_identity"))


def test_a_person_of_another_township_is_a_clash_without_being_shown(county):
    """REG-04, SEC-03: the same number elsewhere is found across the county, its household is not told."""
    county("organised")
    load(households(home(1)), people(person(NUMBERS[0])))
    with reading(officer()):
        from huimin.divisions.queries import list_villages

        village = list_villages("341524101000", DAY)[0].code
    clerk = actor(Post.CLERK, "341524101000")
    mine = households({**home(1), "household_no": f"{village}-9001", "division": village})
    report = load(mine, people(person(NUMBERS[0])), by=clerk)
    assert (report.households, report.people, report.work_items) == (1, 0, {"same_person": 1})
    [item] = stored(WorkItem)
    assert "本辖区以外" in item.summary and VILLAGE not in item.summary and item.person_id is None


@pytest.mark.parametrize(
    ("change", "where", "what"),
    [
        ({"h": [home(1), home(1)]}, "户表第 2 行", "重复"),
        ({"h": [home(1, division="341524100999")]}, "户表第 1 行", "没有村"),
        ({"h": [home(1, hukou="居民")]}, "户表第 1 行", "户籍类型"),
        ({"h": [home(1), {**home(2), "household_no": None}]}, "户表第 2 行", "户编号为空"),
        ({"p": [person(NUMBERS[0]), person(NUMBERS[1], 7)]}, "人员表第 2 行", "所属的户"),
        ({"p": [person(NUMBERS[0], name="")]}, "人员表第 1 行", "姓名"),
        ({"p": [person(NUMBERS[0], relation=None)]}, "人员表第 1 行", "户主关系"),
        ({"p": [person(NUMBERS[0], labour="很强")]}, "人员表第 1 行", "劳动能力"),
        ({"c": [card("12ab")]}, "卡表第 1 行", "账号"),
        ({"c": [card("6299990000000000011", holder=3)]}, "卡表第 1 行", "持卡人"),
        ({"c": [card("6299990000000000011", state="frozen")]}, "卡表第 1 行", "state"),
    ],
)
def test_an_unusable_table_is_refused_whole(shared_county, change, where, what):
    shared_county("organised")
    h, p, c = change.get("h", [home(1)]), change.get("p", [person(NUMBERS[0])]), change.get("c", [])
    with pytest.raises(BadInput, match=what) as wrong:
        load(households(*h), people(*p), cards(*c))
    assert wrong.value.where == where
    assert counts() == [0] * 7


def test_missing_columns_are_listed(shared_county):
    """REG-01: 缺项漏项 are refused with the list of what is missing."""
    shared_county("organised")
    with pytest.raises(BadInput, match="户籍类型、存款"):
        load(households(home(1)).drop_columns(["hukou", "deposits"]), people(person(NUMBERS[0])))


def test_post_and_place(shared_county):
    shared_county("organised")
    h, p = households(home(1)), people(person(NUMBERS[0]))
    with pytest.raises(NotYourPost):
        load(h, p, by=actor(Post.REVIEWER, "341524100000"))
    with pytest.raises(NotYourPlace):
        load(h, p, by=actor(Post.CLERK, "341524101000"))
    with pytest.raises(NotYourPlace):
        load(h, p, by=replace(officer(), division="341525000000"))
    assert counts() == [0] * 7


def test_no_plain_value_lies_in_a_column(shared_county):
    """SEC-04: neither numbers nor accounts nor phones are readable in the registry's tables or the change log."""
    shared_county("registered")
    with connections["maintenance"].cursor() as cursor:
        for table in ("person", "card", "householdfacts", "workitem", "cardcorrection"):
            cursor.execute(
                f"SELECT count(*) FROM registry_{table} t WHERE t::text ~ '341599[0-9]{{8}}|6299990[0-9]{{6}}'"
            )
            assert cursor.fetchone()[0] == 0, table
        cursor.execute("SELECT count(*) FROM audit_change c WHERE c::text ~ '341599[12][0-9]{7}|6299990[0-9]{6}'")
        assert cursor.fetchone()[0] == 0


def test_the_demonstrations_faults_are_all_found(shared_county, tmp_path):
    """REG-04: what the generator counted is what waits; repeating the step changes no figure."""
    from huimin.demo.quarter import County
    from huimin.demo.register import register
    from tests.stages import PEOPLE, SEED

    shared_county("registered")
    before = counts()
    figures = register(County(people=PEOPLE, seed=SEED, home=tmp_path))
    assert counts() == before and figures["added"] == 0
    kinds, faults = figures["work_items_by_kind"], figures["faults"]
    assert kinds["bad_identity"] == faults["bad_identity"] == figures["rejects"]
    assert kinds["same_person"] == faults["listed_twice"] and kinds["shared_card"] == faults["shared_card"]
    assert figures["people"] + faults["listed_twice"] == PEOPLE
    assert (tmp_path / "bank" / "accounts.csv").read_text().startswith("account,name,id_number,")


def test_bank_and_no_context_see_nothing(shared_county):
    """SEC-03: the bank audience sees nothing of the registry; without a declared scope nobody does."""
    shared_county("registered")
    bank = actor(Post.BANK_OPERATOR, "bank")
    models = (Household, HouseholdFacts, Person, PersonFacts, Membership, Card, WorkItem)
    with reading(bank):
        assert [model.objects.count() for model in models] == [0] * 7
    assert [model.objects.count() for model in models] == [0] * 7
