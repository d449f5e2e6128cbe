"""Adopting policies: whole, checked, once (POL-01, POL-02)."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from django.conf import settings

from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.demo.granting import county_officer
from huimin.demo.listing import townships
from huimin.kernel.errors import BadInput, Refusal
from huimin.organisation.acting import NotYourPost, reading
from huimin.organisation.posts import Post
from huimin.policy.commands import CaseFailed, adopt_policies, read_folder
from huimin.policy.models import PolicyText, Programme

At = Callable[[str], str]


def texts() -> dict[str, str]:
    return read_folder(settings.POLICY_FOLDER)


def adopt(files: dict[str, str], on: date = dates.ADOPTED) -> int:
    return adopt_policies(by=county_officer(), on=on, texts=files)


def test_adopting_again_changes_nothing(county: At) -> None:
    """POL-02: the same texts have no second effect."""
    county("adopted")
    with reading(county_officer()):
        before = PolicyText.objects.count()
    assert adopt(texts()) == 0
    with reading(county_officer()):
        assert PolicyText.objects.count() == before
        assert Programme.objects.count() == 3


def test_a_changed_text_ends_the_old_one(county: At) -> None:
    """POL-01: the policy list changes only by a new version; the old text stays."""
    county("adopted")
    changed = texts()
    path = "sample-county/parameters.yaml"
    changed[path] += "# 补一行说明\n"
    assert adopt(changed) == 1
    with reading(county_officer()):
        rows = PolicyText.objects.filter(path=path).order_by("pk")
        assert [row.superseded_at is None for row in rows] == [False, True]


@pytest.mark.parametrize(
    ("path", "old", "new", "named"),
    [
        ("national/dibao-rural.yaml", "家庭人均月收入 < 低保标准", "家庭人均月收人 < 低保标准", "家庭人均月收入"),
        ("anhui/grain-one-off.yaml", "实际种植亩数", "实际种植亩树", "实际种植亩数"),
    ],
)
def test_a_typo_is_named_with_its_place_and_nothing_is_adopted(
    county: At, path: str, old: str, new: str, named: str
) -> None:
    """POL-02: file, line, what would be right; nothing changed, nothing lost."""
    county("adopted")
    wrong = texts()
    assert old in wrong[path]
    wrong[path] = wrong[path].replace(old, new)
    with reading(county_officer()):
        before = list(PolicyText.objects.order_by("pk").values_list("pk", "superseded_at"))
    with pytest.raises(BadInput) as refused:
        adopt(wrong)
    assert path in str(refused.value)
    assert named in str(refused.value)
    assert "行" in str(refused.value)
    with reading(county_officer()):
        assert list(PolicyText.objects.order_by("pk").values_list("pk", "superseded_at")) == before


def test_a_failing_case_stops_adoption(shared_county: At) -> None:
    """POL-02: worked examples run as tests."""
    shared_county("adopted")
    wrong = texts()
    path = "anhui/grain-one-off.yaml"
    wrong[path] = wrong[path].replace("数值: 18.34 元/亩", "数值: 18.35 元/亩", 1)
    with pytest.raises(CaseFailed):
        adopt(wrong)


def test_a_policy_without_cases_is_not_adopted(shared_county: At) -> None:
    """POL-02: nobody has shown what it means."""
    shared_county("adopted")
    wrong = texts()
    path = "anhui/grain-one-off.yaml"
    wrong[path] = wrong[path].partition("\n案例:")[0] + "\n"
    with pytest.raises(CaseFailed, match="项目 grain-one-off 有 0 个案例，至少要写三个"):
        adopt(wrong)


def test_only_the_county_office_adopts(county: At) -> None:
    """SEC-02: the post."""
    county("adopted")
    with pytest.raises(NotYourPost):
        adopt_policies(by=actor(Post.CLERK, townships()[0]), on=dates.ADOPTED, texts=texts())


def test_a_folder_without_policies_or_in_another_encoding_is_named(tmp_path: Path) -> None:
    """Refuse with the file's name."""
    with pytest.raises(Refusal, match="没有政策文件"):
        read_folder(tmp_path)
    (tmp_path / "a.yaml").write_bytes("项目: 低保".encode("gb18030"))
    with pytest.raises(BadInput, match=r"a\.yaml"):
        read_folder(tmp_path)
