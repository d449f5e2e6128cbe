"""What became of a row, in words; one table of states for households, members and cards.

A state is what the set-based statements write beside a row. `same` rows have none.
"""

from dataclasses import dataclass

from huimin.registry.models import WorkItem

NEW, CHANGED, SAME, CONFLICT, WRONG = "new", "changed", "same", "conflict", "wrong"
Item = WorkItem.Kind


@dataclass(frozen=True)
class Verdict:
    """`status` is new, changed, conflict or wrong; `division`, `household` and `person` say where it was found."""

    status: str
    what: str = ""
    why: str = ""
    remedy: str = ""
    item: str = ""
    division: str = ""
    household: int | None = None
    person: int | None = None
    state: str = ""


@dataclass(frozen=True)
class _Words:
    status: str
    what: str = ""
    why: str = ""
    remedy: str = ""
    item: str = ""


_LOOK = "已列入“待核实”，请核实后在该户页面办理"
STATES: dict[str, _Words] = {
    "new": _Words(NEW),
    "joins": _Words(CHANGED),
    "changed": _Words(CHANGED),
    # households
    "missing": _Words(WRONG, "没有登记这一户", "户编码或户主证件号码查不到", "请核对；新户请先用“户”或“人”的表导入"),
    "nowhere": _Words(WRONG, "新户没有写明是哪个村", "", "请补填村名或区划代码"),
    "closed": _Words(WRONG, "这一户已经注销", "", "请核对户编码"),
    "outside": _Words(WRONG, "不在这次导入的地方之内", "", "请核对，或由当地导入"),
    "twice": _Words(WRONG, "与本表另一行是同一户", "", "请合并为一行"),
    "taken": _Words(WRONG, "户编码已被别处的户使用", "", "请核对户编码"),
    "headless": _Words(WRONG, "新户没有可以登记的户主", "户主这一行没有、有误或待核实", "请先补正户主"),
    "moved": _Words(CONFLICT, "区划与登记的不同", "", f"迁移须办理迁入迁出；{_LOOK}", Item.DIFFERS),
    "other_head": _Words(CONFLICT, "户主与登记的不同", "", f"变更户主须办理手续；{_LOOK}", Item.DIFFERS),
    # members
    "house": _Words(WRONG, "所属的户没有导入", "见这一户的说明", "户的问题解决后再导入这一行"),
    "homeless": _Words(WRONG, "不知道是哪一户", "没有登记此人，也没有写明户编码或户主证件号码", "请补填户编码或户主证件号码"),
    "nameless": _Words(WRONG, "新成员没有姓名", "", "请补填姓名"),
    "relation": _Words(WRONG, "新成员没有与户主关系", "", "请对照户口簿补填"),
    "name": _Words(CONFLICT, "姓名与登记的不同", "同一证件号码登记的是另一个姓名", _LOOK, Item.DIFFERS),
    "same_person": _Words(CONFLICT, "同一证件号码已登记在另一户", "", _LOOK, Item.SAME_PERSON),
    "elsewhere": _Words(CONFLICT, "同一证件号码已登记在本辖区以外的户", "", _LOOK, Item.SAME_PERSON),
    "head": _Words(CONFLICT, "户主变更不随表导入", "表中与登记中，是否户主不同", f"请办理户主变更；{_LOOK}", Item.DIFFERS),
    "second_head": _Words(CONFLICT, "这一户已有户主", "", _LOOK, Item.DIFFERS),
    # cards
    "no_holder": _Words(WRONG, "没有登记持卡人", "证件号码或户编码查不到", "请核对，或先导入家庭成员"),
    "not_member": _Words(WRONG, "持卡人现在不在任何一户", "", "请先登记其所在的户"),
    "not_head": _Words(WRONG, "户的卡应在户主名下", "一户一卡，户主持有", "请填户主的账号，或把用途改为“人”"),
    "not_own": _Words(WRONG, "户名与持卡人姓名不一致", "补贴只发到本人账户", "请提供本人名下的账号"),
    "second_card": _Words(CONFLICT, "已有一张在用的卡，账号不同", "", f"换账号须办账户更正，由另一人审核；{_LOOK}", Item.SECOND_CARD),
    "shared_card": _Words(CONFLICT, "这个账号已由他人（他户）使用", "", _LOOK, Item.SHARED_CARD),
}  # fmt: skip


def verdict(state: str, division: str, household: int | None, person: int | None) -> Verdict:
    words = STATES[state]
    return Verdict(words.status, words.what, words.why, words.remedy, words.item, division, household, person, state)
