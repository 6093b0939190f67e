"""CNAS, June 2025: chips smuggled into China in 2024, and their part of the compute China acquired.

Published: 10,000 to several hundred thousand chips, median 140,000; 1 to 40 % of the training compute acquired, median 10 %.
Both are read from the fact base.
"""

from replication import Row, ensemble, in_year, main, row

from chipweir import facts


def replicate(members: int = 200, seed: int = 1) -> list[Row]:
    """Chips smuggled in 2024, and smuggled compute over all compute bought or rented in the year."""
    known = facts.load().facts
    chips, share = known["smu-002"].value, known["smu-003"].value
    found = ensemble(["baseline"], members, seed)
    smuggled = in_year(found, "smuggled_h100e", 2024, "baseline")
    bought = sum(in_year(found, "china_h100e", 2024, "baseline", purchase=name) for name in _purchases(found))
    return [
        row(
            "chips smuggled in 2024",
            "thousand",
            in_year(found, "smuggled_units", 2024, "baseline") / 1e3,
            chips.central / 1e3,
            chips.source,
            chips.low / 1e3,
            chips.high / 1e3,
        ),
        row(
            "smuggled part of the compute acquired in 2024",
            "%",
            100 * smuggled / bought,
            share.central,
            share.source,
            share.low,
            share.high,
        ),
    ]


def _purchases(found):  # type: ignore[no-untyped-def]
    return [str(name) for name in found["purchase"].values]


if __name__ == "__main__":
    main(replicate, "CNAS 2025: chips smuggled into China in 2024")
