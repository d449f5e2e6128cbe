"""What the top bar offers to a post: groups of pages, and beneath it the pages of the group one is in.

A page is offered to exactly the posts its view is open to (`guard.page`), so the menu cannot offer what would be refused.
"""

from dataclasses import dataclass
from functools import cache

from django.urls import resolve, reverse

from huimin.organisation.posts import Post


@dataclass(frozen=True)
class Entry:
    """A page of the menu; `section` is what its pages name themselves to be marked as current."""

    section: str
    label: str
    route: str

    @property
    def url(self) -> str:
        return reverse(self.route)

    def is_for(self, post: Post) -> bool:
        return post in resolve(self.url).func.guard.posts  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Group:
    """Pages that belong together; the top bar shows its name, or that of its only page."""

    name: str
    entries: tuple[Entry, ...]

    @property
    def label(self) -> str:
        return self.name if len(self.entries) > 1 else self.entries[0].label

    @property
    def url(self) -> str:
        return self.entries[0].url

    @property
    def sections(self) -> frozenset[str]:
        return frozenset(entry.section for entry in self.entries)


GROUPS = (
    Group("工作台", (Entry("desk", "工作台", "desk"),)),
    Group(
        "登记",
        (
            Entry("households", "家庭", "households"),
            Entry("lists", "名单", "lists"),
            Entry("changes", "变更", "changes"),
            Entry("imports", "导入", "imports"),
            Entry("work-items", "待核实", "work-items"),
            Entry("campaigns", "年度普查", "campaigns"),
            Entry("points", "监测点", "points"),
            Entry("signals", "低收入监测", "signals"),
            Entry("letters", "责任", "letters"),
            Entry("duplicates", "查重", "duplicates"),
            Entry("inquiries", "村里核查", "inquiries"),
        ),
    ),
    Group(
        "审核",
        (
            Entry("proposals", "甄别", "proposals"),
            Entry("cases", "申请办理", "cases"),
            Entry("visits", "入户调查", "visits"),
            Entry("meetings", "民主评议", "meetings"),
            Entry("samples", "抽查", "samples"),
            Entry("case-times", "时限和快慢", "case-times"),
            Entry("tellings", "文书", "told-letters"),
            Entry("reliefs", "急难救助", "reliefs"),
            Entry("petty-funds", "备用金", "petty-funds"),
            Entry("care", "特困供养", "care"),
        ),
    ),
    Group(
        "动态管理",
        (
            Entry("rechecks", "复核", "rechecks"),
            Entry("appeals", "申诉", "appeals"),
            Entry("rectifications", "专项整治", "rectifications"),
        ),
    ),
    Group(
        "公示",
        (
            Entry("notices", "公示", "notices"),
            Entry("objections", "公示异议", "objections"),
            Entry("publicity", "长期公示", "publicity"),
        ),
    ),
    Group(
        "发放",
        (
            Entry("rosters", "清册", "rosters"),
            Entry("paid", "发放情况", "paid"),
            Entry("summaries", "汇总清册", "summaries"),
            Entry("indicators", "指标", "indicators"),
            Entry("owed", "待发", "owed"),
            Entry("applications", "拨款申请", "applications"),
            Entry("timetable", "资金日程", "timetable"),
            Entry("batches", "银行批次", "batches"),
            Entry("bank-files", "银行文件", "bank-files"),
            Entry("exceptions", "待处理", "exceptions"),
            Entry("comparisons", "逐户核对", "comparisons"),
            Entry("recoveries", "追缴", "recoveries"),
            Entry("statements-of-banks", "银行对账单", "bank-statements"),
            Entry("money", "缴回和拨入", "money"),
            Entry("pay-routes", "支付方式", "pay-routes"),
            Entry("bank-settings", "银行设置", "bank-settings"),
            Entry("agent-banks", "代理银行", "agent-banks"),
        ),
    ),
    Group(
        "卡折",
        (
            Entry("handovers", "领卡登记", "handovers"),
            Entry("corrections", "账户更正", "corrections"),
            Entry("authorities", "代领授权", "authorities"),
        ),
    ),
    Group(
        "账务",
        (
            Entry("ledger", "账簿和报表", "ledger"),
            Entry("days", "序时账", "days"),
            Entry("voucher-reviews", "审核凭证", "voucher-reviews"),
            Entry("manual-vouchers", "手工凭证", "manual-vouchers"),
            Entry("closes", "结账", "closes"),
            Entry("proofs", "三方核对", "proofs"),
            Entry("settlements", "结算单", "settlements"),
        ),
    ),
    Group(
        "政策",
        (
            Entry("policies", "政策清单", "policies"),
            Entry("policy-drafts", "起草和审批", "policy-drafts"),
            Entry("own-facts", "本地事实", "own-facts"),
            Entry("processes", "办理流程", "processes"),
            Entry("simulations", "测算", "simulations"),
            Entry("coverage", "覆盖分析", "coverage"),
            Entry("calendar", "工作日历", "calendar"),
        ),
    ),
    Group(
        "管理",
        (
            Entry("accounts", "账号", "accounts"),
            Entry("training", "培训和经办力量", "training"),
            Entry("kinship", "近亲属备案", "kinship"),
            Entry("archives", "档案", "archives"),
            Entry("traces", "查看和导出记录", "traces"),
        ),
    ),
)


@cache
def groups_for(post: Post) -> tuple[Group, ...]:
    """The groups of which the post may open at least one page, each with the pages it may open."""
    open_to = (Group(group.name, tuple(entry for entry in group.entries if entry.is_for(post))) for group in GROUPS)
    return tuple(group for group in open_to if group.entries)
