"""A hundred users who move sliders for a minute: no error, and how long each of them waits for a first answer.

Starts the real playground and asks it what the page asks: every 5 to 10 seconds a lever moves, half of the moves to where
others move too (a demonstration, a class); between moves the page asks for better answers. Prints p50, p95, the number of
errors and of requests, and the server's memory at the beginning and at the end.

    python benchmarks/load.py [--users 100] [--seconds 60] [--pause 5 10] [--shared 0.5] [--json]
"""

import argparse
import json
import os
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
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
    """Seconds that users waited, members of the answers, and what went wrong."""

    seconds: list[float] = field(default_factory=list)
    members: list[int] = field(default_factory=list)
    better: list[int] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def user(address: str, until: float, seed: int, waits: Waits, options: argparse.Namespace) -> None:
    """One user: move a lever, look while the answer gets better, move again."""
    draw = random.Random(seed)
    page = {"X-Chipweir-Page": f"user-{seed}"}
    settings: dict[str, float] = {}
    time.sleep(draw.uniform(0, options.pause[1]))
    while time.monotonic() < until:
        # Where others move too: the same few steps of one lever, in the same minute.
        shared = draw.random() < options.shared
        lever = "us.enforcement" if shared else draw.choice(list(LEVERS))
        low, high = LEVERS[lever]
        value = round(low + (high - low) * draw.randrange(21) / 20, 3)
        settings = {lever: value} if shared else {**settings, lever: value}
        query = "&".join(f"s.{name}={value}" for name, value in settings.items())
        started = time.monotonic()
        members = 0
        try:
            with urlopen(Request(f"{address}answer?{query}", headers=page), timeout=60) as response:
                reply = json.load(response)
            waits.errors += reply["problems"]
            members = reply.get("members", 0)
            waits.members.append(members)
        except (OSError, ValueError) as error:
            waits.errors.append(str(error))
        waits.seconds.append(time.monotonic() - started)
        rest = started + draw.uniform(*options.pause)
        while 0 < members < 1000 and time.monotonic() < rest - 1:
            time.sleep(0.6)
            members = better(address, query, page, members, rest, waits)
        time.sleep(max(0.0, rest - time.monotonic()))


def better(address: str, query: str, page: dict[str, str], members: int, rest: float, waits: Waits) -> int:
    """Ask for a better answer until the next move, as the page does; members of what is shown then."""
    headers = {**page, "X-Chipweir-Have": str(members)}
    try:
        with urlopen(
            Request(f"{address}refined?{query}", headers=headers), timeout=rest - time.monotonic()
        ) as response:
            if response.status == 200:
                members = json.load(response)["members"]
                waits.better.append(members)
    except TimeoutError:
        return 0  # the lever moves on: the page gives this question up
    except (OSError, ValueError) as error:
        if "timed out" not in str(error):
            waits.errors.append(f"refined: {error}")
        return 0
    return members


def memory_mb(process: int) -> float:
    """Resident memory of a process."""
    with open(f"/proc/{process}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def processor_s(process: int) -> float:
    """Seconds that a process has had of the processors: what stays comparable where others use the machine too."""
    with open(f"/proc/{process}/stat") as file:
        user, system = file.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Start, load, print, stop."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--pause", type=float, nargs=2, default=(5.0, 10.0), help="seconds between moves, from and to")
    parser.add_argument("--shared", type=float, default=0.5, help="share of moves that others make too")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    port = free_port()
    server = start_server(port)
    waits = Waits()
    try:
        address = f"http://127.0.0.1:{port}/"
        until = time.monotonic() + options.seconds
        before, spent = memory_mb(server.pid), processor_s(server.pid)
        threads = [
            threading.Thread(target=user, args=(address, until, seed, waits, options)) for seed in range(options.users)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        after, spent = memory_mb(server.pid), processor_s(server.pid) - spent
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
        "max_s": round(float(np.max(waits.seconds)), 3),
        "first_answers_by_members": dict(sorted(Counter(waits.members).items())),
        "better_answers_by_members": dict(sorted(Counter(waits.better).items())),
        "processor_s": round(spent, 1),
        "memory_mb": [round(before), round(after)],
        "cores": os.cpu_count(),
        "load": [round(value, 2) for value in os.getloadavg()],
    }
    print(json.dumps(found) if options.json else "\n".join(f"{key}: {value}" for key, value in found.items()))


if __name__ == "__main__":
    main()
