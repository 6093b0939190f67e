"""What a record is: frozen, validated, and every number with its unit, date, source, class and confidence."""

import datetime
from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from chipweir.facts._models import Structure, StructureCell
from chipweir.facts._period import Period


SourceClass = Literal["official", "company", "analyst", "press", "derived", "own"]
Confidence = Literal["A", "B", "C", "D"]
Nature = Literal["observation", "forecast", "plan", "target", "guidance", "claim", "prior"]
MeasureKind = Literal["level", "flow", "ratio", "share", "count", "price", "growth", "date", "spec", "state", "text"]
Support = Literal["yes", "emulated", "no", "unknown"]
Status = Literal["announced", "roadmap", "sampling", "shipped", "cloud-only", "ended", "not-shipped", "unclear"]
Marketed = Literal["data-centre", "workstation", "consumer", "edge", "vehicle", "server-cpu"]
PriceKind = Literal["api", "gpu_rental", "tco", "power", "chip_price", "server_price"]
NameFlag = Literal["", "also", "context", "full"]

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.+-]*$")]
PartialDate = Annotated[
    str, StringConstraints(pattern=r"^(\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?|-?[HQ][1-4])?)?$")
]
KoreanText = Annotated[str, StringConstraints(pattern=r"^$|[가-힣]")]
Number = Annotated[float, Field(allow_inf_nan=False)]


def _split(text: Any) -> Any:
    if isinstance(text, str):
        return tuple(part for part in (piece.strip() for piece in text.split("|")) if part)
    return text


def _pairs(text: Any) -> Any:
    """`of=exports;base=year` as a mapping. Raises `ValueError` for a part that is no pair."""
    if not isinstance(text, str):
        return text
    found: dict[str, str] = {}
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name and equals and value) or name in found:
            raise ValueError(f"'{part}' is no pair; write name=value pairs with ; between them, each name once")
        found[name] = value
    return found


Names = Annotated[tuple[str, ...], BeforeValidator(_split)]
Pairs = Annotated[Mapping[str, str], BeforeValidator(_pairs)]


class Record(BaseModel):
    """Something with an identity that came from a line of a file (`origin`)."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    origin: str = Field(default="", description="file and line the record came from")


class Value(BaseModel):
    """A number or a range with all that is needed to believe it or not.

    `low`, `central`, `high` are in `unit`, which pint parses with `facts.unit_registry()`; `reported` is the number
    as the source wrote it. A single number stands in `central`; `low` alone is "at least", `high` alone "at most".
    `known_by` is the last day that `published` may mean, or the day by which the number was there to be known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    low: Number | None = None
    central: Number | None = None
    high: Number | None = None
    unit: str = ""
    as_of: str = ""
    published: str = ""
    known_by: date = date.max
    source: str = ""
    url: str = ""
    cls: SourceClass = "own"
    confidence: Confidence = "C"
    note: str = ""
    reported: str = ""
    preferred: bool = False
    origin: str = ""

    @property
    def best(self) -> float:
        """The central value, else the middle of the range, else the one bound known; NaN if there is no number."""
        if self.central is not None:
            return self.central
        bounds = [bound for bound in (self.low, self.high) if bound is not None]
        return sum(bounds) / len(bounds) if bounds else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """Lowest and highest number stated, both `best` where only one number is."""
        low = self.low if self.low is not None else self.best
        return low, self.high if self.high is not None else self.best

    @property
    def bound(self) -> str:
        """What a number that stands alone at one end says: `at_least` for a low, `at_most` for a high, else empty."""
        if self.central is not None or (self.low is None) == (self.high is None):
            return ""
        return "at_most" if self.low is None else "at_least"

    @property
    def ordered(self) -> bool:
        """Whether low <= central <= high holds among the numbers that are stated."""
        stated = [number for number in (self.low, self.central, self.high) if number is not None]
        return bool(stated) and stated == sorted(stated)

    @property
    def rumour(self) -> bool:
        """Press with weak confidence: never to be shown without that label."""
        return self.cls == "press" and self.confidence in ("C", "D")


