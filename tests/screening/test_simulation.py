"""Simulation before adoption, overlaps and gaps: what is counted, that it adds up, that nothing is changed (POL-04, POL-06, DET-08)."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from huimin.__main__ import huimin
from huimin.casework.screening import granted_on
from huimin.database.bulk import fetch_one
from huimin.demo import dates
from huimin.demo.actors import COUNTY, actor
from huimin.demo.granting import county_officer
from huimin.demo.listing import townships
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.facts import HOUSEHOLD_FACTS, PERSON_FACTS, Fact, Kind
from huimin.kernel.places import Level
from huimin.organisation.acting import NotYourPlace, NotYourPost, reading
from huimin.organisation.posts import Post
from huimin.policy.cli_sources import POLICY_FOLDER
from huimin.policy.commands import read_folder
from huimin.rules import PolicyFaults
from huimin.screening.explaining import explain_household
from huimin.screening.simulation.columns import Columns
from huimin.screening.simulation.commands import analyse, open_coverage, simulate
from huimin.screening.simulation.comparing import ALL, PER_YEAR, Comparison, Line, compare, due_in
from huimin.screening.simulation.coverage import cover
from huimin.screening.simulation.drafts import EVERY, Draft, drafted, text_path
from huimin.screening.simulation.models import Coverage, Finding, Simulation
from huimin.screening.simulation.queries import (
    FindingFilter,
    count_findings,
    find_working_coverage,
    list_combinations,
    page_findings,
)
from huimin.screening.simulation.sources import cut
from huimin.screening.snapshots import GRANTED, Snapshot

At = Callable[[str], str]
ON = date(2026, 6, 1)
PLACE = "341524000000"

LAND = """
项目: land
区划: "341524000000"
自: 2026-01-01
名称: 种地补贴
简称: 种地补贴
主管部门: 农业农村
对象: 户
期间: 一次
发放: 一次
收款: 户主卡
依据: 试
参数:
  - {名称: 每亩标准, 单位: 元/亩}
  - {名称: 每亩标准, 数值: 10 元/亩, 自: 2026-01-01, 来源: 试}
条件:
  - {编号: some, 说明: 有地, 算式: 承包地亩数 > 1 亩, 依据: 试}
金额: {算式: 承包地亩数 * 每亩标准, 取整: 四舍五入到分, 依据: 试}
"""
OLD = """
项目: old
区划: "341524000000"
自: 2026-01-01
名称: 高龄补贴
简称: 高龄补贴
主管部门: 民政
对象: 人
期间: 月
发放: 按月
收款: 本人卡
依据: 试
参数:
  - {名称: 起始年龄, 单位: 岁}
  - {名称: 起始年龄, 数值: 80 岁, 自: 2026-01-01, 来源: 试}
条件:
  - {编号: age, 说明: 年满起始年龄, 算式: 年龄 >= 起始年龄, 依据: 试}
