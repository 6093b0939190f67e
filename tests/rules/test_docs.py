"""The documentation says what the rules say."""

from pathlib import Path

import pytest

from chipweir.rules._table import CHIPS, rules_page
from chipweir.rules._words import vocabulary


DOCS = Path(__file__).parents[2] / "docs"


def test_the_committed_table_is_the_generated_one() -> None:
    assert len(CHIPS) == len(set(CHIPS)) == 40
    assert (DOCS / "rules-table.md").read_text(encoding="utf-8") == rules_page()


@pytest.mark.parametrize("field", ["routes", "exporter_types", "end_user_types", "certifications", "item_kinds"])
def test_every_word_of_the_vocabulary_is_documented(field: str) -> None:
    text = (DOCS / "rules.md").read_text(encoding="utf-8")
    for word in vocabulary()[field]:
        assert f"`{word}`" in text, word


def test_the_overlay_of_the_documentation_works() -> None:
    from chipweir.reading import parse_yaml
    from chipweir.rules import Shipment, decide, with_overlays

    text = (DOCS / "rules.md").read_text(encoding="utf-8")
    document = parse_yaml(text.split("```yaml")[1].split("```")[0], "docs/rules.md").data
    book = with_overlays([document])
    found = decide(Shipment("H100", "MY", "2027-02-01"), book)
    assert (found.licence, found.units_per_month, found.flags) == ("yes", 5000, ("location_verification",))
    assert decide(Shipment("H20", "CN", "2027-06-01", exporter="NVIDIA"), book).licence == "no"
