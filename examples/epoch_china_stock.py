"""Epoch AI, 2026: NVIDIA chips sold legally to China from 2022 to 2025, in units (fact SHI-049) and as compute.

The compute is the sum of H100e at Epoch's own measure, 8-bit operations; ours weighs chips by what they are worth in work.
"""

from replication import Row, ensemble, in_year, main, row

from chipweir import facts


YEARS = range(2022, 2026)
GROUP = "nvidia-counted"


def replicate(members: int = 200, seed: int = 1) -> list[Row]:
    """Units and compute of four years."""
    units = facts.load().facts["shi-049"].value
    found = ensemble(["baseline"], members, seed)
    total = {
        variable: sum(in_year(found, variable, year, "baseline", group=GROUP) for year in YEARS)
        for variable in ("group_china_units", "group_china_h100e")
    }
    return [
        row(
            "NVIDIA chips sold legally to China, 2022 to 2025",
            "million",
            total["group_china_units"] / 1e6,
            units.central / 1e6,
            units.source,
            units.low / 1e6,
            units.high / 1e6,
        ),
        row(
            "the same as compute",
            "million H100e",
            total["group_china_h100e"] / 1e6,
            0.40,
            "Epoch AI chip counts, 2026-04 (own knowledge)",
        ),
    ]


if __name__ == "__main__":
    main(replicate, "Epoch AI: NVIDIA chips sold legally to China")
