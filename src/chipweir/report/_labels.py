"""What readers call the things that the model knows by id."""

from chipweir.i18n import _


def N_(text: str) -> str:
    """Mark `text` for translation; it is translated where it is shown."""
    return text


REGIONS = {
    "USA": N_("United States"),
    "CHN": N_("China"),
    "KOR": N_("South Korea"),
    "TWN_JPN": N_("Taiwan and Japan"),
    "EUR": N_("Europe"),
    "MYS": N_("Malaysia"),
    "SGP": N_("Singapore"),
    "THA": N_("Thailand"),
    "GULF": N_("Gulf states"),
    "ROW": N_("Rest of the world"),
}
ORIGINS = {
    "domestic": N_("Made in China"),
    "foreign_legal": N_("Legal imports"),
    "smuggled": N_("Smuggled"),
    "rental": N_("Rented abroad"),
}
CHANNELS = {
    "domestic": N_("Domestic sale"),
    "direct": N_("Direct sale"),
    "licensed": N_("Licensed import"),
    "licensed_import": N_("Licensed import"),
    "legal": N_("Legal sale"),
    "smuggled": N_("Smuggled"),
    "rental": N_("Remote rental"),
}
WORKLOADS = {"training": N_("Training"), "inference": N_("Data-centre inference"), "edge": N_("Edge inference")}
ECOSYSTEMS = {
    "cuda": "CUDA",
    "rocm": "ROCm",
    "xla": "XLA/TPU",
    "neuron": "Neuron",
    "cann": "CANN",
    "musa": "MUSA",
    "maca": "MACA",
    "cambricon": N_("Cambricon"),
    "other": N_("Other"),
}
CONSTRAINTS = {
    "logic": N_("Logic dies"),
    "hbm": N_("HBM stacks"),
    "packaging": N_("Packaging"),
    "demand": N_("Demand"),
}
SCENARIOS = {
    "baseline": N_("Current rules"),
    "blockade": N_("Blockade"),
    "weir": N_("Weir"),
    "open": N_("Open"),
    "sea-licence": N_("SE Asia licence"),
    "hbm-cut": N_("HBM cut off"),
    "glut": N_("Glut"),
    "mine": N_("Your scenario"),
    "playground": N_("Your scenario"),
}
SCENARIO_STORIES = {
    "baseline": N_("Rules as they were, then as they stand; nothing new is decided."),
    "blockade": N_(
        "From December 2026 no controlled chip may go to China, enforcement doubles and renting abroad is closed."
    ),
    "weir": N_("From December 2026 older chips (H20 and H200 class) flow under a fee; the best ones do not."),
    "open": N_("From December 2026 every chip may go to China, and China lets every chip in."),
    "sea-licence": N_("From January 2027 chips for Malaysia and Thailand need a US licence."),
    "hbm-cut": N_(
        "From December 2026 the HBM rule has no gaps, Korea sells none to China, Chinese HBM ramps at half pace."
    ),
    "glut": N_("From December 2026 token demand grows at half pace while Chinese fabs and budgets go on."),
}
CUSTOMERS = {
    "us_designers": N_("US chip designers"),
    "us": N_("US chip designers"),
    "nvidia": "NVIDIA",
    "amd": "AMD",
    "other-us": N_("Other US designers"),
    "korea": N_("South Korea"),
    "china": N_("China"),
    "CHN": N_("China"),
    "USA": N_("United States"),
    "rest": N_("Others"),
    "other": N_("Others"),
    "others": N_("Others"),
    "total": N_("Total"),
}
EVENT_TYPES = {
    "export_control": N_("Export control"),
    "entity_list": N_("Entity List"),
    "enforcement": N_("Enforcement"),
    "law": N_("Law"),
    "retaliation": N_("Chinese countermeasure"),
    "demand_control": N_("Chinese purchase guidance"),
    "waiver": N_("Waiver"),
    "product": N_("Product"),
    "model": N_("Model release"),
    "summit": N_("Summit"),
    "state_fund": N_("State fund"),
}
EVENT_KINDS = {
    **EVENT_TYPES,
    "price": N_("Price"),
    "investment": N_("Investment"),
    "policy": N_("Policy"),
    "plan": N_("Plan"),
    "ipo": N_("Stock listing"),
    "results": N_("Company results"),
    "capex": N_("Capital spending"),
    "trade_deal": N_("Trade deal"),
    "sovereign_ai": N_("Sovereign AI"),
    "software": N_("Software"),
    "roadmap": N_("Roadmap"),
    "leak": N_("Leak"),
    "deal": N_("Supply deal"),
    "official_estimate": N_("Official estimate"),
    "trade_rule": N_("Trade rule"),
    "smuggling": N_("Smuggling"),
    "capacity": N_("Capacity"),
    "budget": N_("Budget"),
    "takeover": N_("Takeover"),
    "truce": N_("Truce"),
    "industrial_policy": N_("Industrial policy"),
    "tariff": N_("Tariff"),
    "evaluation": N_("Evaluation"),
    "testimony": N_("Testimony"),
    "investigation": N_("Investigation"),
    "export": N_("Export"),
    "draft_rule": N_("Draft rule"),
    "memory": N_("Memory"),
    "dialogue": N_("Dialogue"),
    "regulation": N_("Regulation"),
    "note": N_("Note"),
    "deadline": N_("Deadline"),
    "research": N_("Research"),
    "statistics": N_("Statistics"),
}
UNITS = {
    "H100e": N_("H100e"),
    "units": N_("chips"),
    "chips": N_("chips"),
    "chip": N_("chips"),
    "units/month": N_("chips a month"),
    "chips/month": N_("chips a month"),
    "unit/month": N_("chips a month"),
    "USD": N_("US dollars"),
    "USD/month": N_("US dollars a month"),
    "USD/Mtok": N_("US dollars per million tokens"),
    "USD/Mtoken": N_("US dollars per million tokens"),
    "USD per million tokens": N_("US dollars per million tokens"),
    "USD/1e6 tokens": N_("US dollars per million tokens"),
    "months": N_("months"),
    "month": N_("months"),
    "FLOP": "FLOP",
    "MW": "MW",
    "tokens/month": N_("tokens a month"),
    "tokens/day": N_("tokens a day"),
    "stacks": N_("HBM stacks"),
    "dies": N_("dies"),
    "wafers/month": N_("wafers a month"),
    "standard deviations": N_("standard deviations"),
    "fraction": N_("fraction"),
    "fraction per month": N_("fraction a month"),
    "elasticity": N_("elasticity"),
    "log points": N_("log points"),
    "per month": N_("a month"),
    "per year": N_("a year"),
    "ratio per year": N_("times a year"),
    "times a year": N_("times a year"),
    "year": N_("years"),
    "percent": "%",
    "BUSD": N_("billion dollars"),
    "BUSD per month": N_("billion dollars a month"),
    "BUSD per year": N_("billion dollars a year"),
    "USD/W": N_("US dollars a watt"),
    "token/s": N_("tokens a second"),
    "trillion/day": N_("trillion a day"),
    "million dies": N_("million dies"),
    "million units": N_("million chips"),
    "million packages": N_("million packages"),
    "million stacks": N_("million stacks"),
    "million H100e": N_("million H100e"),
    "thousand chips": N_("thousand chips"),
    "thousand units": N_("thousand chips"),
    "thousand units per month": N_("thousand chips a month"),
    "thousand wafers/month": N_("thousand wafers a month"),
    "1": "",
    "dimensionless": "",
    "share": "",
    "ratio": "",
}

