"""What a month of one member costs, counted in the program that JAX traces: no compiler, no clock."""

import math
from collections import Counter
from typing import Any

import jax
import numpy as np


MEMBERS = 64
_EXPONENTIALS = frozenset(("exp", "exp2", "expm1"))
_OTHERS = frozenset(
    ("log", "log1p", "tanh", "pow", "erf", "erfc", "erf_inv", "logistic", "sin", "cos", "cbrt", "sqrt", "rsqrt")
)
# Primitives that move or name data without computing.
_FREE = frozenset(
    ("broadcast_in_dim", "reshape", "squeeze", "transpose", "convert_element_type", "slice", "dynamic_slice", "concatenate",
     "iota", "copy", "pjit", "jit", "dynamic_update_slice", "gather", "scatter", "scatter-add", "split", "pad", "rev")
)  # fmt: skip


def of_month(inputs: Any) -> dict[str, float]:
    """Operations of a member's month in the simulation of a batch of `MEMBERS`, outputs of `monthly` included.

    - `exponentials`, `other_transcendentals` (logs, powers, roots, tanh), `elementwise` (all other elementary operations and
      reductions, by elements), `multiply_adds` (of matrices), `months`.
    - `bytes_kept`: what a member leaves behind a month.
    """
    from chipweir.world import draw, simulate
    from chipweir.world._outputs import by_year

    p = {name: np.moveaxis(values, 0, -1) for name, values in draw(MEMBERS, 0).items()}
    traced = jax.make_jaxpr(lambda i, q: simulate(i, q, total=by_year))(inputs, p).jaxpr
    months = len(inputs.months.calendar.index)
    (body,) = [e.params["jaxpr"].jaxpr for e in _scans(traced) if e.params["length"] == months]
    found: Counter[str] = Counter()
    _count(body, found, 1)
    carried = len(body.outvars) - _kept(traced, months)
    kept = sum(_size(v) * v.aval.dtype.itemsize for v in body.outvars[carried:])
    return {
        "months": months,
        **{
            name: found[name] / MEMBERS
            for name in ("exponentials", "other_transcendentals", "elementwise", "multiply_adds")
        },
        "bytes_kept": kept / MEMBERS,
    }


def _scans(program: Any) -> list[Any]:
    return [e for e in program.eqns if e.primitive.name == "scan"]


def _kept(program: Any, months: int) -> int:
    """Outputs of the scan over months that are kept month by month."""
    (scan,) = [e for e in _scans(program) if e.params["length"] == months]
    return len(scan.outvars) - int(scan.params["num_carry"])


def _size(variable: Any) -> int:
    return math.prod(variable.aval.shape)


def _count(program: Any, found: Counter[str], times: int) -> None:
    """Add the operations of a traced program, those of loops as often as they run."""
    for equation in program.eqns:
        name = equation.primitive.name
        inner = [
            v for value in equation.params.values() for v in (value if isinstance(value, tuple | list) else [value])
        ]
        programs = [getattr(v, "jaxpr", v) for v in inner if hasattr(getattr(v, "jaxpr", v), "eqns")]
        if programs:
            for each in programs:
                _count(each, found, times * int(equation.params.get("length", 1)))
            continue
        size = max(
            (_size(v) for v in (*equation.outvars, *(v for v in equation.invars if hasattr(v, "aval")))), default=0
        )
        if name == "dot_general":
            (contracted, _), _ = equation.params["dimension_numbers"]
            left = equation.invars[0].aval.shape
            found["multiply_adds"] += times * _size(equation.outvars[0]) * math.prod(left[axis] for axis in contracted)
        elif name in _EXPONENTIALS:
            found["exponentials"] += times * size
        elif name in _OTHERS:
            found["other_transcendentals"] += times * size
        elif name not in _FREE:
            found["elementwise"] += times * size
