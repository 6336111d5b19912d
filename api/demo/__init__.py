"""The demo compound (示范小区): an invented register, and the accounts that the documents name."""