class Source(Record):
    """Where numbers come from; every `Value.source` is the id of one."""

    id: Identifier
    title: str
    publisher: str = ""
    url: str = ""
    published: str = ""
    cls: SourceClass

    @property
    def recalled(self) -> bool:
        """Whether the number was recalled, not looked up, whoever published it."""
        return self.cls == "own" or "own knowledge" in self.title.casefold()


class Valued(Record):
    """A record whose quantities are values; the ones not preferred stay in `values`."""

    id: Identifier
    known_by: date = Field(default=date.max, description="the day by which the product was known")
    values: dict[str, tuple[Value, ...]] = Field(default_factory=dict, repr=False)

    def __hash__(self) -> int:
        return hash((type(self).__name__, self.id, self.origin))

    def alternatives(self, quantity: str) -> tuple[Value, ...]:
        """Every sourced value of `quantity`, the preferred one first."""
        return self.values.get(quantity, ())

    @property
    def contested(self) -> tuple[str, ...]:
        """Quantities on which the sources give different numbers."""
        return tuple(name for name, values in self.values.items() if len({value.best for value in values}) > 1)


class Chip(Valued):
    """An accelerator: one package as sold.

    Two conventions of one number are two fields. Peaks are dense, in 10^12 operations a second, with FP32 accumulation;
    `*_acc16_*` is with FP16 accumulation, `*_sparse_*` with 2:4 sparsity; `fp16_tflops` stands where a part has no
    BF16. `scaleup_gbs` is one direction, `io_gbs` both with PCIe. `die_mm2` is the area of all dies of a package,
    `compute_die_mm2` that of one of its `compute_dies`. `tdp_w` is the accelerator's own, `superchip_w` with its CPU,
    `mean_power_w` as measured. `memory_*` is what holds the weights; `sram_*` is what lies on chip beside it. `market`
    is `CN` for a part made for China alone; `part_of` names the package of which the record is one die.
    """

    name: str
    maker: Identifier
    maker_country: str
    architecture: str = ""
    announced: PartialDate = ""
    release: PartialDate = ""
    ended: PartialDate = ""
    status: Status
    status_note: str = ""
    node: str = ""
    foundry: str = ""
    memory_type: str = ""
    scaleup: str = ""
    software: str = ""
    ecosystem: str = "other"
    cuda_compatibility: Literal["native", "source-compatible", "source-port", "partial", "none", "unknown"] = "unknown"
    fp8: Support = "unknown"
    ue8m0: Support = "unknown"
    marketed: Marketed = "data-centre"
    market: str = ""
    part_of: str = ""
    inferred_class: str = ""
    aliases: Names = ()
    source: str = ""
    note: str = ""

    fp32_tflops: Value | None = None
    tf32_tflops: Value | None = None
    bf16_tflops: Value | None = None
    fp16_tflops: Value | None = None
    fp16_acc16_tflops: Value | None = None
    fp8_tflops: Value | None = None
    fp8_acc16_tflops: Value | None = None
    fp4_tflops: Value | None = None
    int8_tops: Value | None = None
    int4_tops: Value | None = None
    bf16_sparse_tflops: Value | None = None
    fp8_sparse_tflops: Value | None = None
    fp4_sparse_tflops: Value | None = None
    int8_sparse_tops: Value | None = None
    int4_sparse_tops: Value | None = None
    memory_gb: Value | None = None
    memory_gbs: Value | None = None
    scaleup_gbs: Value | None = None
    scaleup_domain: Value | None = None
    scaleout_gbps: Value | None = None
    io_gbs: Value | None = None
    sram_mb: Value | None = None
    sram_gbs: Value | None = None
    tpp: Value | None = None
    tdp_w: Value | None = None
    mean_power_w: Value | None = None
    superchip_w: Value | None = None
    die_mm2: Value | None = None
    dies_per_package: Value | None = None
    compute_dies: Value | None = None
    compute_die_mm2: Value | None = None
    hbm_stacks: Value | None = None
    price_usd: Value | None = None

    @model_validator(mode="before")
    @classmethod
    def _flag_of_the_market(cls, data: Any) -> Any:
        """`data_centre = yes | no` is accepted for `marketed` where that column is not filled."""
        if isinstance(data, dict) and "data_centre" in data:
            said = str(data["data_centre"]).lower()
            if said not in _FLAGS:
                raise ValueError(f"data_centre: '{said}' is neither yes nor no")
            rest = {name: cell for name, cell in data.items() if name != "data_centre"}
            return {"marketed": "data-centre" if _FLAGS[said] else "consumer", **rest}
        return data

    @property
    def data_centre(self) -> bool:
        """Whether the part is designed or marketed for data centres: what the export rules ask."""
        return self.marketed == "data-centre"

    @property
    def half_tflops(self) -> Value | None:
        """The dense 16-bit rate with FP32 accumulation: BF16, else FP16 where the part has no BF16."""
        return self.bf16_tflops if self.bf16_tflops is not None else self.fp16_tflops

    def price(self, on: str | date = "") -> Value | None:
        """What one chip costs in US dollars on a day (the latest known by default), low to high; None if unknown.

        See `chipweir.facts._prices.price_of_chip` for the rule.
        """
        from chipweir.facts._prices import price_of_chip

        return price_of_chip(self, on)

    def status_on(self, day: str | date) -> str:
        """The status on a day: the recorded one from `release` on, `announced` between `announced` and `release`,
        `shipped` again before the day on which it `ended`, `unknown` before the announcement."""
        from chipweir.facts._status import status_on

        return status_on(self, day)