金额: {算式: 50 元/月, 取整: 四舍五入到分, 依据: 试}
"""
TEXTS = {"county/land.yaml": LAND, "county/old.yaml": OLD}
_TYPES = {Kind.DATE: pa.date32(), Kind.FLAG: pa.bool_(), Kind.CHOICE: pa.string(), Kind.TEXT: pa.string()}


def column(fact: Fact, count: int, known: dict[str, list[object]]) -> pa.Array:
    return pa.array(known.get(fact.code, [None] * count), _TYPES.get(fact.kind, pa.int64()))


def snapshot(households: list[tuple[str, int | None, str | None, list[date | None]]]) -> Snapshot:
    """Households as (division, hundredths of 亩, 户籍类型, births of the members)."""
    ids, births = list(range(1, len(households) + 1)), [birth for *_, members in households for birth in members]
    of = [number for number, (*_, members) in zip(ids, households, strict=True) for _ in members]
    about = {"contract_land_mu": [each[1] for each in households], "hukou": [each[2] for each in households]}
    home = {
        "household_id": pa.array(ids, pa.int64()),
        "division": pa.array([each[0] for each in households], pa.string()),
    }
    people = {"household_id": pa.array(of, pa.int64()), "person_id": pa.array(range(1, len(of) + 1), pa.int64())}
    return Snapshot(
        pa.table(home | {fact.code: column(fact, len(ids), about) for fact in HOUSEHOLD_FACTS}),
        pa.table(people | {fact.code: column(fact, len(of), {"birth_date": births}) for fact in PERSON_FACTS}),
        GRANTED.empty_table(),
    )


def counted(homes: list[tuple[str, int | None, str | None, list[date | None]]], draft: Draft) -> Comparison:
    return compare(Columns(snapshot(homes), ON), drafted(TEXTS, draft, PLACE, ON), Level.COUNTY)


births = st.one_of(st.none(), st.dates(date(1930, 1, 1), date(2026, 6, 1)))
homes = st.lists(
    st.tuples(
        st.sampled_from(["341524100001001", "341524100002001", "341524101001001"]),
        st.one_of(st.none(), st.integers(0, 2_000)),
        st.sampled_from([None, "农业", "非农业"]),
        st.lists(births, max_size=8),
    ),
    min_size=1,
    max_size=25,
)
drafts = st.builds(
    lambda mu, years: Draft({"land": {"每亩标准": str(mu)}, "old": {"起始年龄": str(years)}}),
    st.sampled_from([0, 9, 11, 1000]),
    st.sampled_from([18, 60, 79, 81, 120]),
)


@settings(max_examples=60, deadline=None)
@given(homes, drafts)
def test_everything_adds_up(some: list[tuple[str, int | None, str | None, list[date | None]]], draft: Draft) -> None:
    """POL-04: each dimension's groups, the months and the programmes add up to the totals; storing changes nothing."""
    found = counted(some, draft)
    assert sum((each.line.before_fen for each in found.programmes), 0) == found.total.before_fen
    assert sum((each.line.after_fen for each in found.programmes), 0) == found.total.after_fen
    lines = {ALL: found.total} | {each.code: each.line for each in found.programmes}
    for breakdown in found.breakdowns:
        assert sum(group.households for group in breakdown.groups) == found.households == len(some)
        for code, line in lines.items():
            assert sum((group.lines.get(code, Line()) for group in breakdown.groups), Line()) == line
    assert sum(month.before_fen for month in found.months) == found.total.before_fen
    assert sum(month.after_fen for month in found.months) == found.total.after_fen
    assert Comparison.of_plain(json.loads(json.dumps(found.plain))) == found


@settings(max_examples=30, deadline=None)
@given(homes, drafts)
def test_taking_a_draft_back_is_its_mirror(
    some: list[tuple[str, int | None, str | None, list[date | None]]], draft: Draft
) -> None:
    """POL-04: who enters by a change leaves by its undoing, with the same money."""
    there = counted(some, draft)
    laws = drafted(TEXTS, draft, PLACE, ON)
    back = compare(Columns(snapshot(some), ON), type(laws)(laws.after, laws.before, {}), Level.COUNTY)
    assert (back.total.entering, back.total.leaving) == (there.total.leaving, there.total.entering)
    assert (back.total.more, back.total.less) == (there.total.less, there.total.more)
    assert back.total.extra_fen == -there.total.extra_fen


def test_one_household_of_each_kind() -> None:
    """POL-04: by hand. 2 亩 at 10 元 gives 20 元; nobody is 80; at 60 years, 50 元 a month for each of two."""
    home = [("341524100001001", 200, "农业", [date(1965, 6, 1), date(1965, 6, 2), date(1966, 1, 1), None])]
    found = counted(home, Draft({"old": {"起始年龄": "61"}}))
    assert found.total == Line(more=1, before_fen=2_000, after_fen=2_000 + 12 * 5_000)
    [old] = [each for each in found.programmes if each.code == "old"]
    assert (old.line.entering, old.unknown_after, old.touched) == (1, 1, True), "61 today; tomorrow; later; not known"
    assert [each.label for each in found.breakdowns][:3] == ["乡镇", "人口", "户籍类型"]
    assert {group.label for each in found.breakdowns if each.key == "elderly" for group in each.groups} == {
        "有 60 岁以上老人"
    }
    assert found.examples["more"][0].change_fen == 60_000


