"""Posts (岗位): what a person may do, which posts check each other, and which offices have them (SEC-02, PAY-03).

Every post of this list checks some other (统计员, 审核员, 财务结算员 are three people; who releases money did not prepare
it; who issues accounts does no business), so one person holds one post at a time. The database enforces that with an
exclusion constraint on appointments. The same post at two offices is allowed. S0 A2 art 11–14, A4 art 16.
"""

from django.db import models


class Post(models.TextChoices):
    INFORMATION_OFFICER = "information_officer", "信息员"
    CLERK = "clerk", "统计员"
    REVIEWER = "reviewer", "审核员"
    SETTLEMENT = "settlement", "财务结算员"
    TOWNSHIP_HEAD = "township_head", "乡镇负责人"
    DEPARTMENT_OFFICER = "department_officer", "部门经办"
    DEPARTMENT_APPROVER = "department_approver", "部门审批"
    FINANCE_OFFICER = "finance_officer", "财政经办"
    FINANCE_RELEASER = "finance_releaser", "财政复核放行"
    ACCOUNTANT = "accountant", "会计"
    BANK_OPERATOR = "bank_operator", "银行经办"
    SUPERVISOR = "supervisor", "监督员"
    COUNTY_OFFICER = "county_officer", "惠民办经办"
    LEADING_APPROVER = "leading_approver", "领导小组审批"
    ADMINISTRATOR = "administrator", "系统管理员"


class OfficeKind(models.TextChoices):
    LEADING_OFFICE = "leading_office", "惠民办"
    CIVIL_AFFAIRS = "civil_affairs", "民政部门"
    AGRICULTURE = "agriculture", "农业农村部门"
    WATER = "water", "水利（移民）部门"
    FINANCE = "finance", "财政部门"
    AUDIT = "audit", "审计部门"
    TOWNSHIP = "township", "乡镇为民服务中心"
    VILLAGE = "village", "村代理点"
    BANK = "bank", "代理银行"


POSTS_OF: dict[str, tuple[str, ...]] = {
    OfficeKind.LEADING_OFFICE: (Post.COUNTY_OFFICER, Post.LEADING_APPROVER, Post.ADMINISTRATOR),
    OfficeKind.CIVIL_AFFAIRS: (Post.DEPARTMENT_OFFICER, Post.DEPARTMENT_APPROVER),
    OfficeKind.AGRICULTURE: (Post.DEPARTMENT_OFFICER, Post.DEPARTMENT_APPROVER),
    OfficeKind.WATER: (Post.DEPARTMENT_OFFICER, Post.DEPARTMENT_APPROVER),
    OfficeKind.FINANCE: (Post.FINANCE_OFFICER, Post.FINANCE_RELEASER, Post.ACCOUNTANT),
    OfficeKind.AUDIT: (Post.SUPERVISOR,),
    OfficeKind.TOWNSHIP: (Post.CLERK, Post.REVIEWER, Post.SETTLEMENT, Post.TOWNSHIP_HEAD),
    OfficeKind.VILLAGE: (Post.INFORMATION_OFFICER,),
    OfficeKind.BANK: (Post.BANK_OPERATOR,),
}
