"""The fact dictionary (事实目录): what the registry holds and policies may speak of.

One list serves the registry's columns, the population generator, the policy language and explanations: the Chinese
name is the word in a policy, the code is the column. This list holds the facts that the policies in `policy/` need;
a fact that is not here does not exist anywhere in the system.

Values inside the system: INT as is, MONEY in 分, AREA in hundredths of 亩 (or of 平方米), DATE as date, FLAG as bool,
CHOICE and TEXT as str. None always means "not asked yet", which is neither zero nor false.
"""

from dataclasses import dataclass
from enum import Enum


class Entity(Enum):
    """Whose fact it is."""

    HOUSEHOLD = "户"
    PERSON = "人"


class Kind(Enum):
    """How a fact is stored and computed with."""

    INT = "整数"
    MONEY = "金额"
    AREA = "面积"
    DATE = "日期"
    FLAG = "是否"
    CHOICE = "选项"
    TEXT = "文字"


@dataclass(frozen=True)
class Fact:
    """One fact: `name` in Chinese, `code` of its column, and for numbers the `unit` in the policy language.

    `unit` is one of 元, 亩, 岁, 项 ... or "" for none; `per` is "月" or "年" for a flow of money.
    `paper` is what proves the fact, named to the citizen when it is missing. `sensitive` facts (health, disability)
    are masked like personal data.
    """

    name: str
    code: str
    entity: Entity
    kind: Kind
    unit: str = ""
    per: str = ""
    choices: tuple[str, ...] = ()
    paper: str = ""
    sensitive: bool = False


def _household(name: str, code: str, kind: Kind, **more: object) -> Fact:
    return Fact(name, code, Entity.HOUSEHOLD, kind, **more)  # type: ignore[arg-type]


def _person(name: str, code: str, kind: Kind, **more: object) -> Fact:
    return Fact(name, code, Entity.PERSON, kind, **more)  # type: ignore[arg-type]


HOUSEHOLD_FACTS: tuple[Fact, ...] = (
    _household("户籍类型", "hukou", Kind.CHOICE, choices=("农业", "非农业"), paper="户口簿"),
    _household("承包地亩数", "contract_land_mu", Kind.AREA, unit="亩", paper="土地承包经营权证"),
    _household("实际种植亩数", "sown_land_mu", Kind.AREA, unit="亩", paper="种植面积登记表"),
    _household("机动车数", "vehicles", Kind.INT, unit="辆", paper="车辆登记查询结果"),
    _household("机动车价值", "vehicle_value", Kind.MONEY, unit="元", paper="车辆登记查询结果"),
    _household("大型农机具数", "large_machines", Kind.INT, unit="台", paper="农机登记查询结果"),
    _household("房产套数", "houses", Kind.INT, unit="套", paper="不动产登记查询结果"),
    _household("存款", "deposits", Kind.MONEY, unit="元", paper="银行存款查询结果"),
    _household("有价证券", "securities", Kind.MONEY, unit="元", paper="证券账户查询结果"),
    _household("其他金融资产", "other_assets", Kind.MONEY, unit="元", paper="金融资产查询结果"),
    _household("工商登记数", "businesses", Kind.INT, unit="个", paper="市场主体登记查询结果"),
    _household("年经营净收入", "business_income_year", Kind.MONEY, unit="元", per="年", paper="家庭收入申报表"),
    _household("年财产净收入", "property_income_year", Kind.MONEY, unit="元", per="年", paper="家庭收入申报表"),
    _household("年转移净收入", "transfer_income_year", Kind.MONEY, unit="元", per="年", paper="家庭收入申报表"),
    _household("年其他收入", "other_income_year", Kind.MONEY, unit="元", per="年", paper="家庭收入申报表"),
    _household("年刚性医疗支出", "rigid_medical_year", Kind.MONEY, unit="元", per="年", paper="医疗费用结算单"),
    _household("年刚性教育支出", "rigid_education_year", Kind.MONEY, unit="元", per="年", paper="学校收费票据"),
)

PERSON_FACTS: tuple[Fact, ...] = (
    _person("性别", "sex", Kind.CHOICE, choices=("男", "女"), paper="居民身份证"),
    _person("出生日期", "birth_date", Kind.DATE, paper="居民身份证"),
    _person(
        "与户主关系",
        "relation",
        Kind.CHOICE,
        choices=("户主", "配偶", "子", "女", "孙", "父母", "祖父母", "兄弟姐妹", "其他"),
        paper="户口簿",
    ),
    _person("劳动能力", "labour", Kind.CHOICE, choices=("有", "部分", "无"), paper="劳动能力鉴定材料", sensitive=True),
    _person("就业", "employed", Kind.FLAG, paper="就业登记材料"),
    _person("月工资", "wage_month", Kind.MONEY, unit="元", per="月", paper="工资收入证明"),
    _person("月养老金", "pension_month", Kind.MONEY, unit="元", per="月", paper="养老金领取记录"),
    _person("残疾等级", "disability_grade", Kind.INT, unit="级", paper="残疾人证", sensitive=True),
    _person("重病", "serious_illness", Kind.FLAG, paper="诊断证明", sensitive=True),
    _person("水库移民", "reservoir_migrant", Kind.FLAG, paper="移民人口核定登记表"),
    _person("移民登记日期", "migrant_since", Kind.DATE, paper="移民人口核定登记表"),
    _person("财政供养", "fiscal_payroll", Kind.FLAG, paper="财政供养人员查询结果"),
    _person("宗教教职年限", "clergy_years", Kind.INT, unit="年", paper="教职人员证明"),
    _person("服刑或强制戒毒", "in_custody", Kind.FLAG, paper="司法机关证明"),
    _person("死亡日期", "death_date", Kind.DATE, paper="死亡证明"),
    _person("迁出日期", "moved_out_date", Kind.DATE, paper="户口迁移证"),
)

FACTS: tuple[Fact, ...] = HOUSEHOLD_FACTS + PERSON_FACTS
