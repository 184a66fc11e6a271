"""The tables in docs/adapters.md are what the adapters and the chain do now."""

import pytest

from tests.tables.page import FAMILIES, Family, split, table


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.title)
def test_the_table_is_what_happens(family: Family) -> None:
    _, section, _ = split()
    assert table(family) in section, "something changed: run `make docs-tables`, read the diff"
