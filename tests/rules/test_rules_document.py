"""Every example of docs/policy-language.md is run (POL-02)."""

import json
import re
from pathlib import Path

import pytest

from huimin.kernel.places import NATION, chain
from huimin.rules import PolicyFaults, explain, read_book_texts, run_cases
from tests.rules.builders import ON, policy_text

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "policy-language.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
FILES = {body.splitlines()[0].removeprefix("# "): body for kind, body in BLOCKS if kind == "yaml"}
FORMULAS = [line.rsplit(" → ", 1) for kind, body in BLOCKS if kind == "算式" for line in body.splitlines()]
(HOUSE,) = [json.loads(body) for kind, body in BLOCKS if kind == "json"]


def test_pol_02_every_file_of_the_document_is_read_together_and_its_cases_come_out_right():
    assert all(name.endswith(".yaml") for name in FILES)
    assert len(FILES) == sum(kind == "yaml" for kind, _ in BLOCKS)
    book = read_book_texts(FILES)
    results = run_cases(book)
    assert [result for result in results if not result.passed] == []
    assert {code: sum(r.programme == code for r in results) >= 1 for code in book.codes} == dict.fromkeys(
        book.codes, True
    )
    county = book.programmes_in_force(chain("341524100000"), ON)
    assert [law.code for law in county] == ["demo-dibao", "demo-elderly", "demo-people", "demo-tea", "demo-tekun"]
    assert [law.code for law in book.programmes_in_force((NATION,), ON)] == [
        "demo-elderly",
        "demo-people",
        "demo-tekun",
    ]


@pytest.mark.parametrize(("formula", "value"), FORMULAS)
def test_pol_02_every_formula_of_the_document_has_the_value_it_says(formula, value):
    text = policy_text("if(人口 > 0, 例 = 例, 例 != 例)", values={"例": formula.strip().replace("'", "''")})
    (law,) = read_book_texts({"例.yaml": text}).programmes_in_force((NATION,), ON)
    (told,) = explain(law, HOUSE["户"], HOUSE["成员"], ON)["results"]
    assert told["values"]["例"] == value.strip()


WRONG = re.findall(r"^\| `([^`]+)`[^|]*\| ([^|]+?) \|$", TEXT.split("## 写错了会怎样")[1], re.MULTILINE)


@pytest.mark.parametrize(("formula", "words"), [row for row in WRONG if row[0] != "符合"])
def test_pol_02_every_mistake_of_the_document_is_told_as_it_says(formula, words):
    text = policy_text(formula).replace("名称: 标准", "名称: 低保标准").replace("    标准", "    低保标准")
    with pytest.raises(PolicyFaults) as caught:
        read_book_texts({"错.yaml": text})
    assert words.rstrip("。") in str(caught.value)


def test_pol_02_the_document_names_every_word_of_the_language():
    from huimin.rules.vocabulary import DERIVED, FUNCTIONS

    english = {"if", "min", "max", "round", "floor", "ceil", "count", "sum", "any", "all"}
    wanted = {*DERIVED, *english, "整年", "整月", "按年", "按半年", "按季", "按月", "享受", "符合", "所在地", "就业地"}
    assert wanted <= {*DERIVED, *FUNCTIONS}
    assert [word for word in wanted if word not in TEXT] == []
