"""Archives: 县有库、乡有室、村有柜、户有档 — where each paper lies, who has it, what is missing (REG-08)."""
