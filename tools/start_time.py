#!/usr/bin/env python3
"""Times `cargo run --release` from an empty target folder to the first answered request.

    tools/start_time.py [REVISION ...]

Each REVISION (of this repository; none stands for the working tree) is built in turn, in a checkout
and a target folder of its own, with the crates already downloaded. Every start keeps its data in a
new folder. The table goes to standard output as Markdown.
"""

import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LATER_STARTS = 5
PATIENCE_SECONDS = 3600


def main():
    revisions = sys.argv[1:] or [None]
    if any(one is not None and one.startswith("-") for one in revisions):
        sys.exit(__doc__)
    print(f"{os.cpu_count()} processors\n")
    print("| what | first request after | processor seconds | a later start (median) |")
    print("|---|---:|---:|---:|")
    for revision in revisions:
        with tempfile.TemporaryDirectory(prefix="start-time-") as folder:
            measure(revision, Path(folder))


def measure(revision, folder):
    source = ROOT if revision is None else checkout(revision, folder / "source")
    subprocess.run(["cargo", "fetch", "--locked", "--quiet"], cwd=source, check=True)
    environment = {**os.environ, "CARGO_TARGET_DIR": str(folder / "target")}
    used = os.times()
    first = start(source, folder, environment, 0)
    now = os.times()
    used = (now.children_user - used.children_user) + (now.children_system - used.children_system)
    later = [start(source, folder, environment, number) for number in range(1, LATER_STARTS + 1)]
    name = "this checkout" if revision is None else f"`{revision}`"
    print(f"| {name} | {first:.0f} s | {used:.0f} | {statistics.median(later):.2f} s |", flush=True)


def checkout(revision, target):
    subprocess.run(["git", "clone", "--quiet", "--no-checkout", ROOT, target], check=True)
    subprocess.run(["git", "checkout", "--quiet", revision], cwd=target, check=True)
    return target


def start(source, folder, environment, number):
    """Seconds until the service answers; it is stopped then."""
    port = free_port()
    data = folder / f"data-{number}"
    arguments = ["serve", "--listen", f"127.0.0.1:{port}", "--data", str(data)]
    begun = time.monotonic()
    process = subprocess.Popen(
        ["cargo", "run", "--release", "--quiet", "--", *arguments],
        cwd=source,
        env=environment,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while not answers(port):
            if process.poll() is not None:
                sys.exit(f"cargo run ended with {process.returncode}")
            if time.monotonic() - begun > PATIENCE_SECONDS:
                sys.exit("no answer within an hour")
            time.sleep(0.01)
        return time.monotonic() - begun
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait()
        shutil.rmtree(data, ignore_errors=True)


def answers(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/feeds/demo.csv", timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except (urllib.error.URLError, OSError):
        return False


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


if __name__ == "__main__":
    main()
