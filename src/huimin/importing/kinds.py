"""The four kinds of tables, what each may say, and which kind a table is (REG-03, REG-07).

households  who lives where: one row a household; new households come in with their heads
members     one row a person, in a household that is known or begins with its 户主 in the same file
cards       one row an account
resources   land, forests, animals of known households: several rows of one are added up
"""

from dataclasses import dataclass

from huimin.kernel.facts import HOUSEHOLD_FACTS, PERSON_FACTS, Entity, Fact

FACT_OF: dict[str, Fact] = {fact.code: fact for fact in (*HOUSEHOLD_FACTS, *PERSON_FACTS)}
RESOURCES = (
    "contract_land_mu", "sown_land_mu", "rice_mu", "wheat_mu", "corn_mu", "soy_mu", "public_forest_mu",
    "retired_farmland_mu", "breeding_sows", "machinery_price", "special_product_income_year",
)  # fmt: skip
_PLACE = ("division", "township", "village", "group")
_HOUSEHOLD = ("household_no", "head_name", "head_id")
_NO_FACTS = {
    "household_no": "户编码", "head_name": "户主姓名", "head_id": "户主证件号码", "division": "区划代码", "township": "乡镇",
    "village": "村", "group": "村民组", "address": "家庭地址", "phone": "联系电话", "name": "姓名", "id_number": "证件号码",
    "holder_id": "持卡人证件号码", "account": "账号", "account_name": "户名", "use": "用途（户、人）", "bank": "开户银行",
}  # fmt: skip
LABELS = _NO_FACTS | {code: fact.name for code, fact in FACT_OF.items()}
"""What pages call each target."""
PERSONAL = frozenset(("id_number", "head_id", "holder_id", "account", "address", "phone"))
ONLY_BY_HAND = frozenset(("death_date", "moved_out_date"))
"""Facts that end a membership: they are reported one by one, with evidence, never by a table."""


@dataclass(frozen=True)
class Kind:
    """`needs` lists groups of targets of which one must be there; `same` reads a target as another in this kind."""

    code: str
    label: str
    targets: tuple[str, ...]
    needs: tuple[tuple[str, ...], ...]
    same: tuple[tuple[str, str], ...] = ()

    def target(self, code: str) -> str:
        """The target a head means in this kind: 姓名 in a table of households is the head's."""
        means = dict(self.same).get(code, code)
        return means if means in self.targets else ""

    def missing(self, mapped: set[str]) -> list[str]:
        """What this kind cannot do without, in words; a county's own fact stands for any of the dictionary's."""
        if mapped - set(_NO_FACTS) - set(FACT_OF):
            mapped = mapped | set(RESOURCES)
        return ["或".join(LABELS[each] for each in group) for group in self.needs if not mapped & set(group)]


_OF_HEAD = (("name", "head_name"), ("id_number", "head_id"))
KINDS: dict[str, Kind] = {
    kind.code: kind
    for kind in (
        Kind(
            "households", "户（基本信息）",
            (*_HOUSEHOLD, *_PLACE, "address", "phone", *(fact.code for fact in HOUSEHOLD_FACTS)),
            (("household_no", "head_id"),), _OF_HEAD,
        ),
        Kind(
            "members", "人（家庭成员）",
            (*_HOUSEHOLD, *_PLACE, "name", "id_number", *(fact.code for fact in PERSON_FACTS)),
            (("id_number",),),
        ),
        Kind(
            "cards", "卡（一卡通账号）", ("household_no", "holder_id", "account", "account_name", "use", "bank"),
            (("account",), ("holder_id", "household_no")),
            (("id_number", "holder_id"), ("head_id", "holder_id"), ("name", "account_name"), ("head_name", "account_name")),
        ),
        Kind(
            "resources", "资源（土地、林地、养殖）", (*_HOUSEHOLD, *RESOURCES),
            (("household_no", "head_id"), RESOURCES), _OF_HEAD,
        ),
    )
}  # fmt: skip


def recognise_kind(found: set[str], added: dict[str, Fact] | None = None) -> str:
    """The kind a table with these targets is; "" when it could be anything."""
    own = added or {}
    facts = found & (set(FACT_OF) | set(own)) - {"sex", "birth_date"}
    of = {code: (FACT_OF | own)[code].entity for code in facts}
    if "account" in found:
        return "cards"
    if "id_number" in found and Entity.PERSON in of.values():
        return "members"
    of_households = {code for code, entity in of.items() if entity is Entity.HOUSEHOLD}
    keyed = bool(found & {"household_no", "head_id", "id_number"})
    if keyed and of_households and of_households <= set(RESOURCES) | set(own):
        return "resources"
    return "households" if keyed and (of_households or found & {"address", "phone"}) else ""
