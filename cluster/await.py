"""Waits until the body that a URL answers matches a regular expression.

    await.py --pid 4711 --seconds 60 URL '"state":"STARTED"'

Ends with 1 when the time is over or the process has gone.
"""
import argparse
import os
import re
import sys
import time
import urllib.request


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pid", type=int)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("url")
    parser.add_argument("pattern")
    options = parser.parse_args()

    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + options.seconds
    seen = "no answer"
    while time.monotonic() < deadline:
        if options.pid and not alive(options.pid):
            sys.exit(f"process {options.pid} has gone; {options.url}: {seen}")
        try:
            with opener.open(options.url, timeout=5) as answer:
                seen = answer.read().decode(errors="replace")
            if re.search(options.pattern, seen):
                return
        except OSError as problem:
            seen = str(problem)
        time.sleep(0.2)
    sys.exit(f"{options.url} without {options.pattern} after {options.seconds:.0f} s: {seen[:500]}")


if __name__ == "__main__":
    main()
