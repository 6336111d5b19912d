"""The writing half of the register import: a register that was read, into the tables, set by set."""
