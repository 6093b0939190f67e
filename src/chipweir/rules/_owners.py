"""Who owns the recipient: shares of listed parties added up, and where the owners and the ultimate parent sit."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from chipweir.errors import InputError, UnknownName
from chipweir.i18n import _
from chipweir.rules._asked import parent_seat, seat
from chipweir.rules._numbers import exact
from chipweir.rules._parties import known
from chipweir.rules._places import is_country_name
from chipweir.rules._words import flag, folded, is_unknown


HALF = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class Owners:
    """`listed`: the share of listed parties, None where open; `seats`: where owners of one half or more and parents sit;
    `names`: who they are, where that is stated; `parent_unknown`: the parent is said not to be known."""

    listed: Fraction | None
    unknown: bool = False
    stated: bool = True
    seats: frozenset[str] = frozenset()
    sdn: bool = False
    joint_venture: bool = False
    names: tuple[str, ...] = ()
    parent_unknown: bool = False


_LISTED_KEYS = (
    "listed", "listed_share", "listed_fraction", "listed_pct", "listed_percent", "listed_owners", "listed_parties",
    "listed_parties_share", "entity_list", "entity_list_share", "entity_list_pct", "aggregate", "aggregate_listed",
    "share", "fraction", "percent", "pct",
)  # fmt: skip
_PARENT_KEYS = ("ultimate_parent", "parent", "parent_hq", "ultimate_parent_hq")
_SHARE_KEYS = ("share", "fraction", "percent", "pct", "stake")
_OWNER_KEYS = ("name", "owner", *_SHARE_KEYS, "listed", "list", "entity_list", "country", "hq", "sdn")


def ownership(value: object) -> Owners:
    """What a shipment says of the recipient's owners. Raises `InputError` for what cannot be a share."""
    if value is None or value == "":
        return Owners(Fraction(0), stated=False)
    if isinstance(value, str):
        if folded(value) in ("unknown", "undetermined", "unclear", "notknown"):
            return Owners(None, unknown=True)
        if folded(value) in ("none", "no", "clean", "unlisted", "independent", "private"):
            return Owners(Fraction(0))
        return Owners(_spelt_share(value))
    if isinstance(value, bool):
        raise InputError("ownership: give the share held by listed parties, such as 0.5, or 'unknown'")
    if isinstance(value, list | tuple):
        return _several(value)
    if isinstance(value, Mapping):
        return _described(value)
    return Owners(share(value, "ownership"))


def share(value: object, name: str) -> Fraction:
    """A share as a fraction: 0.5, 50, '50%' and '50 %' are the same. A bare number from 1 to 10 is asked about."""
    text = value.strip() if isinstance(value, str) else value
    percent = isinstance(text, str) and text.endswith("%")
    number = exact(text.rstrip("% ").strip() if isinstance(text, str) else text, name)
    if not percent and 1 < number < 10:
        raise InputError(
            _("{name}: {value} is not clear; write {value}% for a percentage, or a share from 0 to 1",
              name=name, value=text)
        )  # fmt: skip
    found = number / 100 if percent or number > 1 else number
    if found > 1:
        raise InputError(f"{name}: a share of {text} is more than the whole")
    return found


def _spelt_share(text: str) -> Fraction:
    """A share with words around it: '50% Entity List', 'listed 0.5', '30 % not listed'."""
    match = re.fullmatch(r"([^\d]*?)(\d+(?:\.\d+)?\s*%?)([^\d]*)", text.strip())
    if match is None:
        return share(text, "ownership")
    words = folded(match[1] + match[3])
    if words and not any(word in words for word in ("list", "sdn", "meu", "owned", "share", "stake")):
        raise InputError(f"ownership: cannot read {text[:60]!r}; give the share held by listed parties, such as 50%")
    return Fraction(0) if "notlisted" in words or "unlisted" in words else share(match[2], "ownership")


