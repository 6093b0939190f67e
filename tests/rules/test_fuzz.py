"""Whatever stands in a field, the answer is a decision or one clear line; never a traceback."""

import json
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chipweir.errors import InputError
from chipweir.rules import decide
from chipweir.rules._asked import ITEM_FIELDS, SHIPMENT_FIELDS


LICENCES = ("yes", "no", "unknown", "conditional")
BASES: list[Any] = [
    {"chip": "H20"},
    {"spec": "logic_die", "node_nm": 7},
    {"spec": "hbm3_stack"},
    {"spec": "model_weights"},
    {},
]
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**50), 10**50), st.floats(), st.text(max_size=12),
    st.sampled_from(["H20", "CN", "fab", "50%", "unknown", "2025-01-01", "all", "closed", "server", "KR", "approved",
    "1e30", "-1"]),
)  # fmt: skip
keys = st.sampled_from(
    [
        "tops",
        "bits",
        "tpp",
        "die_mm2",
        "modes",
        "planar",
        "chip",
        "quantity",
        "owners",
        "share",
        "listed",
        "name",
        "hq",
        "x",
    ]
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)),
    max_leaves=8,
)


dies = st.lists(
    st.dictionaries(st.sampled_from(["tpp", "modes", "die_mm2", "planar", "node_nm"]), values, max_size=3), max_size=2
)
owners = st.dictionaries(st.sampled_from(["owners", "listed", "ultimate_parent", "unknown"]), values, max_size=2)


@settings(max_examples=300, deadline=None)
@given(
    die=dies,
    owner=owners,
    designer=st.dictionaries(st.sampled_from(["name", "hq", "status", "applied"]), values, max_size=2),
)
def test_any_value_inside_lists_and_mappings(die: Any, owner: Any, designer: Any) -> None:
    for row in (
        {"item": {"dies": die}, "to": "CN"},
        {"item": "H20", "to": "CN", "ownership": owner},
        {"item": {"spec": "logic_die", "node_nm": 5, "designer": designer}, "to": "CN", "exporter_type": "fab"},
        {"item": {"contains": [die]}, "to": "CN"},
    ):
        with suppress(InputError):
            assert decide({**row, "export_date": "2025-10-01"}).licence in LICENCES


@settings(max_examples=300, deadline=None)
@given(
    shipment=st.dictionaries(st.sampled_from(SHIPMENT_FIELDS[1:]), values, max_size=3),
    item=st.dictionaries(st.sampled_from(ITEM_FIELDS), values, max_size=3),
    base=st.sampled_from(BASES),
    regime=st.sampled_from(["US", "CN", "MY"]),
    fab=st.booleans(),
)  # fmt: skip
def test_any_value_in_any_field(shipment: Any, item: Any, base: Any, regime: str, fab: bool) -> None:
    row = {"to": "CN", "export_date": "2026-02-01", "regime": regime, **({"exporter_type": "fab"} if fab else {})}
    row = {**row, **shipment, "item": {**base, **item}}
    try:
        decision = decide(row)
    except InputError:
        return
    json.dumps(decision.to_dict(), allow_nan=False)
    assert decision.licence in LICENCES
