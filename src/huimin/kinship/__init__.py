"""Near relatives of staff and village cadres: declared yearly, kept in a separate file, and nobody decides for his own (REG-10)."""
