"""What CPython draws: python make_golden.py > golden.json (3.11; 3.12 and 3.13 draw the same)."""

import hashlib
import json
import random

SEEDS = [0, 1, 42, 1234, -1234, 4294967295, 4294967296, 20250420123456789, -(2**63)]


def digest(values):
    return hashlib.sha256(" ".join(map(str, values)).encode()).hexdigest()


def case(seed):
    r = random.Random(seed)
    out = {"seed": seed, "float64": [r.random().hex() for _ in range(3)]}
    out["bits"] = [str(r.getrandbits(k)) for k in range(1, 65)]
    out["choice"] = [r.choice(range(n)) for n in (1, 2, 3, 7, 64, 1000)]
    out["range"] = [r.randrange(*a) for a in ((0, 10), (-5, 5, 3), (10, -10, -7), (100, 101), (0, 2**40, 3))]
    order = list(range(50))
    r.shuffle(order)
    out["shuffle"] = order
    # Either way of sampling, and both sides of where it changes.
    out["sample"] = []
    for n, k in ((1, 1), (5, 0), (21, 5), (22, 5), (21, 21), (85, 6), (86, 6), (277, 64), (278, 64), (1000, 1), (10000, 25), (300, 300)):
        out["sample"].append({"n": n, "k": k, "drawn": r.sample(range(n), k)})
    # Past where the state is made anew.
    out["many"] = digest(r.getrandbits(32) for _ in range(5000))
    return out


print(json.dumps([case(s) for s in SEEDS], indent=None, separators=(",", ":")))
