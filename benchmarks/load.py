"""Ten users who move sliders for a minute: no error, and how long each of them waits.

Starts the real playground and sends it what the page sends when a lever moves, from ten threads with pauses like a
person's. Prints p50, p95, the number of errors and of requests.

    python benchmarks/load.py [--users 10] [--seconds 60] [--json]
"""

import argparse
import json
import os
import random
import threading
import time
from dataclasses import dataclass, field
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import numpy as np
from playground import free_port, start_server


LEVERS = {
    "us.enforcement": (0.0, 3.0),
    "us.equipment_controls": (0.0, 3.0),
    "china.capacity_investment": (0.0, 3.0),
    "technology.smic_yield": (0.5, 1.5),
    "demand.china_capex": (0.0, 3.0),
}


@dataclass
class Waits:
    """Seconds that users waited, and what went wrong."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def answering_callback(address: str) -> dict[str, object]:
    """The page's callback that answers a move, as the server describes it."""
    with urlopen(f"{address}_dash-dependencies") as response:
        callbacks = json.load(response)
    return next(c for c in callbacks if "tiles.children" in c["output"] and not c.get("clientside_function"))


def request_body(callback: dict[str, object], query: str) -> bytes:
    """What the browser sends when the view has changed to `query`."""
    outputs = []
    for part in str(callback["output"]).strip(".").split("..."):
        identifier, _, name = part.rpartition(".")
        outputs.append({"id": json.loads(identifier) if identifier.startswith("{") else identifier, "property": name})
    values = {"view": query, "refined": None}
    inputs = [{**entry, "value": values[entry["id"]]} for entry in callback["inputs"]]  # type: ignore[attr-defined]
    body = {
        "output": callback["output"],
        "outputs": outputs,
        "inputs": inputs,
        "changedPropIds": ["view.data"],
        "state": [],
    }
    return json.dumps(body).encode()


def user(address: str, callback: dict[str, object], until: float, seed: int, waits: Waits) -> None:
    """One user: move a lever, look, move again."""
    draw = random.Random(seed)
    settings: dict[str, float] = {}
    while time.monotonic() < until:
        lever = draw.choice(list(LEVERS))
        low, high = LEVERS[lever]
        settings[lever] = round(low + (high - low) * draw.randrange(21) / 20, 3)
        query = "&".join(f"s.{name}={value}" for name, value in settings.items())
        request = Request(
            f"{address}_dash-update-component", request_body(callback, query), {"Content-Type": "application/json"}
        )
        started = time.monotonic()
        try:
            with urlopen(request, timeout=60) as response:
                answer = json.load(response)
            if "problem" in json.dumps(answer["response"].get("message", {})):
                waits.errors.append("the page said that something could not be done")
        except (HTTPError, URLError, TimeoutError, ValueError) as error:
            waits.errors.append(str(error))
        waits.seconds.append(time.monotonic() - started)
        time.sleep(draw.uniform(1.0, 4.0))


def main() -> None:
    """Start, load, print, stop."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    port = free_port()
    server = start_server(port)
    waits = Waits()
    try:
        address = f"http://127.0.0.1:{port}/"
        callback, until = answering_callback(address), time.monotonic() + options.seconds
        threads = [
            threading.Thread(target=user, args=(address, callback, until, seed, waits)) for seed in range(options.users)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        server.terminate()
        server.wait(20)
    found = {
        "users": options.users,
        "requests": len(waits.seconds),
        "errors": len(waits.errors),
        "first_error": waits.errors[0] if waits.errors else None,
        "p50_s": round(float(np.percentile(waits.seconds, 50)), 3),
        "p95_s": round(float(np.percentile(waits.seconds, 95)), 3),
        "cores": os.cpu_count(),
        "load": [round(value, 2) for value in os.getloadavg()],
    }
    print(json.dumps(found) if options.json else "\n".join(f"{key}: {value}" for key, value in found.items()))


if __name__ == "__main__":
    main()
