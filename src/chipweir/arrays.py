"""Frozen records of arrays that JAX walks, the names of their axes, and the two sums that the month is made of.

Axes, in this order everywhere: month T, product K, region R, hub H, workload W, ecosystem E, foundry line F, die type D,
maker and pool M, class of the rules C, access group G, bloc of token and software markets B (world, China), and last the
member N of an ensemble. Members come last so that the inner loops of the compiled month run over them; what is the same
for all of them has an axis of one there, and ordinary broadcasting does the rest. A field is written `Float[Array, "R K
N"]`.
"""

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import jax
import jax.numpy as jnp


if TYPE_CHECKING:  # arrays of NumPy stand wherever arrays of JAX do, until they are traced
    Array: TypeAlias = Any
else:
    from jax import Array

# Accounts of chips are kept in double precision.
jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]

T = TypeVar("T")


def pytree(cls: type[T]) -> type[T]:
    """Register a frozen dataclass as a JAX pytree whose fields are all data."""
    jax.tree_util.register_dataclass(cls, [field.name for field in fields(cls)], [])  # type: ignore[arg-type]
    return cls


def for_all_members(record: Any) -> Any:
    """The same pytree with a last axis of one: the same for every member."""
    return jax.tree.map(lambda leaf: jnp.asarray(leaf)[..., None], record)


def once(record: T) -> T:
    """The same pytree, worked out once: else the compiler works it out again inside the loops of each of its readers."""
    return jax.lax.optimization_barrier(record)  # type: ignore[no-any-return, no-untyped-call]


def dot(weights: Array, values: Array) -> Array:
    """`sum_k weights[k] values[k]` of two arrays [K, N]: [N]."""
    return (weights * values).sum(0)


def along(matrix: Array, values: Array) -> Array:
    """`sum_k matrix[d, k] values[k, ...]`: values [K, ..., N]: [D, ..., N].

    A matrix [D, K, 1] that all members share makes one product of matrices; members may also have their own, [D, K, N].
    """
    if matrix.shape[-1] == 1:
        return jnp.tensordot(matrix[..., 0], values, 1)
    return (_widened(matrix, values) * values).sum(1)


def back(matrix: Array, values: Array) -> Array:
    """`sum_d matrix[d, k] values[d, ...]`: the transpose of `along`; values [D, ..., N]: [K, ..., N]."""
    if matrix.shape[-1] == 1:
        return jnp.tensordot(matrix[..., 0].T, values, 1)
    return (_widened(matrix, values) * values[:, None]).sum(0)


def _widened(matrix: Array, values: Array) -> Array:
    """A matrix of each member with axes of one for those that `values` has between its first and its members."""
    return matrix.reshape(*matrix.shape[:2], *(1,) * (values.ndim - 2), matrix.shape[-1])