def test_when_amounts_fall_due() -> None:
    """POL-04: every period falls due as often in twelve months as it has periods in a year."""
    for period, per_year in PER_YEAR.items():
        for first in range(12):
            assert sum(due_in(period, number, (first + number) % 12 + 1) for number in range(12)) == per_year


def test_who_asks_about_a_changed_programme_is_counted_anew() -> None:
    """POL-04: 排除 and 符合: an increase of one programme moves people out of another that the draft does not name."""
    ruled = OLD.replace("依据: 试\n金额", "依据: 试\n金额") + "排除:\n  - {项目: land, 说明: 没有种地补贴, 依据: 试}\n"
    texts = {"county/land.yaml": LAND, "county/old.yaml": ruled}
    laws = drafted(texts, Draft({}, {"county/land.yaml": LAND.replace("> 1 亩", "> 3 亩")}), PLACE, ON)
    assert (laws.changed, laws.reached) == ({"land"}, {"land", "old"})
    home = [("341524100001001", 200, "农业", [date(1940, 1, 1)])]
    found = compare(Columns(snapshot(home), ON), laws, Level.COUNTY)
    lines = {each.code: each.line for each in found.programmes}
    assert (lines["land"].leaving, lines["old"].entering) == (1, 1)


# -- drafts


def test_a_standard_for_one_programme_or_for_all_that_have_it() -> None:
    """POL-04: `--set 名=值` reaches every programme with the name, a programme's own value only that one."""
    twin = {**TEXTS, "county/wood.yaml": LAND.replace("项目: land", "项目: wood").replace("种地补贴", "造林补贴")}
    assert drafted(twin, Draft({EVERY: {"每亩标准": "11"}}), PLACE, ON).changed == {"land", "wood"}
    laws = drafted(twin, Draft({EVERY: {"每亩标准": "11"}, "wood": {"每亩标准": "12"}}), PLACE, ON)
    assert [laws.after[code].parameters["每亩标准"].value for code in ("land", "wood")] == [11, 12]
    assert drafted(twin, Draft({"wood": {"每亩标准": "12"}}), PLACE, ON).changed == {"wood"}


@pytest.mark.parametrize(
    ("draft", "says"),
    [
        (Draft(), "没有不同"),
        (Draft({"land": {"每亩标准": "10"}}), "没有不同"),
        (Draft({"lend": {"每亩标准": "11"}}), "land"),
        (Draft({"land": {"每头标准": "11"}}), "每亩标准"),
        (Draft({"land": {"每亩标准": "11 头"}}), "元/亩"),
        (Draft({}, {"county/land.yaml": LAND.replace("承包地亩数 > 1 亩", "承包地亩 > 1 亩")}), "承包地亩数"),
    ],
)
def test_a_draft_that_is_none_is_told(draft: Draft, says: str) -> None:
    """POL-04: nothing changed, unknown programme, unknown standard, wrong unit, text with a fault."""
    with pytest.raises(BadInput) as told:
        drafted(TEXTS, draft, PLACE, ON)
    assert says in str(told.value)
    assert told.value.remedy or isinstance(told.value, PolicyFaults)


def test_a_text_takes_the_place_of_its_like() -> None:
    """POL-04: same programme, place and day; else it is a text of its own."""
    assert text_path("mine.yaml", LAND.replace("10 元", "12 元"), TEXTS) == "county/land.yaml"
    assert text_path("mine.yaml", LAND.replace("自: 2026-01-01\n名", "自: 2026-05-01\n名"), TEXTS) == "draft/mine.yaml"


def test_a_text_without_a_programme_replaces_only_what_says_the_same_kind_of_thing() -> None:
    """POL-04: never a process or a bank's file; what is neither is read by its own name, and told so."""
    facts = "事实:\n  - {名称: 甲, 编码: a, 对象: 户, 类型: 是否}\n"
    others = {
        "banks/a.yaml": "项: 甲\n", "national/processes/rules.yaml": "适用: []\n", "national/a-facts.yaml": facts,
        "national/b-facts.yaml": facts, "national/values.yaml": "参数: []\n",
    }  # fmt: skip
    texts = {**TEXTS, **others}
    assert text_path("b-facts.yaml", facts, texts) == "national/b-facts.yaml"
    assert text_path("other.yaml", facts, texts) == "draft/other.yaml"
    assert text_path("mine.yaml", "参数:\n  - {项目: land}\n", texts) == "national/values.yaml"
    bomb = "a: &a [笑]\nb: [*a, *a]\n"
    path = text_path("mine.yaml", bomb, texts)
    with pytest.raises(PolicyFaults, match=r"draft/mine\.yaml 第 1 行"):
        drafted(TEXTS, Draft({}, {path: bomb}), PLACE, ON)


