"""Writes text.json: JSON lines and tables as Python's json and csv modules read them.

    python make_text.py      needs nothing but Python
"""
import csv
import io
import json
import os
import random

rng = random.Random(5)


def canonical(v):
    if isinstance(v, dict):
        return {k: canonical(e) for k, e in v.items() if e is not None}
    return [canonical(e) for e in v] if isinstance(v, list) else v


def lone(v):
    if isinstance(v, dict):
        return any(lone(k) or lone(e) for k, e in v.items())
    return any(map(lone, v)) if isinstance(v, list) else isinstance(v, str) and any(0xD800 <= ord(c) < 0xE000 for c in v)


PIECES = ['NaN', 'Infinity', '-Infinity', '1e400', '-0', '-0.0', '0', '01', '1.', '.5', '1e5', '1E+2', '2e', '123456789012345678901234567890', '-9223372036854775808',
          '9223372036854775808', 'true', 'null', 'nul', '"\\ud83d\\ude00"', '"\\ud800"', '"\\ude00\\ud83d"', '"\\u00e9\\/\\b"', '"a\tb"', '"\\x"', '"é\u2028"', "'a'",
          '[]', '[1,]', '[,1]', '[1 2]', '{}', '{"k":1,"k":2}', '{"k":1,}', '{k:1}', '{"k" : [ {"z":null} ]}', '"\\u12g4"', '-', '+1', '--1', '[[]', 'NaN1', '1_0', '"\x7f"']
lines = []
for text in [f'{{"a":{p}}}' for p in PIECES] + [f'{{"b":[{rng.choice(PIECES)},{rng.choice(PIECES)}],"a":{rng.choice(PIECES)}}}' for _ in range(300)] + ['{} {}', ' {"a" : 1 } ', '{"a":1}x', '7', '"a"']:
    try:
        v = json.loads(text)
        ok = isinstance(v, dict) and not lone(v)
    except ValueError:
        ok = False
    lines.append({"text": text, "want": json.dumps(canonical(v), sort_keys=True, ensure_ascii=False, separators=(",", ":")) if ok else None})

tables = []
CELLS = ["a", "", '"a"', '"a,b"', '"a""b"', 'a"b', '"a"b', " a", '"a\nb"', '"a\r\nb"', "é", '""', '"\t"', "a'b"]
for separator, dialect in [(",", "excel"), ("\t", "excel-tab")]:
    for _ in range(150):
        end = rng.choice(["\n", "\r\n", "\n\n"])
        rows = ["x" + separator + "y"] + [rng.choice(CELLS) + separator + rng.choice(CELLS) for _ in range(rng.randint(1, 4))]
        text = end.join(rows) + rng.choice(["", end])
        got = [r for r in csv.reader(io.StringIO(text, newline=""), dialect) if r]
        if all(len(r) == 2 for r in got):
            tables.append({"text": text, "separator": separator, "want": [dict(zip(got[0], r)) for r in got[1:]]})
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "text.json"), "w") as f:
    json.dump({"lines": lines, "tables": tables}, f, indent=0)
    f.write("\n")
print(len(lines), sum(line["want"] is not None for line in lines), len(tables))
