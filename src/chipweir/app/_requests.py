"""What a callback's request from the page must look like, before Dash takes it apart: anything else is a bad request.

Dash trusts what it is sent and answers an unexpected form with an internal error.
"""

import json
from collections.abc import Mapping
from typing import Any

from flask import Flask, make_response, request

from chipweir.app._guard import LARGEST_REQUEST
from chipweir.errors import InputError
from chipweir.reading import Limits, parse_json


PATH = "/_dash-update-component"
# What Dash's own components say in these is of these types, or nothing.
TYPES = {"pathname": str, "search": str, "n_clicks": int, "n_intervals": int, "href": str}
LIMITS = Limits(characters=LARGEST_REQUEST, depth=60, values=100_000, text=LARGEST_REQUEST, digits=330, printable=False)


def install(server: Flask, callbacks: Mapping[str, Any]) -> None:
    """Check every request for one of `callbacks` (Dash's own map of them, by output) before Dash sees it."""

    @server.before_request
    def _check() -> Any:
        if request.path != PATH or request.method != "POST":
            return None
        problem = problem_of(request.get_data(cache=True), callbacks)
        return make_response(f"{problem}\n", 400) if problem else None

    @server.errorhandler(413)
    def _too_large(_error: Exception) -> Any:
        return make_response(f"a request may have {LARGEST_REQUEST >> 20} MB at most\n", 413)


def problem_of(data: bytes, callbacks: Mapping[str, Any]) -> str:
    """What is wrong with a callback's request, or nothing."""
    try:
        body = parse_json(data.decode(), "the request", LIMITS)
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeError:  # also halves of characters, which JSON can name
        return "the request is not text in UTF-8"
    except InputError as error:
        return str(error)
    if not isinstance(body, dict) or not isinstance(body.get("output"), str):
        return "the request names no output"
    callback = callbacks.get(body["output"])
    if callback is None or "callback" not in callback:  # the latter are answered by the browser itself
        return "the request names no output of this page"
    outputs = body.get("outputs", [])
    many = body["output"].startswith("..")
    places = outputs if many and isinstance(outputs, list) else [outputs]
    nothing = callback.get("no_output") and not outputs
    if not nothing and not (all(map(_is_place, places)) and len(places) == body["output"].count("...") + 1):
        return "the outputs are not those of the callback"
    for name in ("inputs", "state"):
        given, expected = body.get(name, []), callback[name]
        if not isinstance(given, list) or len(given) != len(expected):
            return f"the {name} are not those of the callback"
        if not all(_matches(each, one) for each, one in zip(given, expected, strict=True)):
            return f"the {name} are not those of the callback"
    changed = body.get("changedPropIds", [])
    if not isinstance(changed, list) or not all(isinstance(each, str) and "." in each for each in changed):
        return "changedPropIds is a list of names"
    return ""


def _matches(given: object, expected: Mapping[str, Any]) -> bool:
    """Whether an input is the one that the callback has there; one of many of a kind comes as a list."""
    if str(expected["id"]).startswith("{"):
        return isinstance(given, list) and all(_is_place(each) for each in given)
    if not isinstance(given, dict) or any(given.get(key) != expected[key] for key in ("id", "property")):
        return False
    return isinstance(given.get("value"), TYPES.get(expected["property"], object) | None)


def _is_place(given: object) -> bool:
    return (
        isinstance(given, dict) and isinstance(given.get("id"), str | dict) and isinstance(given.get("property"), str)
    )