def _described(value: Mapping[str, Any]) -> Owners:
    allowed = (*_LISTED_KEYS, *_PARENT_KEYS, "owners", "unknown", "sdn", "joint_venture")
    for key in value:
        if key not in allowed:
            raise UnknownName("ownership field", str(key)[:60], allowed, where="ownership")
    above = {key: value[key] for key in _PARENT_KEYS if value.get(key) and not is_unknown(value[key])}
    seats = [parent_seat(entry, f"ownership, {key}") for key, entry in above.items()]
    parents = {code for code in seats if code is not None}
    names = tuple(entry for entry in above.values() if not is_country_name(entry))
    own = {
        "parent_unknown": None in seats or any(is_unknown(value.get(key)) for key in _PARENT_KEYS),
        "sdn": bool(flag(value.get("sdn"), "ownership, sdn")),
        "joint_venture": bool(flag(value.get("joint_venture"), "ownership, joint_venture")),
    }
    if flag(value.get("unknown"), "ownership, unknown"):
        return Owners(None, unknown=True, seats=frozenset(parents), names=names, **own)
    if value.get("owners") is not None:
        inner = _several(value["owners"])
        return _with(inner, parents, names, own)
    held = next((value[key] for key in _LISTED_KEYS if value.get(key) is not None), None)
    inner = ownership(held) if not isinstance(held, bool) else Owners(Fraction(1 if held else 0))
    return _with(inner, parents, names, own)


def _with(inner: Owners, parents: set[str], names: tuple[str, ...], own: Mapping[str, bool]) -> Owners:
    """What is said of the shares together with what is said of the parent and beside it."""
    return replace(
        inner, seats=inner.seats | parents, names=inner.names + names, sdn=inner.sdn or own["sdn"],
        joint_venture=own["joint_venture"], parent_unknown=inner.parent_unknown or own["parent_unknown"],
    )  # fmt: skip


def _several(owners: Any) -> Owners:
    if not isinstance(owners, list | tuple):
        raise InputError(f"ownership, owners: expected a list, got {str(owners)[:60]!r}")
    total, whole = Fraction(0), Fraction(0)
    unknown = sdn = unplaced = False
    seats: set[str] = set()
    names: list[str] = []
    for number, owner in enumerate(owners, 1):
        where = f"ownership, owner {number}"
        if not isinstance(owner, Mapping):
            part = share(owner, where)
            total, whole = total + part, whole + part
            continue
        for key in owner:
            if key not in _OWNER_KEYS:
                raise UnknownName("owner field", str(key)[:60], _OWNER_KEYS, where=where)
        held = _held(owner, where)
        whole += held or 0
        place = owner.get("hq") or owner.get("country")
        name = owner.get("name") or owner.get("owner")
        firm = known(name) if isinstance(name, str) else None
        if held is None or held >= HALF:  # whoever holds one half or more, or an unknown part, may be the parent
            seats |= {seat(place, where)} if place else set()
            seats |= {firm.party.seat} if firm else set()
            names += [str(name)] if firm else []
            unplaced = unplaced or (held is not None and not place and not firm)
        said = next((owner[k] for k in ("listed", "list", "entity_list") if k in owner), True)
        if said in (False, "no", "none", None) and not (firm and firm.itself and firm.party.listed):
            continue  # of a firm that is known to be listed this is not believed
        sdn = sdn or bool(flag(owner.get("sdn"), f"{where}, sdn"))
        unknown = unknown or held is None
        total += held or 0
    if whole > 1:
        raise InputError(f"ownership: the shares add up to {float(whole):.2f}, more than the whole")
    open_ = unknown and total < HALF
    return Owners(None if open_ else total, unknown, seats=frozenset(seats), sdn=sdn, names=tuple(names),
                  parent_unknown=unplaced)  # fmt: skip


def _held(owner: Mapping[str, Any], where: str) -> Fraction | None:
    """The share of one owner, None where it is not known."""
    found = next((owner[key] for key in _SHARE_KEYS if owner.get(key) is not None), None)
    if found is None or (isinstance(found, str) and folded(found) == "unknown"):
        return None
    return share(found, where)
