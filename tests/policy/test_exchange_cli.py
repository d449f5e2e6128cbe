"""`./huimin policy export|import` and `--adopted`: an instance's policies out and in, whole or not at all (POL-01, POL-02)."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from huimin.audit.models import Event
from huimin.demo.granting import county_officer
from huimin.organisation.acting import reading
from huimin.policy.book_cli import policy
from huimin.policy.exchange import read_bundle, write_bundle
from huimin.policy.models import PolicyText
from huimin.policy.queries import texts_in_use

At = Callable[[str], str]
OFFICER = "county-officer"


def told(*arguments: object) -> Result:
    return CliRunner().invoke(policy, [str(each) for each in arguments])


def in_use() -> dict[str, str]:
    """Of all places, also those the county does not see."""
    return texts_in_use(using="maintenance")


@pytest.fixture
def adopted(county: At) -> dict[str, str]:
    """The county with its policies adopted, and what they are."""
    county("adopted")
    return in_use()


def test_pol_01_what_is_adopted_goes_out_and_comes_in_again(adopted: dict[str, str], tmp_path: Path) -> None:
    """POL-01: folder and zip hold the adopted texts; bringing them in again has no effect."""
    for name in ("book", "book.zip"):
        done = told("export", tmp_path / name)
        assert done.exit_code == 0, done.stderr
        assert read_bundle(tmp_path / name) == adopted
        again = told("import", tmp_path / name, "--by", OFFICER, "--json")
        assert again.exit_code == 0, again.stderr
        change = json.loads(again.output)
        assert (change["added"], change["changed"], change["ended"]) == ([], [], [])
    with reading(county_officer()):
        assert not PolicyText.objects.exclude(superseded_at=None).exists()


def test_pol_01_a_new_edition_is_adopted_once(adopted: dict[str, str], tmp_path: Path) -> None:
    """POL-01: a changed file takes the place of the old one, in the name of who answers for it; DET-07: the old stays."""
    path = "sample-county/parameters.yaml"
    assert path in adopted
    write_bundle(adopted | {path: adopted[path] + "# 新版\n"}, tmp_path / "new")
    dry = told("import", tmp_path / "new", "--by", OFFICER, "--dry-run")
    assert "改动 1 个" in dry.output
    assert in_use() == adopted
    done = told("import", tmp_path / "new", "--by", OFFICER, "--date", "2021-07-02")
    assert done.exit_code == 0, done.stderr
    assert "改动 1 个" in done.output
    assert "不经听证" in done.output
    again = told("import", tmp_path / "new", "--by", OFFICER, "--date", "2021-07-02")
    assert "改动 0 个" in again.output
    with reading(county_officer()):
        rows = list(PolicyText.objects.filter(path=path).order_by("pk"))
        assert [row.superseded_at is None for row in rows] == [False, True]
        assert rows[1].adopted_by == county_officer().appointment
        assert str(rows[1].adopted_on) == "2021-07-02"


@pytest.mark.parametrize("dry", [["--dry-run"], []])
@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("算式: 水库移民\n", "算式: 水库移明\n", "national/reservoir-migrant.yaml"),
        ("金额: 600.00", "金额: 601.00", "案例"),
    ],
)
def test_pol_02_one_fault_refuses_the_whole(
    adopted: dict[str, str], tmp_path: Path, old: str, new: str, word: str, dry: list[str]
) -> None:
    """POL-02: nothing is changed, and the file is named."""
    path = "national/reservoir-migrant.yaml"
    assert old in adopted[path]
    spoilt = {**adopted, path: adopted[path].replace(old, new, 1)}
    write_bundle(
        {**spoilt, "national/extra.yaml": "# 多一个\n" + "区划: '000000000000'\n参数: []\n"}, tmp_path / "bad.zip"
    )
    done = told("import", tmp_path / "bad.zip", "--by", OFFICER, *dry)
    assert done.exit_code == 2
    assert word in done.stderr
    assert in_use() == adopted


def test_pol_02_hostile_files_change_nothing(adopted: dict[str, str], tmp_path: Path) -> None:
    """POL-02: named in one sentence, before the texts are even read."""
    write_bundle(adopted, tmp_path / "book")
    (tmp_path / "book" / "national" / "gbk.yaml").write_bytes("项目: 低保".encode("gb18030"))
    done = told("import", tmp_path / "book", "--by", OFFICER)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "national/gbk.yaml" in done.stderr
    assert in_use() == adopted


@pytest.mark.parametrize("username", ["nobody", "civil-officer", "county-administrator"])
def test_sec_02_only_an_officer_of_the_county_office_answers(
    adopted: dict[str, str], tmp_path: Path, username: str
) -> None:
    """SEC-02: the account must hold the post that adopts policies."""
    write_bundle({path: text + "# 新版\n" for path, text in adopted.items()}, tmp_path / "new")
    done = told("import", tmp_path / "new", "--by", username)
    assert done.exit_code == 2
    assert username in done.stderr
    assert in_use() == adopted


def test_pol_03_versions_drafted_elsewhere_do_not_come_in_by_file(adopted: dict[str, str], tmp_path: Path) -> None:
    """POL-03: what needs hearing and approval cannot be brought in beside them."""
    write_bundle({**adopted, "local/341524000000/x.yaml": "项目: x\n"}, tmp_path / "new")
    done = told("import", tmp_path / "new", "--by", OFFICER)
    assert done.exit_code == 2
    assert "local/341524000000/x.yaml" in done.stderr
    assert in_use() == adopted


def test_pol_01_the_adopted_book_is_listed_shown_and_checked(adopted: dict[str, str]) -> None:
    """POL-01: --adopted reads the instance, not the folder."""
    listed = json.loads(told("list", "--adopted", "--json").output)["policies"]
    folder = json.loads(told("list", "--json").output)["policies"]
    assert listed == folder
    assert told("show", "dibao-rural", "--adopted", "--date", "2021-07-01").exit_code == 0
    assert json.loads(told("check", "--adopted", "--json").output)["failed"] == []


def test_sec_05_a_refused_import_is_remembered(adopted: dict[str, str], tmp_path: Path) -> None:
    """SEC-05: who tried, and what stood in the way."""
    path = "national/reservoir-migrant.yaml"
    write_bundle({**adopted, path: adopted[path].replace("金额: 600.00", "金额: 601.00", 1)}, tmp_path / "bad")
    assert told("import", tmp_path / "bad", "--by", OFFICER).exit_code == 2
    with reading(county_officer()):
        event = Event.objects.filter(kind=Event.Kind.REFUSED).latest("pk")
        assert event.subject == "adopt_policies"
        assert event.appointment == county_officer().appointment
