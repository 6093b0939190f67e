"""How long a move of a lever takes on the page: from the key press to the redrawn charts, in headless Chromium.

Starts the real playground, warms it up, presses arrow keys on levers and waits for the browser to have drawn the new
numbers and every chart in sight, and then those further down. Prints p50 and p95 of both ways and of the simulation alone.

    python benchmarks/playground.py [--moves 36] [--chromium /usr/bin/chromium] [--json]
"""

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time

import numpy as np


FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
LEVERS = ("us.enforcement", "us.equipment_controls", "us.hbm_control", "us.rental_control")
# Notes drawings: a chart is drawn when Plotly says so, the numbers when the tiles have changed. Waiting is a promise and
# not a poll, which would keep the browser busy while the server simulates.
WATCH = """
window.moves = {drawn: 0};
window.allDrawn = new Promise(() => {});
window.inSight = plot => { const box = plot.getBoundingClientRect(); return box.bottom > 0 && box.top < innerHeight; };
new MutationObserver(() => { window.moves.tiles = performance.now(); }).observe(
    document.querySelector('#tiles'), {childList: true, subtree: true, characterData: true});
window.plots = [...document.querySelectorAll('.slot:not([hidden]) .js-plotly-plot')];
plots.forEach(plot => plot.on('plotly_afterplot', () => {
    moves.drawn += 1; moves.all = performance.now(); if (inSight(plot)) { moves.seen = moves.all; }
    if (moves.drawn >= plots.length) { setTimeout(moves.done); } }));
document.addEventListener('keydown', () => {
    window.allDrawn = new Promise(done => { window.moves = {drawn: 0, pressed: performance.now(), done}; }); }, true);
"""


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_server(port: int) -> subprocess.Popen[str]:
    """The playground in a process of its own; returns when it answers."""
    command = [sys.executable, "-m", "chipweir", "serve", "--port", str(port), "--json"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    line = server.stdout.readline()
    if not line:
        raise SystemExit("the playground did not start")
    return server


def measure(address: str, chromium: str, moves: int) -> dict[str, object]:
    """Milliseconds from key press to drawn chart, and seconds of simulation, of `moves` moves of levers."""
    from playwright.sync_api import sync_playwright

    seen, everything, simulated = [], [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(address)
        page.wait_for_selector(".tile", timeout=120_000)
        page.wait_for_selector(".slot:not([hidden]) .main-svg")
        page.wait_for_timeout(1500)
        page.evaluate(WATCH)
        for move in range(moves + 4):
            lever = LEVERS[move % len(LEVERS)]
            page.locator(f'[data-lever="{lever}"] input[type=range]').focus()
            page.keyboard.press("ArrowRight")  # never back, so that no answer is a remembered one
            times = page.evaluate("allDrawn.then(() => moves)")
            seconds = re.search(r"([\d.]+) s$", page.locator("#status").inner_text())
            if move >= 4:  # the first moves compile the page's own code
                seen.append(max(times["tiles"], times["seen"]) - times["pressed"])
                everything.append(max(times["tiles"], times["all"]) - times["pressed"])
                simulated.append(float(seconds.group(1)) * 1e3 if seconds else float("nan"))
            time.sleep(0.15)
        browser.close()
    return summary(seen, everything, simulated)


def summary(seen: list[float], everything: list[float], simulated: list[float]) -> dict[str, object]:
    """p50 and p95 in milliseconds: until all in sight is drawn, until everything is, and of the simulation alone."""
    return {
        "moves": len(seen),
        "p50_ms": round(float(np.percentile(seen, 50)), 1),
        "p95_ms": round(float(np.percentile(seen, 95)), 1),
        "everything_p50_ms": round(float(np.percentile(everything, 50)), 1),
        "everything_p95_ms": round(float(np.percentile(everything, 95)), 1),
        "simulation_p50_ms": round(float(np.nanpercentile(simulated, 50)), 1),
        "simulation_p95_ms": round(float(np.nanpercentile(simulated, 95)), 1),
        "cores": os.cpu_count(),
        "load": [round(value, 2) for value in os.getloadavg()],
    }


def main() -> None:
    """Start, measure, print, stop."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moves", type=int, default=36, help="at most 36: each lever has ten steps to the right")
    parser.add_argument("--chromium", default=shutil.which("chromium"))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not options.chromium:
        raise SystemExit("no Chromium found: install Debian's chromium or give --chromium")
    port = free_port()
    server = start_server(port)
    try:
        found = measure(f"http://127.0.0.1:{port}/", options.chromium, options.moves)
    finally:
        server.terminate()
        server.wait(20)
    print(json.dumps(found) if options.json else "\n".join(f"{key}: {value}" for key, value in found.items()))


if __name__ == "__main__":
    main()
