"""AI 2027 (April 2025), compute forecast: the world's AI compute grows 2.25-fold a year, from 10 million H100e in March 2025
to 100 million by the end of 2027, China's part falling from 15 to 12 %.
"""

import numpy as np
from replication import Row, ensemble, main, row


SOURCE = "AI 2027, compute forecast, 2025-04 (own knowledge)"


def replicate(members: int = 200, seed: int = 1) -> list[Row]:
    """World stock at both ends, its growth, and China's part."""
    found = ensemble(["baseline"], members, seed)
    kept = found["member_compute"].sel(scenario="baseline")
    stock = {month: kept.sel(month=f"{month}-01").sum("region").values / 1e6 for month in ("2025-03", "2027-12")}
    years = (2027 * 12 + 12 - (2025 * 12 + 3)) / 12
    growth = np.exp(np.log(stock["2027-12"] / stock["2025-03"]) / years)
    china = kept.sel(month="2027-12-01", region="CHN").values / 1e6 / stock["2027-12"]
    return [
        row("world stock in March 2025", "million H100e", stock["2025-03"], 10, SOURCE),
        row("world stock at the end of 2027", "million H100e", stock["2027-12"], 100, SOURCE),
        row("growth a year", "x", growth, 2.25, SOURCE),
        row("China's part at the end of 2027", "%", 100 * china, 12, SOURCE),
    ]


if __name__ == "__main__":
    main(replicate, "AI 2027: growth of the world's AI compute")