def test_a_programme_that_waits_for_its_standard_begins_by_the_draft() -> None:
    """POL-01, POL-04: what a county has not set is not in force; setting it makes everybody enter."""
    waiting = LAND.replace("  - {名称: 每亩标准, 数值: 10 元/亩, 自: 2026-01-01, 来源: 试}\n", "")
    laws = drafted({"county/land.yaml": waiting}, Draft({"land": {"每亩标准": "10"}}), PLACE, ON)
    found = compare(Columns(snapshot([("341524100001001", 200, None, [])]), ON), laws, Level.COUNTY)
    assert laws.before == {} and found.total == Line(entering=1, after_fen=2_000)


# -- coverage


def test_every_household_draws_exactly_one_combination() -> None:
    """POL-06: also the one that draws nothing; who has nobody living in it is left out."""
    homes = [(f"34152410000{number % 2}001", 200, "农业", [date(1950, 1, 1)]) for number in range(6)] + [
        (PLACE, 0, None, [])
    ]
    bare = snapshot(homes)
    rows = [("land", 1, 0, 2_000), ("old", 1, 1, 5_000), ("land", 2, 0, 100), ("land", 99, 0, 100)]
    columns = list(zip(*rows, strict=True))
    filled = {
        "original_fen": columns[3],
        "since": [ON] * 4,
        "phase_out_since": [None] * 4,
        "run": [1] * 4,
        "division": [PLACE] * 4,
    }
    named = {"programme": columns[0], "household": columns[1], "person": columns[2], "amount_fen": columns[3]}
    granted = pa.table(
        [pa.array((named | filled)[name], GRANTED.field(name).type) for name in GRANTED.names], schema=GRANTED
    )
    laws = drafted(TEXTS, Draft({"land": {"每亩标准": "11"}}), PLACE, ON).before.values()
    found = cover(
        Columns(Snapshot(bare.households, bare.members, granted), ON), tuple(laws), {"land": "once", "old": "month"}
    )
    sums = {
        (each["division"], each["programmes"]): (each["households"], each["year_fen"])
        for each in found.combinations.to_pylist()
    }
    assert sums[("341524100000", "{land,old}")] == (1, 2_000 + 60_000)
    assert sum(count for count, _ in sums.values()) == found.households == 6
    kinds = [each["kind"] for each in found.findings.to_pylist()]
    assert kinds.count("several") == 1 and kinds.count("unknown") == 4 and "unreached" not in kinds


def test_a_snapshot_is_cut_to_the_place() -> None:
    """SEC-03: a file lies outside row-level security; what is cut holds the place alone."""
    whole = snapshot([("341524100001001", 1, None, [ON, ON]), ("341524101001001", 1, None, [ON])])
    part = cut(whole, "341524101")
    assert (part.household_ids.tolist(), part.person_ids.tolist()) == ([2], [3])
    assert cut(whole, "341524") is whole


# -- over the county


def simulated(**more: object) -> Simulation:
    arguments = {
        "by": county_officer(), "on": dates.DECIDED, "division": COUNTY, "determination_date": dates.DETERMINED_FOR,
        "draft": Draft({"dibao-rural": {"低保标准": "800"}}), "title": "试", "granted": granted_on,
    }  # fmt: skip
    return simulate(**{**arguments, **more})  # type: ignore[arg-type]


def state_of_the_county() -> tuple[object, ...]:
    tables = ("screening_proposal", "screening_run", "casework_decision", "casework_entitlement", "policy_policytext")
    return tuple(fetch_one(f"SELECT count(*), max(id) FROM {name}", using="maintenance") for name in tables)


