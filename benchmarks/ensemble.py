"""How fast and how large ensembles are: members a second and peak memory, against the same equations in plain NumPy.

    python benchmarks/ensemble.py                        # 1, 100, 1,000 and 10,000 members
    python benchmarks/ensemble.py --sizes 1 100 --json

Every size runs in a process of its own, so that its peak memory is its own. Compilation is timed apart: the first task is
run once before the clock starts. The NumPy port is checked against the model, month by month, before it is timed. What a
month of a member costs is counted in the program itself (`_operations.py`), so that a slow or busy machine changes nothing.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any


HERE = Path(__file__).parent
SIZES = (1, 100, 1_000, 10_000)
# Largest relative difference of a state after any month; the model's month is in single precision.
TOLERANCE = 1e-3


def measure(members: int, scenario: str) -> dict[str, Any]:
    """Time an ensemble in this process: start, compilation, members a second and peak memory in MB."""
    from chipweir import facts, world
    from chipweir.world._ensemble import run_task, tasks

    began = time.perf_counter()
    known, chosen = facts.load(), world.load_scenario(scenario)
    work = tasks([chosen], known, members, seed=0)
    assembled = time.perf_counter()
    run_task(work[0])
    compiled = time.perf_counter()
    for task in work:
        run_task(task)
    simulated = time.perf_counter()
    world.run_ensemble([chosen], known, members, seed=0)
    whole = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "members": members,
        "precision": os.environ.get("CHIPWEIR_PRECISION", "32"),
        "assemble_s": assembled - began,
        "compile_s": compiled - assembled - (simulated - compiled) / len(work),
        "simulate_s": simulated - compiled,
        "members_per_s": members / (simulated - compiled),
        "whole_members_per_s": members / (whole - simulated),
        "peak_mb": peak / (1024**2 if sys.platform == "darwin" else 1024),
    }


def baseline(scenario: str, members: int = 3) -> dict[str, Any]:
    """Check the NumPy port against the model, then time it one member after another."""
    from _numpy_baseline import check, plain, simulate

    from chipweir import facts, world

    inputs = world.assemble(world.load_scenario(scenario), facts.load())
    drawn = world.draw(members, seed=0)
    picked = [{name: values[i] for name, values in drawn.items()} for i in range(members)]
    difference = max(check(inputs, picked[0], TOLERANCE).values())
    known = plain(inputs)
    began = time.perf_counter()
    for p in picked:
        simulate(known, p)
    taken = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"members": members, "members_per_s": members / taken, "difference": difference, "peak_mb": peak}


def operations(scenario: str) -> dict[str, float]:
    """What a month of one member costs, counted in the program and estimated by the compiler."""
    from _operations import of_month

    from chipweir import facts, world

    return of_month(world.assemble(world.load_scenario(scenario), facts.load()))


def in_child(*arguments: str) -> dict[str, Any]:
    """Run one measurement in a fresh process."""
    command = [sys.executable, __file__, *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=HERE)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def report(rows: list[dict[str, Any]], numpy: dict[str, Any], month: dict[str, float]) -> str:
    """The table that is printed."""
    head = "| members | compile s | members/s, simulation | with quantiles and labels | against NumPy | peak MB |"
    lines = [head, "|--:|--:|--:|--:|--:|--:|"]
    lines += [
        f"| {row['members']:,} | {row['compile_s']:.1f} | {row['members_per_s']:.1f} | {row['whole_members_per_s']:.1f} "
        f"| {row['against_numpy']:.0f} x | {row['peak_mb']:.0f} |"
        for row in rows
    ]
    lines.append("")
    lines.append(
        f"NumPy, one member after another: {numpy['members_per_s']:.2f} members/s "
        f"(largest difference of any state after a month to the model's: {numpy['difference']:.1e})."
    )
    lines.append(
        f"A month of a member: {month['exponentials']:,.0f} exponentials and {month['other_transcendentals']:,.0f} other "
        f"transcendentals, {month['elementwise']:,.0f} elementary operations, {month['multiply_adds']:,.0f} multiply-adds "
        f"of sums over axes; {month['bytes_kept']:,.0f} bytes of results kept."
    )
    best = max(row["members_per_s"] for row in rows)
    lines.append(
        f"At {best:.0f} members/s that is {best * month['months'] * month['elementwise'] / 1e9:.2f} billion elementary "
        f"operations and {best * month['months'] * month['exponentials'] / 1e6:.0f} million exponentials a second."
    )
    return "\n".join(lines)


def main() -> None:
    """Measure every size and print the table, or one size as JSON (`--child`)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--scenario", default="baseline")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--numpy", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--operations", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        print(json.dumps(measure(asked.child, asked.scenario)))
        return
    if asked.numpy:
        print(json.dumps(baseline(asked.scenario)))
        return
    if asked.operations:
        print(json.dumps(operations(asked.scenario)))
        return
    month = in_child("--operations", "--scenario", asked.scenario)
    numpy = in_child("--numpy", "--scenario", asked.scenario)
    rows = [in_child("--child", str(size), "--scenario", asked.scenario) for size in asked.sizes]
    rows = [{**row, "against_numpy": row["members_per_s"] / numpy["members_per_s"]} for row in rows]
    if asked.json:
        print(json.dumps({"jax": rows, "numpy": numpy, "month": month, "cores": os.cpu_count()}, indent=2))
    else:
        print(f"{os.cpu_count()} cores, scenario {asked.scenario}, 132 months\n")
        print(report(rows, numpy, month))


if __name__ == "__main__":
    main()