STATUSES = {
    "shipped": N_("shipped"),
    "cloud-only": N_("in its maker's cloud only"),
    "announced": N_("announced"),
    "ended": N_("no longer made"),
    "unclear": N_("unclear"),
    "sampling": N_("sampling"),
    "roadmap": N_("on the roadmap"),
    "not-shipped": N_("never shipped"),
}
CLASSES = {
    "official": N_("official"),
    "company": N_("company"),
    "analyst": N_("analyst"),
    "press": N_("press"),
    "derived": N_("derived"),
    "own": N_("own knowledge"),
}
COUNTRIES = {
    "US": N_("United States"),
    "CN": N_("China"),
    "KR": N_("South Korea"),
    "GB": N_("United Kingdom"),
    "JP": N_("Japan"),
    "CA": N_("Canada"),
    "IL": N_("Israel"),
    "NL": N_("Netherlands"),
    "TW": N_("Taiwan"),
}
PARAMETER_GROUPS = {
    "supply": N_("Supply"),
    "demand": N_("Demand"),
    "korea": N_("South Korea"),
    "market": N_("Market"),
    "rules": N_("Rules"),
    "smuggling": N_("Smuggling"),
    "stocks": N_("Stocks"),
    "ecosystem": N_("Software ecosystems"),
    "value": N_("Worth of chips"),
    "models": N_("Models and tokens"),
    "power": N_("Power"),
}
DISTRIBUTIONS = {"normal": N_("normal"), "lognormal": N_("lognormal"), "logitnormal": N_("logit-normal")}
_TABLES = {
    "parameters": PARAMETER_GROUPS,
    "distribution": DISTRIBUTIONS,
    "country": COUNTRIES,
    "status": STATUSES,
    "class": CLASSES,
    "region": REGIONS,
    "origin": ORIGINS,
    "channel": CHANNELS,
    "workload": WORKLOADS,
    "ecosystem": ECOSYSTEMS,
    "constraint": CONSTRAINTS,
    "scenario": SCENARIOS,
    "customer": CUSTOMERS,
    "event": EVENT_KINDS,
}


def label(kind: str, name: str) -> str:
    """The reader's name of a region, origin, channel, ...; a name that no table holds is shown with spaces."""
    if kind == "channel" and name not in CHANNELS:
        return _channel(name)
    text = _TABLES.get(kind, {}).get(name)
    return _(text) if text else name.replace("_", " ")


def _channel(name: str) -> str:
    """`smuggled:MYS` and `smuggled_mys` carry the hub or the place in their name."""
    for prefix, text in (("smuggled", N_("Smuggled via {place}")), ("rental", N_("Rented in {place}"))):
        rest = name.removeprefix(prefix).strip(":_- ").removeprefix("via").strip(":_- ")
        if name.startswith(prefix) and rest:
            place = next(
                (_(REGIONS[key]) for key in REGIONS if key.casefold() == rest.casefold()), rest.replace("_", " ")
            )
            return _(text, place=place)
    return name.replace("_", " ")


def unit(name: str) -> str:
    """The reader's name of a unit."""
    text = UNITS.get(name, name)
    return _(text) if text else ""
