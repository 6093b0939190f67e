"""Callbacks' requests of any form: a bad one is told so, none is an internal error."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chipweir.app import create_app
from chipweir.app._guard import Rate
from chipweir.app._requests import problem_of


CALLBACK = "/_dash-update-component"
# What a page never sends where it matters, but a visitor may.
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30)
    | st.sampled_from(["/", "?s.us.enforcement=2", "?run=20260101-000000-x", "H20", "CN", "\x00", "9" * 400, "a" * 9000])
    | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


@pytest.fixture(scope="module")
def application(engine):
    return create_app(engine, rate=Rate(1e9, 1e9))


@pytest.fixture(scope="module")
def client(application):
    return application.server.test_client()


@pytest.fixture(scope="module")
def answered(application):
    """The outputs that Python answers, with their inputs."""
    return {name: known for name, known in application.callback_map.items() if "callback" in known}


def places(names):
    """What a request says of outputs."""
    return [dict(zip(("id", "property"), name.rsplit("@")[0].rsplit(".", 1), strict=True)) for name in names]


def request_for(name, known, values, changed=None):
    """A request as the page sends it, with `values` in turn for its inputs and states."""
    names = name.strip(".").split("...") if name.startswith("..") else [name]
    outputs = [] if known.get("no_output") else places(names)
    given = iter(values)
    inputs = [{**_place(each), "value": next(given)} for each in known["inputs"]]
    state = [{**_place(each), "value": next(given)} for each in known["state"]]
    first = changed or (f"{inputs[0]['id']}.{inputs[0]['property']}" if inputs else "")
    return {
        "output": name,
        "outputs": outputs if name.startswith("..") or not outputs else outputs[0],
        "inputs": inputs,
        "state": state,
        "changedPropIds": [first] if first else [],
    }


def _place(each):
    return {"id": each["id"], "property": each["property"]}


def is_plain(known):
    return not any(str(each["id"]).startswith("{") for each in (*known["inputs"], *known["state"]))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_value_of_an_input_is_an_internal_error(client, answered, data):
    name = data.draw(st.sampled_from(sorted(name for name, known in answered.items() if is_plain(known))))
    known = answered[name]
    count = len(known["inputs"]) + len(known["state"])
    values = data.draw(st.lists(VALUES, min_size=count, max_size=count))
    which = data.draw(st.sampled_from([f"{each['id']}.{each['property']}" for each in known["inputs"]]))
    body = json.dumps(request_for(name, known, values, which))
    response = client.post(CALLBACK, data=body, content_type="application/json")
    assert response.status_code in (200, 204, 400), (name, response.get_data(as_text=True)[:500])
    assert "Traceback" not in response.get_data(as_text=True)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_form_of_a_request_is_an_internal_error(client, answered, data):
    name = data.draw(st.sampled_from(sorted(answered)))
    known = answered[name]
    body = request_for(name, known, [None] * (len(known["inputs"]) + len(known["state"])))
    for _ in range(data.draw(st.integers(1, 3))):
        key = data.draw(st.sampled_from([*sorted(body), "parsedChangedPropsIds", "callbackContext", "output"]))
        if data.draw(st.booleans()):
            body.pop(key, None)
        else:
            body[key] = data.draw(VALUES)
    response = client.post(CALLBACK, data=json.dumps(body), content_type="application/json")
    assert response.status_code in (200, 204, 400), response.get_data(as_text=True)[:500]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_what_is_no_request_is_told_so(answered, body):
    assert problem_of(body, answered)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(
        ["/", "/answer", "/refined", "/chips", "/rules", "/claims", "/facts", "/_dash-layout", "/assets/", "/x"]
    ),
    st.text(max_size=60)
    | st.dictionaries(
        st.sampled_from(
            ["lang", "p", "a", "from", "tab", "y", "run", "s.us.enforcement", "s.x", "r.chip", "f.words", "token"]
        ),
        st.text(max_size=20) | st.sampled_from(["ko", "weir", "2030-12", "nan", "inf", "1e999", "-1", "9" * 300]),
        max_size=5,
    ),
)
def test_no_address_is_an_internal_error(client, path, query):
    response = client.get(path, query_string=query)
    assert response.status_code in (200, 204, 302, 400, 404, 414), (path, query, response.get_data(as_text=True)[:300])


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "HEAD", "X"])
@pytest.mark.parametrize("path", ["/", "/answer", CALLBACK, "/assets/chipweir.js"])
def test_no_method_is_an_internal_error(client, method, path):
    assert client.open(path, method=method).status_code < 500
