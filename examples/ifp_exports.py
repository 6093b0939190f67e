"""Institute for Progress, October 2025: US over Chinese additions of AI compute in 2026, without exports and with the B30A.

Published end points: 31 to 1 without exports, less than 4 to 1 where the B30A is sold freely. Additions are the change of
the stock in use over the year; without exports China's are those of its own makers alone (as published), and beside it with
what is smuggled and rented, which the published ratio leaves out.
"""

from replication import Row, ensemble, in_year, main, row


SOURCE = "IFP, The B30A Decision, 2025-10 (own knowledge)"


def replicate(members: int = 200, seed: int = 1) -> list[Row]:
    """Three ratios of additions in 2026."""
    found = ensemble(["ifp-no-exports.yaml", "ifp-b30a.yaml"], members, seed)

    def added(scenario: str, variable: str, **labels: str):  # type: ignore[no-untyped-def]
        years = [in_year(found, variable, year, scenario, **labels) for year in (2025, 2026)]
        return years[1] - years[0]

    def origin(scenario: str, name: str):  # type: ignore[no-untyped-def]
        return added(scenario, "compute_by_origin", origin=name)

    none, b30a = "ifp-no-exports", "ifp-b30a"
    own = origin(none, "domestic")
    leaks = origin(none, "smuggled") + origin(none, "rental")
    sold = origin(b30a, "domestic") + origin(b30a, "foreign_legal")
    usa = {name: added(name, "compute", region="USA") for name in (none, b30a)}
    return [
        row(
            "US over Chinese additions of 2026, no exports, own makers alone", "x", usa[none] / own, 31, SOURCE, 10, 40
        ),
        row("the same with what is smuggled and rented", "x", usa[none] / (own + leaks), 31, SOURCE, 10, 40),
        row("US over Chinese additions of 2026, B30A sold freely", "x", usa[b30a] / sold, 4, SOURCE, 1, 4),
    ]


if __name__ == "__main__":
    main(replicate, "IFP 2025: what exports of the B30A do to the US lead in compute added in 2026")
