"""Prints one free port of 127.0.0.1 for each name: NAME=port.

They lie below the range that systems take for outgoing connections, so that a
daemon that is stopped for a while finds its port free again.
"""
import random
import socket
import sys

free = []
for port in random.sample(range(20000, 32000), 2000):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            continue
    free.append(port)
    if len(free) == len(sys.argv) - 1:
        break
else:
    sys.exit("not enough free ports between 20000 and 32000")
for name, port in zip(sys.argv[1:], free):
    print(f"{name}={port}")