def test_the_snapshot_and_the_registry_give_the_same_and_nothing_is_changed(county: At) -> None:
    """POL-04: as of the same day; and again; no proposal, run, decision, entitlement or text comes of it."""
    county("decided")
    before = state_of_the_county()
    first, anew, again = simulated(), simulated(anew=True), simulated()
    assert first.run is not None and anew.run is None
    assert first.result == anew.result == again.result
    assert first.registry_date == dates.DETERMINED_FOR
    assert Simulation.objects.using("maintenance").count() == 3
    assert state_of_the_county() == before


def test_examples_are_what_the_explanations_say(county: At) -> None:
    """POL-04: the difference of a household is the difference of its explanations under both sets of programmes."""
    county("decided")
    row = simulated()
    found = Comparison.of_plain(row.result)
    by = county_officer()
    with reading(by):
        from huimin.policy.queries import adopted_texts

        laws = drafted(adopted_texts(), Draft(**row.draft), COUNTY, dates.DETERMINED_FOR)
        for example in found.examples["more"][:3] + found.examples["entering"][:1]:
            sums = []
            for side in (laws.before, laws.after):
                told = explain_household(
                    by=by, household_id=example.household_id, on=dates.DETERMINED_FOR, laws=tuple(side.values())
                )
                sums.append(sum(each["amount_fen"] * PER_YEAR[each["period"]] for each in told["results"]))
            assert sums == [example.before_fen, example.after_fen]


def test_a_township_is_simulated_alone(county: At) -> None:
    """POL-04, SEC-03: its villages add up to it, and the townships to the county."""
    county("decided")
    whole = Comparison.of_plain(simulated().result)
    towns = {group.key: group for group in whole.breakdowns[0].groups}
    place = townships()[0]
    part = Comparison.of_plain(simulated(division=place).result)
    assert part.total == towns[place].lines[ALL]
    assert part.breakdowns[0].label == "村" and all(
        group.key.startswith(place[:9]) for group in part.breakdowns[0].groups
    )


def test_simulating_is_refused_for_post_place_and_text(county: At) -> None:
    """SEC-02, SEC-03: by posts that work on policies, in their own place; a fault leaves no row."""
    county("adopted")
    with pytest.raises(NotYourPost):
        simulated(by=actor(Post.CLERK, townships()[0]))
    with pytest.raises(NotYourPlace):
        simulated(division="341500000000")
    with pytest.raises(BadInput):
        simulated(draft=Draft())
    assert not Simulation.objects.using("maintenance").exists()


def test_a_simulation_that_cannot_be_worked_says_why(county: At, monkeypatch: pytest.MonkeyPatch) -> None:
    """POL-04: the row tells what stopped it; nothing is half stored."""
    from huimin.screening.simulation import commands

    def stop(*_: object) -> None:
        raise Refusal("算出了负的金额")

    county("adopted")
    monkeypatch.setattr(commands, "compare", stop)
    with pytest.raises(Refusal):
        simulated()
    row = Simulation.objects.using("maintenance").get()
    assert (row.state, row.failure, row.result) == ("failed", "算出了负的金额", {})


def test_work_whose_process_is_gone_is_told_by_its_age(county: At) -> None:
    """POL-04, POL-06: a page does not wait for what nobody will finish, and another analysis may begin."""
    county("adopted")
    by = county_officer()
    row = open_coverage(by=by, on=dates.DECIDED, division=COUNTY, determination_date=dates.DETERMINED_FOR)
    with reading(by):
        begun = Coverage.objects.get(pk=row.pk).started_at
        assert find_working_coverage(begun + timedelta(minutes=1)) is not None
        assert find_working_coverage(begun + timedelta(hours=1)) is None
    assert simulated().is_lost(begun + timedelta(days=1)) is False


