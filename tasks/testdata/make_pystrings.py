"""Writes golden/pystrings.json: a digest of what Python's str methods make of every code point its
Unicode has, alone and beside letters, and which code points those are.

    python make_pystrings.py      needs nothing but Python
"""
import hashlib
import json
import os
import unicodedata

# These are letters with case since Unicode 15 (Python 3.12), and were not before.
NEW = {0x10FC, 0xA7F2, 0xA7F3, 0xA7F4, 0xAB69}
assigned = [c for c in range(0x110000) if c not in NEW and not 0xD800 <= c < 0xE000 and unicodedata.category(chr(c)) != "Cn"]
ranges = []
for c in assigned:
    if ranges and ranges[-1][1] == c:
        ranges[-1][1] = c + 1
    else:
        ranges.append([c, c + 1])
h = hashlib.sha256()
for c in assigned:
    s = chr(c)
    # Ideographs, Hangul and private use: the letters that are most, and have no case.
    plain = 0x3400 <= c < 0xA000 or 0xAC00 <= c < 0xD7B0 or 0xE000 <= c < 0xF900 or 0x17000 <= c < 0x1B300 or c >= 0x20000
    for w in [s] if plain else [s, "a" + s + "b", "aΣ" + s, s + "Σ", s + "Σ" + s + "a", "a" + s + "Σ", s + s + " " + s + "x"]:
        for f in (str.upper, str.lower, str.capitalize, str.title, str.strip, str.lstrip, str.rstrip):
            h.update(f(w).encode() + b"\t")
    h.update(b"\n")
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden", "pystrings.json"), "w") as f:
    json.dump({"unicode": unicodedata.unidata_version, "sha256": h.hexdigest(), "ranges": ranges}, f, separators=(",", ":"))
    f.write("\n")