class System(Valued):
    """A node, rack, pod or cluster of `n_chips` of one chip."""

    name: str
    maker: Identifier
    country: str
    chip: Identifier
    n_chips: int = Field(gt=0)
    release: PartialDate = ""
    status: Status
    status_note: str = ""
    scaleup_fabric: str = ""
    cooling: str = ""
    aliases: Names = ()
    source: str = ""
    note: str = ""

    bf16_pflops: Value | None = None
    fp8_pflops: Value | None = None
    fp4_pflops: Value | None = None
    mem_tb: Value | None = None
    mem_tbs: Value | None = None
    scaleup_total_tbs: Value | None = None
    power_kw: Value | None = None
    price_usd: Value | None = None


class LanguageModel(Record):
    """Architecture numbers of a language model: parameters in 10^9, lengths in tokens; None where not published.

    `type` is `closed` for a product whose architecture is not published. `structure` holds what the columns cannot say.
    """

    id: Identifier
    known_by: date = Field(default=date.max, description="the day by which the model was known")
    name: str
    maker: Identifier
    country: str
    release: PartialDate = ""
    type: Literal["dense", "MoE", "closed", "unknown"] = "unknown"
    total_params_b: Number | None = None
    active_params_b: Number | None = None
    layers: int | None = None
    hidden: int | None = None
    heads: int | None = None
    kv_heads: int | None = None
    head_dim: int | None = None
    attention: str = ""
    q_lora_rank: int | None = None
    kv_lora_rank: int | None = None
    qk_nope_dim: int | None = None
    qk_rope_dim: int | None = None
    v_head_dim: int | None = None
    ffn_dense: int | None = None
    first_dense_layers: int | None = None
    n_experts: int | None = None
    experts_active: int | None = None
    n_shared: int | None = None
    moe_ffn: int | None = None
    mtp_layers: int | None = None
    vocab: int | None = None
    context: int | None = None
    sliding_window: int | None = None
    tie_embeddings: bool | None = None
    native_dtype: str = ""
    structure: StructureCell = Structure()
    open_weights: bool | None = None
    aliases: Names = ()
    source: str = ""
    cls: SourceClass = "own"
    confidence: Confidence = "C"
    note: str = ""


_FLAGS = {"yes": True, "no": False, "true": True, "false": False}


class Name(Record):
    """One spelling of a record of some kind; `flag` says whether it may stand alone.

    `also`: the name means something else too (told in `also`), so that running text needs context. `context`: one
    character or a relative word ("domestic"), which never resolves alone. `full`: the maker's name and a name of the
    product, which a text is read as two names.
    """

    kind: Literal["chip", "system", "model", "entity", "country"]
    id: str
    name: str
    language: Literal["en", "ko", "zh"] = "en"
    flag: NameFlag = ""
    also: str = ""


