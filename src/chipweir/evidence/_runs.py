"""What a stored run says about a pair of scenarios. Nothing here simulates; without a run there is no answer."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from chipweir.errors import InputError


# The month at which the pairs are compared, and the labels of outputs that have a further axis.
_MONTHS = ("2028-12", "2027-12", "2030-12")
_LABELS = {
    "utilisation": {"region": "CHN"}, "token_price": {"region": "CHN"}, "ecosystem_share_china": {"ecosystem": "cuda"},
    "korea_hbm_exports": {"customer": "china"},
}  # fmt: skip


def open_run(name: Path) -> Path:
    """The folder of a stored run, by path, id or `latest`. Raises `InputError` where there is none."""
    from chipweir import store

    if (name / "manifest.json").is_file():
        return name
    return Path(store.find_run(str(name), store.runs_directory(None)).path)


@lru_cache(maxsize=4)
def _results(path: Path) -> Any:
    from chipweir import store

    return store.read_dataset(path / "results.zarr")


def difference(run: Path, a: str, b: str, outcome: str) -> dict[str, Any] | None:
    """`b` minus `a` for an outcome of a run at the first month it reaches, member by member: median, 90 % interval,
    the share of members in which it is above zero. None where the run does not hold the pair or the outcome."""
    from chipweir.strategy._compare import differences

    results = _results(run)
    labels = {axis: label for axis, label in _LABELS.get(outcome, {}).items() if outcome in results and axis in results[outcome].dims}
    try:
        found = differences(results, a, b, outcome, _MONTHS, **labels)
    except InputError:
        return None
    if not found:
        return None
    best = next((one for month in _MONTHS for one in found if one.month == month), found[0])
    share = best.p_greater if best.p_greater is not None else 0.5
    return {
        "median": best.median, "low": best.p90[0], "high": best.p90[1], "share_up": share, "unit": best.unit,
        "window": best.month, "source": f"run {run.name}",
    }  # fmt: skip
