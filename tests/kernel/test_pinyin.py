"""Pinyin keys: what lists of people and places are sorted by (ORG-01, REG-01)."""

import pytest

from huimin.kernel.pinyin import compact, person_key, pinyin_key


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("梅山镇", "mei shan zhen"),
        ("徐冲村委会", "xu chong cun wei hui"),
        ("第3组", "di 3 zu"),
        ("Ａ", "uff21"),
        ("", ""),
    ],
)
def test_places(text, key):
    assert pinyin_key(text) == key


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("单雪", "shan xue"),
        ("仇英", "qiu ying"),
        ("曾志伟", "zeng zhi wei"),
        ("尉迟恭", "yu chi gong"),
        ("张伟", "zhang wei"),
    ],
)
def test_surnames_are_read_as_surnames(name, key):
    assert person_key(name) == key


def test_every_character_gives_something():
    """Rare characters and a lone surname character sort somewhere, never as empty."""
    assert all(pinyin_key(char) for char in "㛃䶮𠮷𬱖·")
    assert person_key("单") == pinyin_key("单")
    assert compact(pinyin_key("梅山")) == "meishan"
