"""The fact dictionary (事实目录): what the registry holds and policies may speak of.

One list serves the registry's columns, the population generator, the policy language and explanations: the Chinese
name is the word in a policy, the code is the column; a fact that is not here and that no county added does not
exist anywhere in the system. Names and addresses are columns of the registry and never facts of a policy.

Values inside the system: INT as is, MONEY in 分, AREA in hundredths of 亩 (or of 平方米), DATE as date, FLAG as bool,
CHOICE and TEXT as str, PLACE as a division code (str). None always means "not asked yet", which is neither zero nor false.
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
    PLACE = "区划"


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


RELATIONS = ("户主", "配偶", "子", "女", "孙", "父母", "祖父母", "兄弟姐妹", "其他")
EDUCATION = ("不识字", "小学", "初中", "高中", "中专", "大专", "本科", "研究生")
SCHOOLING = ("否", "学前", "小学", "初中", "高中", "中职", "高职", "本科", "研究生")
DISABILITIES = ("无", "视力", "听力", "言语", "肢体", "智力", "精神", "多重")
VETERANS = ("无", "残疾军人", "烈属", "因公牺牲军人遗属", "病故军人遗属", "复员军人", "参战退役人员", "其他")

HOUSEHOLD_FACTS: tuple[Fact, ...] = (
    _household("户籍类型", "hukou", Kind.CHOICE, choices=("农业", "非农业"), paper="户口簿"),
    _household("承包地亩数", "contract_land_mu", Kind.AREA, unit="亩", paper="土地承包经营权证"),
    _household("实际种植亩数", "sown_land_mu", Kind.AREA, unit="亩", paper="种植面积登记表"),
    _household("水稻亩数", "rice_mu", Kind.AREA, unit="亩", paper="种植面积登记表"),
    _household("小麦亩数", "wheat_mu", Kind.AREA, unit="亩", paper="种植面积登记表"),
    _household("玉米亩数", "corn_mu", Kind.AREA, unit="亩", paper="种植面积登记表"),
    _household("大豆亩数", "soy_mu", Kind.AREA, unit="亩", paper="种植面积登记表"),
    _household("公益林亩数", "public_forest_mu", Kind.AREA, unit="亩", paper="林权证"),
    _household("退耕还林亩数", "retired_farmland_mu", Kind.AREA, unit="亩", paper="退耕还林合同"),
    _household("能繁母猪头数", "breeding_sows", Kind.INT, unit="头", paper="养殖登记表"),
    _household("农机购置金额", "machinery_price", Kind.MONEY, unit="元", paper="农机购置发票"),
    _household("特产品收入", "special_product_income_year", Kind.MONEY, unit="元", per="年", paper="家庭收入申报表"),
    _household("机动车数", "vehicles", Kind.INT, unit="辆", paper="车辆登记查询结果"),
    _household("机动车价值", "vehicle_value", Kind.MONEY, unit="元", paper="车辆登记查询结果"),
    _household("大型农机具数", "large_machines", Kind.INT, unit="台", paper="农机登记查询结果"),
    _household("房产套数", "houses", Kind.INT, unit="套", paper="不动产登记查询结果"),
    _household("房屋面积", "house_area_m2", Kind.AREA, unit="平方米", paper="不动产登记查询结果"),
    _household("存款", "deposits", Kind.MONEY, unit="元", paper="银行存款查询结果"),
    _household("有价证券", "securities", Kind.MONEY, unit="元", paper="证券账户查询结果"),
    _household("其他金融资产", "other_assets", Kind.MONEY, unit="元", paper="金融资产查询结果"),
    _household("工商登记数", "businesses", Kind.INT, unit="个", paper="市场主体登记查询结果"),
    _household("年经营净收入", "business_income_year", Kind.MONEY, unit="元", per="年", paper="家庭收入申报表"),
    _household("年财产净收入", "property_income_year", Kind.MONEY, unit="元", per="年", paper="家庭收入申报表"),
    _household("年转移净收入", "transfer_income_year", Kind.MONEY, unit="元", per="年", paper="家庭收入申报表"),
    _household("年其他收入", "other_income_year", Kind.MONEY, unit="元", per="年", paper="家庭收入申报表"),
    _household("年刚性医疗支出", "rigid_medical_year", Kind.MONEY, unit="元", per="年", paper="医疗费用结算单"),
    _household("年刚性康复支出", "rigid_rehab_year", Kind.MONEY, unit="元", per="年", paper="康复费用票据"),
    _household("年刚性教育支出", "rigid_education_year", Kind.MONEY, unit="元", per="年", paper="学校收费票据"),
    _household("建档立卡", "poverty_registered", Kind.CHOICE, choices=("否", "脱贫户", "监测户"), paper="建档立卡信息"),
    _household("受灾情况", "disaster", Kind.CHOICE, choices=("无", "轻", "重", "特重"), paper="灾情核查表"),
    _household("受灾日期", "disaster_date", Kind.DATE, paper="灾情核查表"),
)

PERSON_FACTS: tuple[Fact, ...] = (
    _person("性别", "sex", Kind.CHOICE, choices=("男", "女"), paper="居民身份证"),
    _person("出生日期", "birth_date", Kind.DATE, paper="居民身份证"),
    _person("与户主关系", "relation", Kind.CHOICE, choices=RELATIONS, paper="户口簿"),
    _person("婚姻状况", "marital", Kind.CHOICE, choices=("未婚", "已婚", "离异", "丧偶"), paper="婚姻登记证件"),
    _person("文化程度", "education", Kind.CHOICE, choices=EDUCATION, paper="学历证件"),
    _person("在校情况", "schooling", Kind.CHOICE, choices=SCHOOLING, paper="学籍证明"),
    _person("全日制", "full_time", Kind.FLAG, paper="学籍证明"),
    _person("住宿生", "boarder", Kind.FLAG, paper="学校证明"),
    _person("劳动能力", "labour", Kind.CHOICE, choices=("有", "部分", "无"), paper="劳动能力鉴定材料", sensitive=True),
    _person("就业", "employed", Kind.FLAG, paper="就业登记材料"),
    _person("月工资", "wage_month", Kind.MONEY, unit="元", per="月", paper="工资收入证明"),
    _person("月养老金", "pension_month", Kind.MONEY, unit="元", per="月", paper="养老金领取记录"),
    _person(
        "养老金类别",
        "pension_kind",
        Kind.CHOICE,
        choices=("无", "城乡居民", "职工", "机关事业"),
        paper="养老金领取记录",
    ),
    _person(
        "健康状况", "health", Kind.CHOICE, choices=("健康", "一般", "慢性病", "患病"), paper="诊断证明", sensitive=True
    ),
    _person("重病", "serious_illness", Kind.FLAG, paper="诊断证明", sensitive=True),
    _person("残疾类别", "disability_kind", Kind.CHOICE, choices=DISABILITIES, paper="残疾人证", sensitive=True),
    _person("残疾等级", "disability_grade", Kind.INT, unit="级", paper="残疾人证", sensitive=True),
    _person("自理能力失能项数", "self_care_losses", Kind.INT, unit="项", paper="生活自理能力评估表", sensitive=True),
    _person("优抚身份", "veteran_kind", Kind.CHOICE, choices=VETERANS, paper="优抚对象证件"),
    _person("伤残军人等级", "veteran_grade", Kind.INT, unit="级", paper="残疾军人证", sensitive=True),
    _person("军烈属", "martyr_family", Kind.FLAG, paper="烈士证明书"),
    _person("在乡老复员军人", "rural_veteran", Kind.FLAG, paper="复员军人证明书"),
    _person("独生子女证", "only_child", Kind.FLAG, paper="独生子女父母光荣证"),
    _person("独生子女父母", "only_child_parent", Kind.FLAG, paper="独生子女父母光荣证"),
    _person("双女户", "two_daughters", Kind.FLAG, paper="户口簿"),
    _person("水库移民", "reservoir_migrant", Kind.FLAG, paper="移民人口核定登记表"),
    _person("移民登记日期", "migrant_since", Kind.DATE, paper="移民人口核定登记表"),
    _person("财政供养", "fiscal_payroll", Kind.FLAG, paper="财政供养人员查询结果"),
    _person("村干部", "village_cadre", Kind.FLAG, paper="村干部备案表"),
    _person("经办人员近亲属", "staff_kin", Kind.FLAG, paper="近亲属备案表"),
    _person("宗教教职年限", "clergy_years", Kind.INT, unit="年", paper="教职人员证明"),
    _person("赡养能力", "supporter_able", Kind.CHOICE, choices=("有", "无", "无义务人"), paper="义务人家庭情况材料"),
    _person("参加医保", "medical_insured", Kind.CHOICE, choices=("未参加", "城乡居民", "职工"), paper="参保查询结果"),
    _person(
        "参加养老保险", "pension_insured", Kind.CHOICE, choices=("未参加", "城乡居民", "职工"), paper="参保查询结果"
    ),
    _person("住院医疗费用", "hospital_cost", Kind.MONEY, unit="元", paper="医疗费用结算单"),
    _person("医保报销", "hospital_reimbursed", Kind.MONEY, unit="元", paper="医疗费用结算单"),
    _person("分娩日期", "delivery_date", Kind.DATE, paper="出生医学证明", sensitive=True),
    _person("住院分娩", "hospital_delivery", Kind.FLAG, paper="出生医学证明", sensitive=True),
    _person("培训结业", "training_done", Kind.FLAG, paper="培训结业证书"),
    _person("培训类别", "training_kind", Kind.CHOICE, choices=("引导性", "技能", "创业"), paper="培训结业证书"),
    _person("服刑或强制戒毒", "in_custody", Kind.FLAG, paper="司法机关证明", sensitive=True),
    _person("死亡日期", "death_date", Kind.DATE, paper="死亡证明"),
    _person("迁出日期", "moved_out_date", Kind.DATE, paper="户口迁移证"),
)

FACTS: tuple[Fact, ...] = HOUSEHOLD_FACTS + PERSON_FACTS
