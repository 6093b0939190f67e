"""Ten users who move sliders for a minute: no error, and how long each of them waits.

Starts the real playground and asks it what the page asks when a lever moves, from ten threads with pauses like a
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
from urllib.request import urlopen

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


def user(address: str, until: float, seed: int, waits: Waits) -> None:
    """One user: move a lever, look, move again."""
    draw = random.Random(seed)
    settings: dict[str, float] = {}
    while time.monotonic() < until:
        lever = draw.choice(list(LEVERS))
        low, high = LEVERS[lever]
        settings[lever] = round(low + (high - low) * draw.randrange(21) / 20, 3)
        query = "&".join(f"s.{name}={value}" for name, value in settings.items())
        started = time.monotonic()
        try:
            with urlopen(f"{address}answer?{query}", timeout=60) as response:
                waits.errors += json.load(response)["problems"]
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
        until = time.monotonic() + options.seconds
        threads = [threading.Thread(target=user, args=(address, until, seed, waits)) for seed in range(options.users)]
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
