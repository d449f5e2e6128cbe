"""The library in `policy/`: whole, sourced, honest about what nobody published (POL-01, POL-02).

Every programme of 皖政办〔2008〕23号 annex 4 article 6 stands there under its number; what a place has not published
is a parameter without a value, and the programme waits there instead of counting with an invented number.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date

import pytest
from django.conf import settings

from huimin.kernel.errors import BadInput
from huimin.kernel.places import NATION, chain
from huimin.policy.exchange import read_bundle
from huimin.policy.written import read_texts
from huimin.rules import Book, PolicyFaults, read_book, read_book_texts, run_cases
from huimin.rules.layers import LIST_FIELDS, PROGRAMME_FIELDS, Layer

ANNEX_4 = {
    1: "粮食直接补贴", 2: "水稻良种补贴", 3: "农资综合直接补贴", 4: "农机具购置补贴", 5: "能繁母猪补贴",
    6: "森林生态效益补偿", 7: "退耕还林工程现金补助", 8: "退耕还林粮食补助", 9: "农村劳动力转移培训补助",
    10: "独生子女保健费", 11: "计划生育奖励扶助", 12: "农村五保户补助", 13: "未参保集体企业退休人员基本生活补助",
    14: "农村居民最低生活保障", 15: "城镇居民最低生活保障", 16: "新型农村合作医疗补偿", 17: "城镇居民医疗保险补助",
    18: "城镇退休职工养老金", 19: "农村居民养老保险", 20: "城镇居民养老保险", 21: "大中型水库移民后期扶持",
    22: "优待抚恤", 23: "社会救济定期补助", 24: "救灾", 25: "口粮救助", 26: "医疗救助", 27: "住院分娩", 28: "教科书",
    29: "住宿生", 30: "中等职业学校国家助学金",
}  # fmt: skip
"""Number in S0 annex 4 article 6 → words the programme's name is known by there."""
FORMER_NAMES = {15: "城市居民最低生活保障", 17: "城乡居民基本医疗保险", 19: "城乡居民", 20: "城乡居民"}
"""Where today's name differs from the annex's."""
SUCCESSORS = (
    "farmland-protection", "grain-one-off", "rice-producer", "corn-producer", "soy-producer", "elderly-allowance",
    "straw-return", "dead-pig", "reservoir-migrant",
)  # fmt: skip
PLACES = {
    "金寨": "341524100000",
    "鲁山": "410423000000",
    "伊春": "230722000000",
    "日喀则": "540202000000",
    "全国": NATION,
}
SHOWN = tuple(field for field in LIST_FIELDS if field != "序号")
SAMPLE_COUNTY = "341524000000"


@pytest.fixture(scope="module")
def book() -> Book:
    return read_book(settings.POLICY_FOLDER)


def base_layers(book: Book) -> Iterator[Layer]:
    """The farthest layer of each programme: it says all of it."""
    for code in book.codes:
        yield min(
            (layer for layer in book.layers if layer.programme == code),
            key=lambda layer: (len(layer.division.rstrip("0")), layer.valid_from),
        )


def test_pol_01_every_item_of_annex_4_is_there_with_its_number(book: Book) -> None:
    numbers = {int(layer.fields["序号"]): layer for layer in base_layers(book) if "序号" in layer.fields}
    assert sorted(ANNEX_4) == sorted(numbers)
    classes = {number: layer.fields["类别"] for number, layer in numbers.items()}
    assert Counter(classes.values()) == {"subsidy": 11, "security": 10, "relief": 9}
    for number, words in ANNEX_4.items():
        said = f"{numbers[number].fields['名称']} {numbers[number].plain}"
        assert words in said or FORMER_NAMES.get(number, words) in said, number


def test_pol_01_todays_successors_are_there(book: Book) -> None:
    assert set(SUCCESSORS) <= set(book.codes)


def test_pol_01_every_programme_says_all_the_published_list_shows(book: Book) -> None:
    for layer in base_layers(book):
        missing = [field for field in (*PROGRAMME_FIELDS, *SHOWN) if not layer.fields.get(field)]
        assert not missing, f"{layer.at.file}: {missing}"
        assert isinstance(layer.plain, dict)
        assert layer.plain.get("说明"), f"{layer.at.file}: 说明"


def test_pol_01_abbreviations_are_four_characters_and_differ(book: Book) -> None:
    short = Counter(layer.fields["简称"] for layer in base_layers(book))
    assert [name for name, count in short.items() if count > 1 or len(name) != 4] == []


