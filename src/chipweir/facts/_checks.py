"""The register of named checks: a check is a function from `Facts` to findings."""

from collections.abc import Callable, Iterator

from chipweir.facts._facts import Facts


Check = Callable[[Facts], Iterator[tuple[str, str, str]]]
CHECKS: dict[str, Check] = {}


def check(function: Check) -> Check:
    """Register a check under its function's name with hyphens. It yields (id, origin, message) for what is wrong."""
    CHECKS[function.__name__.strip("_").replace("_", "-")] = function
    return function
