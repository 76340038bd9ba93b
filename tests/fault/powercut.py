#!/usr/bin/env python3
"""Disks as power cuts leave them: powercut.py TRACE OUT CUTS [--no-sync]

From a trace of powercut.c: at CUTS places spread over it (0: at every one), what was synced stands, and of the writes since then
none, all, the first few, or any of them, the last one perhaps torn. Each becomes OUT/NNNN-KIND/data.mdb; prints "FOLDER:TOLD" for each, told
being what the program had been told was durable. --no-sync: as if no sync of data had been called for, which a check must notice."""
import os
import random
import sys


def read(path):
    with open(path, "rb") as f:
        while line := f.readline():
            what, name, value, n = line.split()
            yield what.decode(), name.decode(), int(value), f.read(int(n))


def apply(image, at, data):
    if len(image) < at + len(data):
        image.extend(bytes(at + len(data) - len(image)))
    image[at:at + len(data)] = data


def kinds(pending, chance):
    yield "none", []
    if pending:
        yield "all", pending
        yield "some", pending[:chance.randrange(len(pending) + 1)]
        yield "any", [w for w in pending if chance.random() < 0.5]
        at, data = pending[-1]
        yield "torn", pending[:-1] + [(at, data[:len(data) // 2])]


def main():
    trace, out, cuts = sys.argv[1], sys.argv[2], int(sys.argv[3])
    no_sync = "--no-sync" in sys.argv
    events = [e for e in read(trace) if e[0] == "told" or e[1].endswith("/data.mdb")]
    first = next(i for i, e in enumerate(events) if e[0] == "told")
    places = list(range(first, len(events)))
    chance = random.Random(7)
    if cuts and cuts < len(places):
        places = chance.sample(places, cuts)
    places = set(places)
    image, pending, told = bytearray(), [], 0
    for i, (what, _, value, data) in enumerate(events):
        if what == "told":
            told = value
        elif what == "write":
            pending.append((value, data))
        elif what == "truncate":
            del image[value:]
        elif what == "synced":  # the last write alone
            apply(image, *pending.pop())
        elif what == "sync" and not no_sync:
            for w in pending:
                apply(image, *w)
            pending = []
        if i not in places:
            continue
        for kind, writes in kinds(pending, chance):
            folder = f"{out}/{i:05}-{kind}"
            left = bytearray(image)
            for w in writes:
                apply(left, *w)
            os.makedirs(folder, exist_ok=True)
            with open(folder + "/data.mdb", "wb") as f:
                f.write(left)
            print(f"{folder}:{told}")


main()
