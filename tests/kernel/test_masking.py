"""SEC-04: masked values never come out whole, and look the same wherever they are shown."""

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from huimin.kernel.masking import (
    COMPOUND_SURNAMES,
    mask_account,
    mask_address,
    mask_identity,
    mask_name,
    mask_phone,
)

HAN = st.sampled_from("汪小梅李欧阳司马诸葛王䶮𠮷𬱖㛃金寨县镇村社区街道乡")
DIGITS = st.text("0123456789X", max_size=24)


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("汪小梅", "汪*梅"),
        ("李梅", "李*"),
        ("欧阳晓梅", "欧阳**"),
        ("欧阳修", "欧阳*"),
        ("司马", "司*"),
        ("汪李晓梅", "汪**梅"),
        ("王𠮷", "王*"),
        ("王䶮㛃", "王*㛃"),
        ("阿依古丽·买买提", "阿***·***"),
        (" 李梅 ", "李*"),
        ("邉\U000e0101小梅", "邉*梅"),
        ("李", "*"),
        ("", ""),
    ],
)
def test_names(name: str, masked: str) -> None:
    assert mask_name(name) == masked


@pytest.mark.parametrize(
    ("mask", "plain", "masked"),
    [
        (mask_identity, "341599196203041284", "341599********1284"),
        (mask_identity, "E12345678", "*********"),
        (mask_account, "6299990123456781284", "6299***********1284"),
        (mask_account, "6299 9901 2345 6781 284", "6299***********1284"),
        (mask_phone, "16001231284", "160****1284"),
        (mask_phone, "7031234", "*******"),
        (mask_address, "安徽省六安市金寨县梅山镇徐冲村老湾组12号", "安徽省六安市金寨县梅山镇徐冲村****"),
        (mask_address, "金寨县梅山镇红村社区3号", "金寨县梅山镇红村****"),
        (mask_address, "金寨县流波䃥镇 12号", "金寨县流波䃥镇****"),
        (mask_address, "金寨县12号", "金寨县****"),
        (mask_address, "12号", "****"),
        (mask_address, "金寨县梅山镇徐冲村", "金寨县梅山镇****"),
        (mask_address, "", ""),
    ],
)
def test_numbers_and_addresses(mask: Callable[[str], str], plain: str, masked: str) -> None:
    assert mask(plain) == masked


@given(st.text(HAN, min_size=1, max_size=8))
def test_a_name_keeps_its_length_and_at_most_two_characters(name: str) -> None:
    masked = mask_name(name)
    shown = [char for char in masked if char != "*"]
    assert len(masked) == len(name) and "*" in masked
    assert len(shown) <= 2
    if name[:2] not in COMPOUND_SURNAMES:
        assert masked[1:-1] == "*" * (len(name) - 2)


@given(st.text(st.characters(exclude_characters="*"), min_size=1))
@example("·")
@example("阿·")
@example("·阿")
def test_no_name_comes_out_whole(name: str) -> None:
    assert not name.strip() or mask_name(name) != name


@pytest.mark.parametrize("mask", [mask_identity, mask_account, mask_phone])
@given(text=DIGITS)
def test_numbers_hide_at_least_four_digits(mask: Callable[[str], str], text: str) -> None:
    masked = mask(text)
    assert len(masked) == len(text)
    assert masked.count("*") >= min(4, len(text))
    assert all(shown in ("*", plain) for shown, plain in zip(masked, text, strict=True))


@given(st.text("金寨县梅山镇徐冲村社区街道0123456789号组-室 ", min_size=1))
def test_addresses_never_show_a_number_or_the_whole(address: str) -> None:
    masked = mask_address(address)
    assert not any(char.isdigit() for char in masked)
    assert not address.strip() or (masked.endswith("****") and masked != address)
    assert masked.removesuffix("****") in "".join(address.split())