class EntityNames(BaseModel):
    """Names of an entity in English, Korean and Chinese; empty where we know none."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    en: str
    ko: str = ""
    zh: str = ""


class Entity(Record):
    """An organisation, person, place, fab, programme, law, product or standard that texts speak of."""

    id: Identifier
    kind: str
    names: EntityNames
    aliases: Names = ()
    parent: str = ""
    country: str = ""
    note: str = ""


class Country(Record):
    """A country or territory with its ISO 3166-1 codes; Hong Kong, Macau and Taiwan stand for themselves."""

    alpha2: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    alpha3: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    names: EntityNames
    region: str = ""
    aliases: Names = ()

    @property
    def id(self) -> str:
        """The alpha-2 code."""
        return self.alpha2


class Measure(Record):
    """What a fact measures: the field's vocabulary, one row a measure (`measures.csv`).

    `unit` is what facts of it convert to (currencies at their dated rates); `adds` how it adds up over time; `words` by
    language are what the press and ministries call it. A model's `variable` can be compared with the facts that meet
    `where` (`-` for a key that must be empty), at the coordinates in `selection`, in which `{country}` and the names of
    dims stand for those of the fact.
    """

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
    kind: MeasureKind
    unit: str = ""
    adds: Literal["sum", "mean", "last", ""] = ""
    entity_kinds: Names = ()
    item_kinds: Names = ()
    dims: Names = ()
    title: Mapping[Literal["en", "ko"], str]
    definition: Mapping[Literal["en", "ko"], str]
    words: Mapping[Literal["en", "ko", "zh"], Names]
    variable: str = ""
    selection: Pairs = Field(default_factory=dict)
    where: Pairs = Field(default_factory=dict)

    def __hash__(self) -> int:
        return hash((self.id, self.origin))

    def titled(self, language: str) -> str:
        """The title in `language` ("en" or "ko")."""
        return self.title["ko" if language == "ko" else "en"]


class Fact(Record):
    """One sourced number under its keys: what is measured, of whom, of what, in which respect, when.

    `item_id` is the chip, model, node, maker or goods meant; `item` says in words what the keys do not. `start` and
    `end` are the first and last day of the period; `as_written` is its wording where that is no plain ISO period.
    `retrospective` marks what was estimated with hindsight, `same_as` the fact that holds the same number of the same
    release, so that it is counted once.
    """

    id: Identifier
    topic: str = ""
    entity: str
    entity_text: str = ""
    measure: str
    item: str = ""
    item_id: str = ""
    dims: Pairs = Field(default_factory=dict)
    start: date
    end: date
    as_written: str = ""
    nature: Nature = "observation"
    retrospective: bool = False
    same_as: str = ""
    value: Value

    def __hash__(self) -> int:
        return hash((self.id, self.origin))

    @property
    def span(self) -> Period:
        """The days from `start` to `end`."""
        return Period(self.start, self.end)

    @property
    def when(self) -> str:
        """The period as its source words it, else in its shortest ISO form."""
        return self.as_written or self.span.text

    @property
    def known_by(self) -> date:
        """The day by which the number was known."""
        return self.value.known_by

    @property
    def key(self) -> tuple[str, str, str, tuple[tuple[str, str], ...]]:
        """Entity, measure, item and dims: facts of one key differ in period, nature or source only."""
        return self.entity, self.measure, self.item_id or self.item, tuple(sorted(self.dims.items()))

    @property
    def rumour(self) -> bool:
        """Press with weak confidence: never to be shown without that label."""
        return self.value.rumour


class Event(Record):
    """Something that happened (or was announced) on a day."""

    id: Identifier
    date: Annotated[str, StringConstraints(pattern=r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]
    type: str
    actors: Names = ()
    actor_ids: Names = ()
    region: str = ""
    description: str
    source: str = ""
    confidence: Confidence = "C"
    description_ko: KoreanText = ""

    @property
    def known_by(self) -> datetime.date:
        """The day of the event."""
        return datetime.date.fromisoformat(self.date)

    def described(self, language: str) -> str:
        """The description in `language` ("en" or "ko"); English where there is no Korean one."""
        return (self.description_ko if language == "ko" else "") or self.description


class Price(Record):
    """A dated price in the currency of the list: API tokens, GPU rental, owning cost, a card, a server, or the power
    that belongs to one GPU.

    `listed` is the day a price list was read, or a price first recorded, where the start of validity is not known.
    `region` is empty (not said), `global`, one country code, several (`KR/US`), or words of the list.
    """

    id: Identifier
    kind: PriceKind
    item: str
    item_id: str = ""
    provider: str
    provider_id: str = ""
    metric: str
    value: Value
    listed: PartialDate = ""
    valid_from: str = ""
    valid_to: str = ""
    region: str = ""

    @property
    def since(self) -> str:
        """The day from which the price held, else the day on which it was read."""
        return self.valid_from or self.listed

    @property
    def currency(self) -> str:
        """The currency of the list, empty for what is no money."""
        found = self.value.unit[:3]
        return found if found in ("USD", "CNY", "KRW", "EUR", "JPY") else ""

    def holds_in(self, region: str) -> bool:
        """Whether the price is offered in `region`: it names it among others, is global, or does not say."""
        said = self.region.upper().split("/")
        return not region or not self.region or self.region == "global" or region.upper() in said


class Position(BaseModel):
    """One side of a disagreement: who says it, what, and the facts that carry it."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    who: str
    says: str
    facts: tuple[str, ...] = ()


