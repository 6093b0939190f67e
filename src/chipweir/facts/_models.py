"""What the plain columns of a language model cannot say: layers of several kinds and what differs between them."""

import json
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


Count = Annotated[int, Field(ge=0)]


class Structure(BaseModel):
    """Layers by kind, and shapes that differ between them. Widths in elements, parameters in numbers; None: as usual.

    - `full_attention`, `sliding_attention`, `linear_attention`, `mamba`: mixing layers of each kind; full attention is
      what remains of all layers where it is not stated. `attention_blocks`: attention blocks, where a layer holds more
      than one.
    - `mlp`, `moe`: feed-forward layers, stated only where they are layers of their own and not half of one.
    - `moe_every`: routed experts stand in every so many layers. `gated`: whether feed-forward blocks have a gate
      (three matrices) or not (two). `expert_latent`: width of the space routed experts work in. `zero_experts`: experts
      that do nothing, beside `n_experts`. `shared_params_per_layer`: what runs beside routed experts for every token,
      where it is not `n_shared` experts.
    - `sliding_kv_heads`, `sliding_head_dim`: shapes of sliding layers; `output_gate`: attention output has a gate;
      `keys_are_values`: one projection and one cache for both (full layers). `shared_cache_layers`: layers that read
      the cache of another.
    - `linear_params_per_layer`, `state_elements_per_layer`: of linear and state-space layers.
    - `index_topk`, `index_heads`, `index_head_dim`, `index_layers`: selector of sparse attention: tokens a query really
      reads, shape, layers that have one (all where not stated); `index_block`: tokens selected together.
    - `compress_ratios`: layers by tokens per cache entry (0: window alone); `output_rank` of the output projection.
    - `layer_embedding_params`: embeddings looked up in every layer: stored, not multiplied.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    full_attention: Count | None = None
    sliding_attention: Count = 0
    linear_attention: Count = 0
    mamba: Count = 0
    attention_blocks: Count | None = None
    mlp: Count | None = None
    moe: Count | None = None
    moe_every: Annotated[int, Field(ge=1)] = 1
    gated: bool | None = None
    expert_latent: Count | None = None
    zero_experts: Count = 0
    shared_params_per_layer: Count | None = None
    sliding_kv_heads: Count | None = None
    sliding_head_dim: Count | None = None
    output_gate: bool = False
    keys_are_values: bool = False
    shared_cache_layers: Count = 0
    linear_params_per_layer: Count | None = None
    state_elements_per_layer: Count | None = None
    index_topk: Count | None = None
    index_heads: Count | None = None
    index_head_dim: Count | None = None
    index_layers: Count | None = None
    index_block: Count = 1
    compress_ratios: dict[int, int] = Field(default_factory=dict)
    output_rank: Count | None = None
    layer_embedding_params: Count = 0


def _parsed(value: Any) -> Any:
    """JSON text as an object; anything else as it is."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value.strip() else {}
    except json.JSONDecodeError as error:
        raise ValueError(f"structure must be a JSON object, not '{value[:60]}' ({error.msg})") from None


StructureCell = Annotated[Structure, BeforeValidator(_parsed)]


def structure_text(structure: Structure) -> str:
    """The structure as the cell of a table: JSON of what differs from the default, "" where nothing does."""
    said = structure.model_dump(exclude_defaults=True)
    return json.dumps(said) if said else ""
