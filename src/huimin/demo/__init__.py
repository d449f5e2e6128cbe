"""The demonstration: a generated county carried through one quarter by the rooms' own commands."""
