"""A run of the right shape with made-up numbers: it tests pictures and tables, not the model."""

import json

import numpy as np
import xarray as xr


QUANTILES = np.array([0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95])
Z = np.array([-1.645, -1.2816, -0.674, 0.0, 0.674, 1.2816, 1.645])
MONTHS = np.arange("2022-01", "2033-01", dtype="datetime64[M]").astype("datetime64[ns]")
SCENARIOS = ["baseline", "blockade", "weir", "open"]
REGIONS = ["USA", "CHN", "KOR", "TWN_JPN", "EUR", "MYS", "SGP", "THA", "GULF", "ROW"]
ORIGINS = ["foreign_legal", "domestic", "smuggled", "rental"]
ECOSYSTEMS = ["cuda", "rocm", "xla", "neuron", "cann", "musa", "maca", "cambricon", "other"]
PRODUCTS = [
    "nvidia-h20",
    "nvidia-h100-sxm",
    "nvidia-b200",
    "amd-mi300x",
    "google-tpu-v6e",
    "huawei-ascend-910c",
    "cambricon-590",
]
CHANNELS = ["direct", "licensed", "domestic", "smuggled_MYS", "smuggled_SGP", "rental_MYS"]
YEARS = np.arange(2022, 2033)
_T = np.arange(MONTHS.size)
_FACTOR = {"baseline": 1.0, "blockade": 0.8, "weir": 1.3, "open": 1.8}


def _lognormal(median: np.ndarray, spread: float = 0.03) -> np.ndarray:
    """Quantiles (quantile, month) about a median whose log-spread grows with the root of time."""
    return median * np.exp(Z[:, None] * spread * np.sqrt(_T + 1))


def _logistic(median: np.ndarray, spread: float = 0.04) -> np.ndarray:
    """Quantiles of a share that stays between 0 and 1."""
    logit = np.log(median / (1 - median))
    return 1 / (1 + np.exp(-(logit + Z[:, None] * spread * np.sqrt(_T + 1))))


def _stack(make: object, *labels: list[str]) -> np.ndarray:
    """Array (scenario, quantile, month, *labels) from a function of (scenario, *labels) to (quantile, month)."""
    shape = (len(SCENARIOS), *(len(names) for names in labels))
    out = np.empty((len(SCENARIOS), QUANTILES.size, MONTHS.size, *shape[1:]))
    for index in np.ndindex(*shape):
        chosen = [SCENARIOS[index[0]], *(names[i] for names, i in zip(labels, index[1:], strict=True))]
        out[(index[0], slice(None), slice(None), *index[1:])] = make(*chosen)  # type: ignore[operator]
    return out


