"""Pages by what they are about; each view reads through queries, acts through commands, and decides nothing."""
