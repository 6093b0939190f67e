"""Settings that change nothing: each is said, with the reason, rather than run as if it did something."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from chipweir.world._assemble import assemble
from chipweir.world._state import Months


if TYPE_CHECKING:
    from chipweir.facts import Facts
    from chipweir.world._scenario import Scenario

# Where a lever acts on what another leaves it: when that leaves nothing, and what to say then.
_IDLE: Mapping[str, tuple[Callable[[Months], Any], str]] = {
    "korea.hbm_to_china": (
        lambda m: m.supply.hbm_control >= 1,
        "us.hbm_control is 1 or more, so that US rules leave Korean makers no HBM to sell to China",
    ),
    "korea.stockpile_days": (lambda m: m.calendar.retaliation <= 0, "no retaliation is set that stocks could soften"),
    "korea.second_source": (
        lambda m: m.calendar.retaliation <= 0,
        "no retaliation is set that other sources could soften",
    ),
    "korea.chip_mix_domestic": (lambda m: m.market.public_korea <= 0, "korea.sovereign_budget is 0"),
}


def no_effect(scenario: "Scenario", facts: "Facts") -> list[str]:
    """One line for every setting of a scenario that changes no input of the model, or acts on nothing, with the reason."""
    whole = assemble(scenario, facts).months
    found = []
    for name in scenario.levers:
        without = scenario.model_copy(update={"levers": {k: v for k, v in scenario.levers.items() if k != name}})
        rest = assemble(without, facts).months
        changed = _changed(whole, rest)
        if not changed.any():
            found.append(f"no effect: {name} changes nothing that the rules or other settings do not already say")
        elif name in _IDLE and not scenario.events:
            idle, reason = _IDLE[name]
            if np.all(np.asarray(idle(whole))[changed]):
                found.append(f"no effect: {name}: {reason}")
    return found


def _changed(one: Months, other: Months) -> "np.ndarray[Any, Any]":
    """Months in which any input differs, [T]."""
    import jax

    leaves = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    differ = [~np.isclose(a, b, rtol=0, atol=0, equal_nan=True).reshape(len(a), -1).all(1) for a, b in leaves]
    changed: np.ndarray[Any, Any] = np.any(differ, axis=0)
    return changed