def _variables() -> dict[str, tuple[tuple[str, ...], np.ndarray, str, str]]:
    first = ("scenario", "quantile", "month")
    size = {region: 1 / (i + 1) for i, region in enumerate(REGIONS)}
    origin = {"foreign_legal": 3e5, "domestic": 1.2e5, "smuggled": 9e4, "rental": 1.5e5}
    growth = {"foreign_legal": 0.012, "domestic": 0.035, "smuggled": 0.011, "rental": 0.02}
    share = {"cuda": 0.7, "cann": 0.15, "cambricon": 0.05, "xla": 0.03, "rocm": 0.03}
    f = _FACTOR
    table = {
        "compute_by_origin": (
            _stack(
                lambda s, o: _lognormal(origin[o] * f[s] ** (o == "foreign_legal") * np.exp(growth[o] * _T)), ORIGINS
            ),
            ("origin",),
            "H100e",
            "Chinese installed compute by origin",
        ),
        "compute": (
            _stack(lambda s, r: _lognormal(2e6 * size[r] * (f[s] if r == "CHN" else 1) * np.exp(0.03 * _T)), REGIONS),
            ("region",),
            "H100e",
            "Compute used",
        ),
        "ratio_to_us": (_stack(lambda s: _logistic(np.full(_T.size, 0.18) * f[s])), (), "1", "Chinese over US compute"),
        "domestic_share_units": (
            _stack(lambda s: _logistic(np.clip((0.1 + 0.005 * _T) / f[s], 0.02, 0.95))),
            (),
            "1",
            "Domestic share, units",
        ),
        "domestic_share_compute": (
            _stack(lambda s: _logistic(np.clip((0.05 + 0.004 * _T) / f[s], 0.02, 0.9))),
            (),
            "1",
            "Domestic share, compute",
        ),
        "domestic_share_value": (
            _stack(lambda s: _logistic(np.clip((0.08 + 0.004 * _T) / f[s], 0.02, 0.9))),
            (),
            "1",
            "Domestic share, value",
        ),
        "nvidia_share": (
            _stack(lambda s: _logistic(np.clip(0.8 - 0.005 * _T * 1.2 / f[s], 0.03, 0.95))),
            (),
            "1",
            "NVIDIA share",
        ),
        "smuggled_units": (
            _stack(lambda s: _lognormal(6e3 / f[s] * (1 + np.tanh((_T - 20) / 8)), 0.08)),
            (),
            "units/month",
            "Smuggled",
        ),
        "premium_black_market": (
            _stack(lambda s: 1 + _lognormal(0.5 / f[s] * np.exp(-0.005 * _T), 0.05)),
            (),
            "1",
            "Premium",
        ),
        "largest_run": (
            _stack(lambda s, r: _lognormal(3e25 * size[r] * f[s] * np.exp(0.08 * _T)), REGIONS),
            ("region",),
            "FLOP",
            "Largest run",
        ),
        "lag_months": (_stack(lambda s: 7 / f[s] + Z[:, None] * 2 + 0 * _T), (), "months", "Lag"),
        "token_price": (
            _stack(lambda s, r: _lognormal(20 / size[r] ** 0.1 * np.exp(-0.06 * _T))[:, :], REGIONS),
            ("region",),
            "USD/Mtok",
            "Token price",
        ),
        "utilisation": (
            _stack(lambda s, r: _logistic(np.full(_T.size, 0.55)), REGIONS),
            ("region",),
            "1",
            "Utilisation",
        ),
        "power_mw": (
            _stack(lambda s, r: _lognormal(4e3 * size[r] * np.exp(0.025 * _T)), REGIONS),
            ("region",),
            "MW",
            "Power",
        ),
        "ecosystem_share": (
            _stack(lambda s, r, e: _logistic(np.full(_T.size, share.get(e, 0.01))), REGIONS, ECOSYSTEMS),
            ("region", "ecosystem"),
            "1",
            "Ecosystem share",
        ),
        "maturity": (
            _stack(lambda s, e: _logistic(np.clip(share.get(e, 0.05) + 0.002 * _T, 0.02, 0.97)), ECOSYSTEMS),
            ("ecosystem",),
            "1",
            "Maturity",
        ),
        "production_domestic": (
            _stack(lambda s: _lognormal(2e4 * np.exp(0.02 * _T))),
            (),
            "units/month",
            "Chips made in China",
        ),
        "binding": (
            _stack(
                lambda s, c: _logistic(
                    np.clip(
                        {"logic": 0.6 - 0.003 * _T, "hbm": 0.3 + 0.003 * _T, "packaging": 0.1 + 0 * _T}[c], 0.02, 0.95
                    ),
                    0.01,
                ),
                ["logic", "hbm", "packaging"],
            ),
            ("constraint",),
            "1",
            "Binding constraint",
        ),
        "korea_hbm_exports": (
            _stack(
                lambda s, c: _lognormal((2e9 if c == "nvidia" else 3e8) * np.exp(0.015 * _T)),
                ["nvidia", "amd", "other-us", "korea", "china"],
            ),
            ("customer",),
            "USD/month",
            "HBM exports",
        ),
        "korea_hbm_exports_total": (
            _stack(lambda s: _lognormal(3.2e9 * np.exp(0.015 * _T))),
            (),
            "USD/month",
            "HBM exports",
        ),
        "korea_value_at_risk": (
            _stack(lambda s: _lognormal(np.full(_T.size, 1.5e9))),
            (),
            "USD/month",
            "Value at risk",
        ),
        "unmet_share": (_stack(lambda s: _logistic(np.full(_T.size, 0.001))), (), "1", "Unmet share"),
    }
    return {name: ((*first, *dims), values, unit, text) for name, (values, dims, unit, text) in table.items()}


def _flow() -> np.ndarray:
    rng = np.random.default_rng(1)
    values = rng.gamma(0.6, 4e4, (len(SCENARIOS), YEARS.size, len(PRODUCTS), len(REGIONS), len(CHANNELS)))
    china = REGIONS.index("CHN")
    for c, channel in enumerate(CHANNELS):
        if channel != "direct":
            values[..., [r for r in range(len(REGIONS)) if r != china], c] = 0
    for p, product in enumerate(PRODUCTS):
        if product.startswith(("huawei", "cambricon")):
            values[:, :, p, :, [i for i, c in enumerate(CHANNELS) if c != "domestic"]] = 0
        else:
            values[:, :, p, :, CHANNELS.index("domestic")] = 0
    return values


def synthetic_run() -> xr.Dataset:
    """Four scenarios, 132 months, with paired differences to the baseline."""
    data = {}
    for name, (dims, values, unit, text) in _variables().items():
        data[name] = (dims, values, {"units": unit, "long_name": text})
        half = 0.3 * (values - values[:, 2:3])
        delta = (values[:, 2:3] - values[:1, 2:3]) + half * (np.arange(len(SCENARIOS)) > 0).reshape(
            -1, *[1] * (values.ndim - 1)
        )
        data[f"delta_{name}"] = (dims, delta, {"units": unit, "long_name": text})
        above = (delta[:, 2] > 0).astype(float)
        data[f"p_greater_{name}"] = ((dims[0], *dims[2:]), above, {"units": "1", "long_name": text})
    data["flow"] = (
        ("scenario", "year", "product", "region", "channel"),
        _flow(),
        {"units": "units", "long_name": "Chips sold"},
    )
    manifest = {
        "code_version": "0.1.0",
        "facts_hash": "0" * 64,
        "rules_hash": "1" * 64,
        "seed": 1,
        "members": 1000,
        "versions": {"jax": "0.10"},
        "scenarios": {name: {} for name in SCENARIOS},
    }
    return xr.Dataset(
        data,
        coords={
            "scenario": SCENARIOS,
            "quantile": QUANTILES,
            "month": MONTHS,
            "region": REGIONS[:],
            "origin": ORIGINS,
            "ecosystem": ECOSYSTEMS,
            "constraint": ["logic", "hbm", "packaging"],
            "customer": ["nvidia", "amd", "other-us", "korea", "china"],
            "year": YEARS,
            "product": PRODUCTS,
            "channel": CHANNELS,
        },
        attrs={"manifest": json.dumps(manifest)},
    )
