"""Papers: what the office prints and hands out (PAY-01, PAY-02, PAY-07).

in    who asks (`by`), and which village and period, roster or notice
out   bytes: PDF/A-2b for paper and file, .xlsx for the desk

| paper | for whom | names | numbers |
| --- | --- | --- | --- |
| `statements_pdf` 明白卡 | each household of a village, its own | full | identity masked, account tail |
| `roster_pdf`, `roster_xlsx` 单项清册 | who checks, signs and files | full | identity masked, account tail |
| `notice_pdf` 公示 | the village's wall | masked, as frozen | none |

Always true: nothing is printed that is not in the database as it stands now; a roster or notice whose stored rows do
not give its digest is not printed at all; text of people is data to the typesetter, never markup; who took which paper
is remembered (an EXPORTED event). What is read is read in one short transaction; typesetting happens after it.
"""

from huimin.payment.papers.rosters import roster_pdf
from huimin.payment.papers.sheets import notice_pdf
from huimin.payment.papers.statements import statements_pdf
from huimin.payment.papers.workbook import roster_xlsx

__all__ = ["notice_pdf", "roster_pdf", "roster_xlsx", "statements_pdf"]