class Conflict(Record):
    """A quantity on which sources disagree, why, and the rule by which one value is preferred (or none is)."""

    id: Identifier
    quantity: str
    about: tuple[str, ...] = ()
    values: tuple[Position, ...]
    likely_reason: str
    treatment: str
    preferred: str = ""
    rule: str = ""
    source: str = ""


class Override(BaseModel):
    """A shipped record replaced by a user's own; both are kept."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True)

    kind: str
    id: str
    replaced: Any
    by: Any

    @cached_property
    def text(self) -> str:
        """One line that names both places."""
        return f"{self.kind} {self.id}: {self.by.origin} overrides {self.replaced.origin}"


CHIP_UNITS = {
    "fp32_tflops": "TFLOP/s", "tf32_tflops": "TFLOP/s", "bf16_tflops": "TFLOP/s", "fp16_tflops": "TFLOP/s",
    "fp16_acc16_tflops": "TFLOP/s", "fp8_tflops": "TFLOP/s", "fp8_acc16_tflops": "TFLOP/s", "fp4_tflops": "TFLOP/s",
    "int8_tops": "TOP/s", "int4_tops": "TOP/s", "bf16_sparse_tflops": "TFLOP/s", "fp8_sparse_tflops": "TFLOP/s",
    "fp4_sparse_tflops": "TFLOP/s", "int8_sparse_tops": "TOP/s", "int4_sparse_tops": "TOP/s", "memory_gb": "GB",
    "memory_gbs": "GB/s", "scaleup_gbs": "GB/s", "scaleup_domain": "chip", "scaleout_gbps": "Gbit/s", "io_gbs": "GB/s",
    "sram_mb": "MB", "sram_gbs": "GB/s", "tpp": "bit*TOP/s", "tdp_w": "W", "mean_power_w": "W", "superchip_w": "W",
    "die_mm2": "mm**2", "dies_per_package": "die", "compute_dies": "die", "compute_die_mm2": "mm**2",
    "hbm_stacks": "stack", "price_usd": "USD",
}  # fmt: skip
SYSTEM_UNITS = {
    "bf16_pflops": "PFLOP/s", "fp8_pflops": "PFLOP/s", "fp4_pflops": "PFLOP/s", "mem_tb": "TB", "mem_tbs": "TB/s",
    "scaleup_total_tbs": "TB/s", "power_kw": "kW", "price_usd": "USD",
}  # fmt: skip