def test_pol_02_each_programme_has_three_cases_and_all_come_out_right(book: Book) -> None:
    results = run_cases(book)
    assert [result for result in results if not result.passed] == []
    counts = Counter(result.programme for result in results)
    assert [code for code in book.codes if counts[code] < 3] == []


def test_pol_01_every_value_has_its_source_and_its_first_day(book: Book) -> None:
    """Assumptions stand in one file, of the sample county, and say what they are."""
    for entry in book.parameters:
        assert entry.source
        assert entry.valid_from
        assert not entry.assumption or entry.at.file.endswith("sample-county/parameters.yaml")
        assert entry.assumption == ("假设" in entry.source)


@pytest.mark.parametrize("place", [*PLACES.values(), "340100000000", "410100000000"])
def test_pol_05_when_it_is_paid_does_not_contradict_how_often(place: str) -> None:
    """POL-05: both stand on the hand-out; a place that changes the rhythm says the time too."""
    written, day = read_texts(read_bundle(settings.POLICY_FOLDER)), date(2026, 6, 1)
    states = [state for code in written.codes if (state := written.state(code, chain(place), day))]
    assert states
    quarterly = [state for state in states if state.fields["发放"] == "按季"]
    assert [state.code for state in quarterly if "季" not in state.fields["发放时间"]] == []


@pytest.mark.parametrize(("code", "floor"), [("dibao-rural", "355"), ("dibao-urban", "570")])
def test_pol_01_a_county_of_henan_may_not_go_below_what_its_city_published(code: str, floor: str) -> None:
    """POL-01: refused with its line, never quietly paid at the floor."""
    others = {
        "人均金融资产上限": "8000 元", "机动车价值上限": "0 元", "房产套数上限": "1 套", "大型农机具数上限": "0 台",
        "工商登记数上限": "0 个", "每人年就业成本": "0 元/年", "不计入的基础养老金": "0 元/月",
    }  # fmt: skip
    line = "  - {{项目: " + code + ", 名称: {}, 数值: {}, 自: 2026-01-01, 来源: 试}}\n"
    rest = "".join(line.format(*each) for each in others.items())
    texts = read_bundle(settings.POLICY_FOLDER)

    def county(standard: str) -> dict[str, str]:
        return {
            **texts,
            "试.yaml": '区划: "410423000000"\n参数:\n' + line.format("低保标准", f"{standard} 元/月") + rest,
        }

    book = read_book_texts(county(floor))
    assert code in {law.code for law in book.programmes_in_force(chain("410423000000"), date(2026, 6, 1))}
    with pytest.raises(PolicyFaults, match=f"试.yaml 第 3 行.*低于“上级最低标准”的 {floor} 元/月"):
        read_book_texts(county(f"{int(floor) - 1}.99"))


def test_pol_01_conditions_cite_the_law(book: Book) -> None:
    for layer in base_layers(book):
        assert all(condition.citation and condition.text for condition in layer.conditions), layer.at.file


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("day", [date(2010, 6, 1), date(2021, 7, 1), date(2026, 6, 1)], ids=str)
def test_pol_01_each_place_resolves(book: Book, place: str, day: date) -> None:
    """In force, or waiting for values the place has to publish: nothing between, and no fault."""
    found = {programme.code for programme in book.programmes_in_force(chain(place), day)}
    assert not found & book.waiting(chain(place), day).keys()
    assert found


def test_pol_01_without_a_county_value_a_programme_waits_and_is_never_guessed(book: Book) -> None:
    place, day = chain(PLACES["金寨"]), date(2021, 7, 1)
    waiting = book.waiting(place, day)
    assert waiting["farmland-protection"] == ("每亩补贴标准",)
    assert "breeding-sow" in waiting
    with pytest.raises(BadInput, match=r"每亩补贴标准.*没有数值"):
        book.programmes_in_force(place, day, only="farmland-protection")


def test_pol_01_the_demonstration_keeps_its_three_programmes(book: Book) -> None:
    """What is in force in the sample county on the demonstration's day is exactly what the quarter shows."""
    found = {programme.code for programme in book.programmes_in_force(chain(SAMPLE_COUNTY), date(2021, 7, 1))}
    assert found == {"dibao-rural", "grain-one-off", "reservoir-migrant"}


def test_pol_01_a_published_standard_counts_where_it_was_published(book: Book) -> None:
    """Heilongjiang's 2019 rates hold in Yichun that year and not in Lushan."""
    day = date(2019, 10, 1)
    (corn,) = book.programmes_in_force(chain(PLACES["伊春"]), day, only="corn-producer")
    assert corn.parameters["每亩补贴标准"].value == 30
    assert book.programmes_in_force(chain(PLACES["鲁山"]), day, only="corn-producer") == ()