def test_who_is_poor_and_draws_nothing(county: At) -> None:
    """POL-06: incomes as the policy measures them; unknown ones apart; the list pages by key and adds up."""
    county("decided")
    by = county_officer()
    row = analyse(by=by, on=dates.DECIDED, division=COUNTY, determination_date=dates.DETERMINED_FOR, granted=granted_on)
    assert row.result["lines"]["dibao-rural"] == 65_000
    with reading(by):
        wanted = FindingFilter(row.pk, COUNTY[:6])
        counts = count_findings(wanted)
        together = list_combinations(row.pk, COUNTY[:6])
        assert sum(each["count"] for each in together) == row.households
        assert counts["several"] == sum(each["count"] for each in together if len(each["programmes"]) > 1)
        poor = Finding.objects.filter(coverage=row, kind="unreached")
        assert poor and all(each.income_fen < each.line_fen and not each.programmes for each in poor)
        met, place = [], ""
        while True:
            page = page_findings(FindingFilter(row.pk, COUNTY[:6], "several"), place, size=7)
            met += [each.pk for each in page]
            place = page.next
            if not place:
                break
        assert len(met) == len(set(met)) == counts["several"]


def test_poverty_registered_households_are_in_one_list_each(county: At) -> None:
    """DET-08: below the line, not below, not known: together all that are 建档立卡; above it, what they keep is named."""
    county("decided")
    by = county_officer()
    row = analyse(by=by, on=dates.DECIDED, division=COUNTY, determination_date=dates.DETERMINED_FOR, granted=granted_on)
    registered = fetch_one(
        "SELECT count(*) FROM registry_householdfacts WHERE poverty_registered IN ('脱贫户', '监测户')"
        " AND recorded_to IS NULL AND valid_from <= %s AND (valid_to IS NULL OR valid_to > %s)",
        [dates.DETERMINED_FOR] * 2,
        using="maintenance",
    )[0]
    linked = Finding.objects.using("maintenance").filter(coverage=row, kind__startswith="linked")
    assert linked.count() == registered > 0
    keeping = linked.filter(kind="linked-out").exclude(programmes=[])
    assert keeping and all("dibao-rural" not in each.programmes for each in keeping)


def test_analysing_is_refused_for_post_and_place(county: At) -> None:
    """SEC-02, SEC-03."""
    county("adopted")
    more = {"on": dates.DECIDED, "determination_date": dates.DETERMINED_FOR, "granted": granted_on}
    with pytest.raises(NotYourPost):
        analyse(by=actor(Post.CLERK, townships()[0]), division=townships()[0], **more)  # type: ignore[arg-type]
    with pytest.raises(NotYourPlace):
        analyse(by=county_officer(), division="341500000000", **more)  # type: ignore[arg-type]
    assert not Coverage.objects.using("maintenance").exists()


# -- the command line


def told(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(huimin, ["policy", "simulate", "--place", COUNTY, "--date", "2021-07-01", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_the_command_line_counts_the_same(county: At) -> None:
    """POL-04: `--json` for programs, a table for people, the row kept for the pages."""
    county("decided")
    expected = simulated().result
    code, out, _ = told("--set", "dibao-rural:低保标准=800", "--json")
    found = json.loads(out)
    assert code == 0 and found["total"] == expected["total"] and found["seconds"] < 60
    code, out, _ = told("--set", "低保标准＝800")
    assert code == 0 and "农村居民最低生活保障（户）" in out and "全部项目（户）" in out


def test_a_fault_in_a_file_is_told_by_the_files_own_name(shared_county: At, tmp_path: Path) -> None:
    """POL-04: though it takes the place of another."""
    shared_county("adopted")
    words = read_folder(POLICY_FOLDER)["anhui/grain-one-off.yaml"].replace("实际种植亩数 > 0 亩", "亩树 > 0 亩")
    (tmp_path / "我的.yaml").write_text(words, encoding="utf-8")
    code, _, error = told("--text", str(tmp_path / "我的.yaml"))
    assert code == 2 and error.startswith(f"{tmp_path}/我的.yaml 第 ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--set", "低保标准"),
        ("--set", "低保标淮=800"),
        ("--draft", "77"),
        ("--text", "/nowhere.yaml"),
        ("--by", "nobody"),
        (),
    ],
)
def test_the_command_line_refuses_in_a_sentence(shared_county: At, arguments: tuple[str, ...]) -> None:
    """POL-04: exit code 2, what is wrong and what to do."""
    shared_county("adopted")
    code, out, error = told(*arguments)
    assert code == 2 and out == "" and len(error) > 10
