"""A twin of the stocks and flows in another tool: PySD runs `stocks.mdl` on the same flows and must agree."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from chipweir.world import Inputs, draw, labels


Kept = Mapping[str, np.ndarray]
STOCKS = ("Installed foreign", "Installed domestic", "Smuggled", "Rented", "Unsold", "Die stock", "Memory stock")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("scenario", ["baseline", "blockade"])
def test_stocks_agree_with_a_twin_in_pysd(
    outcome: Callable[[str], Kept], inputs_of: Callable[[str], Inputs], tmp_path: Path, scenario: str
) -> None:
    import pysd

    shutil.copy(Path(__file__).with_name("stocks.mdl"), tmp_path)
    twin = pysd.read_vensim(str(tmp_path / "stocks.mdl"))
    kept, inputs = outcome(scenario), inputs_of(scenario)
    domestic = np.asarray(inputs.products.goods.domestic)
    china = labels().regions.index("CHN")
    drawn = draw(16, 0)
    for member in (0, 7):
        of = {name: np.asarray(values[member], dtype=float) for name, values in kept.items()}
        p = {name: float(values[member]) for name, values in drawn.items() if values.ndim == 1}
        flows = {
            "Bought foreign": of["china_direct"] @ (1 - domestic),
            "Bought domestic": of["china_direct"] @ domestic,
            "Shipped": of["sold_smuggled"].sum(1),
            "Seized": of["seized"].sum(1),
            "Hosted": of["sold_rented"].sum(1),
            "Made": of["made"].sum(1),
            "Sold everywhere": (of["sold_direct"] + of["sold_smuggled"] + of["sold_rented"]).sum(1),
            "Scrapped": of["scrapped"].sum(1),
            "Dies arrived": of["dies_arrived"].sum(1),
            "Dies used": of["dies_used"].sum(1),
            "Stacks arrived": of["hbm_arrived"],
            "Stacks used": of["hbm_used"],
            "Located": np.asarray(inputs.months.market.location, dtype=float),
        }
        constants = {
            "Life": p["chip_life"],
            "Extra failures": p["smuggled_failure"],
            "Location effect": p["location_verification_effect"],
            "Installed at start": float(np.asarray(inputs.products.uses.initial_installed)[china] @ (1 - domestic)),
        }
        result = twin.run(
            params={**{name: pd.Series(flow) for name, flow in flows.items()}, **constants}, return_columns=list(STOCKS)
        )
        own = {
            "Installed foreign": of["installed_china"] @ (1 - domestic),
            "Installed domestic": of["installed_china"] @ domestic,
            "Smuggled": of["smuggled_stock"].sum(1),
            "Rented": of["rented_stock"].sum(1),
            "Unsold": of["left"].sum(1),
            "Die stock": of["dies_left"].sum(1),
            "Memory stock": of["hbm_left"],
        }
        for name in STOCKS:
            # Shares that retire are in single precision, stocks in double. The scale is that of the flows that made a stock:
            # one near zero is a difference of large numbers.
            scale = np.maximum(own[name].max(), 1.0)
            found = result[name].to_numpy()[1:]
            np.testing.assert_allclose(found, own[name], rtol=1e-5, atol=1e-6 * scale, err_msg=name)
            assert own[name].max() > 100, name
