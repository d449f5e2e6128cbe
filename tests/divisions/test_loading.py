"""Divisions come in whole or not at all; groups; names and chains of any day (ORG-01)."""

from datetime import date

import pytest
from django.conf import settings

from huimin.demo.actors import actor
from huimin.divisions.changes import StillInUse
from huimin.divisions.loading import LoadReport, load_divisions, load_groups
from huimin.divisions.models import Division
from huimin.divisions.queries import (
    NoSuchDivision,
    chain_names,
    current_code,
    get_division,
    list_beneath,
    list_children,
    list_villages,
)
from huimin.kernel.errors import BadInput
from huimin.kernel.places import Level
from huimin.organisation.acting import NotYourPlace, NotYourPost, reading
from huimin.organisation.boundaries import merge_division, rename_division
from huimin.organisation.posts import OfficeKind, Post

DAY = date(2021, 6, 21)
SINCE = date(2020, 1, 1)
COUNTY, MEISHAN = "341524000000", "341524100000"
GOOD = [
    "code,name,level,parent",
    "990000000000,测试省,省,",
    "990100000000,测试市,市,990000000000",
    "990101000000,测试县,县,990100000000",
    "990101001000,测试乡,乡,990101000000",
    "990101001200,测试村委会,村,990101001000",
]


def written(tmp_path, lines, encoding="utf-8"):
    path = tmp_path / "divisions.csv"
    path.write_bytes("\n".join(lines).encode(encoding))
    return path


def count():
    return Division.objects.using("maintenance").count()


@pytest.mark.parametrize(
    ("line", "text", "what"),
    [
        (1, "code,name,level", "表头不对"),
        (3, "990100000000,测试市,市", "应有 4 列"),
        (3, "990000000000,测试市,市,990000000000", "不是市级代码|重复"),
        (4, "990101000000,测试县,区县,990100000000", "没有“区县”这一级"),
        (4, "99010100000,测试县,县,990100000000", "不是 12 位数字"),
        (4, "990101000000,,县,990100000000", "没有名称"),
        (5, "990101001000,测试乡,乡,990102000000", "与代码"),
        (5, "990101001001,测试乡,乡,990101000000", "不是乡级代码"),
        (6, "990101001200,测试村委会,乡,990101000000", "不是乡级代码"),
        (2, "990000000000,测试省,省,110000000000", "上级代码不对"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_loaded(county, tmp_path, line, text, what):
    """ORG-01"""
    county("blank")
    lines = list(GOOD)
    lines[line - 1] = text
    with pytest.raises(BadInput, match=what) as wrong:
        load_divisions(written(tmp_path, lines), SINCE)
    assert wrong.value.where == f"divisions.csv 第 {line} 行"
    assert count() == 0


def test_missing_parent_duplicate_and_encoding_are_refused(county, tmp_path):
    county("blank")
    with pytest.raises(BadInput, match="不存在"):
        load_divisions(written(tmp_path, [GOOD[0], *GOOD[2:]]), SINCE)
    with pytest.raises(BadInput, match="重复") as twice:
        load_divisions(written(tmp_path, [*GOOD, GOOD[5]]), SINCE)
    assert twice.value.where == "divisions.csv 第 7 行" and "第 6 行" in twice.value.why
    with pytest.raises(BadInput, match="UTF-8") as encoded:
        load_divisions(written(tmp_path, GOOD, "gb18030"), SINCE)
    assert encoded.value.where == "divisions.csv 第 2 行"
    with pytest.raises(BadInput, match="没有数据"):
        load_divisions(written(tmp_path, GOOD[:1]), SINCE)
    with pytest.raises(BadInput, match="没有这个文件"):
        load_divisions(tmp_path / "nothing.csv", SINCE)
    assert count() == 0


def test_a_good_file_is_loaded_once(county, tmp_path):
    county("blank")
    path = written(tmp_path, GOOD)
    assert load_divisions(path, SINCE) == LoadReport(added=5, unchanged=0)
    assert load_divisions(path, DAY) == LoadReport(added=0, unchanged=5)
    changed = [*GOOD[:4], GOOD[4].replace("测试乡", "改名乡"), GOOD[5]]
    with pytest.raises(BadInput, match="请先办理更名"):
        load_divisions(written(tmp_path, changed), DAY)
    with pytest.raises(BadInput, match="此后已有登记"):
        load_divisions(path, date(2019, 1, 1))
    assert count() == 5


def test_the_shipped_file_loads_whole_and_groups_follow(county):
    county("blank")
    assert load_divisions(settings.DIVISIONS_FILE, SINCE).added == 3659
    village = "341524100002"
    assert load_groups([(village + "001", "上湾组")], DAY).added == 1
    assert load_groups([(village + "001", "上湾组")], DAY).unchanged == 1
    with pytest.raises(BadInput, match="没有村") as lost:
        load_groups([(village + "002", "下湾组"), ("341524999999001", "无村组")], DAY)
    assert lost.value.where == "村民组名单 第 2 行"
    with pytest.raises(BadInput, match="15 位"):
        load_groups([("3415241000020", "短码组")], DAY)


def test_names_children_and_chain(shared_county):
    shared_county("organised")
    with reading(actor(Post.CLERK, MEISHAN)):
        villages = list_villages(MEISHAN, DAY)
        assert chain_names(villages[0].code, DAY)[:4] == ["安徽省", "六安市", "金寨县", "梅山镇"]
        assert [each.pinyin for each in villages] == sorted(each.pinyin for each in villages)
        assert len(list_children(COUNTY, DAY)) == 23
        assert len(list_beneath(COUNTY, Level.COUNTY, Level.VILLAGE, DAY)) == 232
        with pytest.raises(NoSuchDivision):
            get_division("341524999000", DAY)
        with pytest.raises(NoSuchDivision):
            get_division(MEISHAN, date(2019, 1, 1))


def test_rename_and_merge_by_the_administrator_only(county):
    """ORG-01: a place has its old name on old days; a merged one names its successor."""
    county("organised")
    administrator = actor(Post.ADMINISTRATOR, OfficeKind.LEADING_OFFICE)
    with reading(administrator):
        one, two = list_villages(MEISHAN, DAY)[:2]
    with pytest.raises(NotYourPost):
        rename_division(by=actor(Post.CLERK, MEISHAN), on=DAY, code=one.code, name="新名村委会")
    with pytest.raises(NotYourPlace):
        rename_division(by=administrator, on=DAY, code="341525000000", name="别县")
    rename_division(by=administrator, on=DAY, code=one.code, name="新名村委会")
    rename_division(by=administrator, on=DAY, code=one.code, name="新名村委会")
    with pytest.raises(BadInput, match="生效"):
        rename_division(by=administrator, on=DAY, code=one.code, name="再改村委会")
    with pytest.raises(StillInUse):
        merge_division(by=administrator, on=DAY, code=MEISHAN, into="341524101000")
    with pytest.raises(BadInput, match="同级"):
        merge_division(by=administrator, on=DAY, code=two.code, into=MEISHAN)
    for _ in range(2):
        merge_division(by=administrator, on=DAY, code=two.code, into=one.code)
    with reading(administrator):
        assert get_division(one.code, date(2021, 6, 20)).name == one.name
        assert get_division(one.code, DAY).name == "新名村委会"
        assert current_code(two.code, DAY) == one.code
        with pytest.raises(NoSuchDivision, match=one.code):
            get_division(two.code, DAY)
        assert Division.objects.filter(code=one.code).count() == 2
