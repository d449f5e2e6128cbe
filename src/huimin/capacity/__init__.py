"""经办能力: whether who carries the policies out was trained on them, and whether each township has the hands and means (ORG-07, ORG-08)."""
