#!/usr/bin/env python3
"""Writes the Parquet files of this directory, as the hub serves them, from tasks/testdata/data.

    pip install pyarrow==26.0.1
    python make_parquet.py

arc.parquet: nested struct of lists, snappy, row groups of five. hellaswag.parquet: list of strings,
zstd. winogrande-0000N-of-00002.parquet: two shards, gzip. types.parquet and types.jsonl: every type a
document may hold, nulls, and large integers, with each row's hash by Python in types.hashes.
"""

import hashlib
import json
import os

import pyarrow as pa
import pyarrow.parquet as pq

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "..", "..", "testdata", "data")


def rows(path):
    with open(os.path.join(DATA, path), encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def write(name, docs, **options):
    pq.write_table(pa.Table.from_pylist(docs), os.path.join(HERE, name), **options)


def without_nulls(v):
    if isinstance(v, dict):
        return {k: without_nulls(e) for k, e in v.items() if e is not None}
    return [without_nulls(e) for e in v] if isinstance(v, list) else v


write("arc.parquet", rows("ai2_arc/ARC-Easy/test.jsonl"), compression="snappy", row_group_size=5)
write("hellaswag.parquet", rows("hellaswag/validation.jsonl"), compression="zstd")
wino = rows("winogrande/winogrande_xl/validation.jsonl")
for i, part in enumerate((wino[:7], wino[7:])):
    write(f"winogrande-0000{i}-of-00002.parquet", part, compression="gzip")

strings = ["plain", "", "quote \" slash \\ / newline \n tab \t cr \r bs \b ff \f nul \x00 esc \x1b del \x7f", "é 日本 😀 \u2028 \ufeff", "<&>", None]
ints = [0, -1, 2**53 + 1, 2**63 - 1, -(2**63), None]
floats = [1.0, 0.1, 1e16, 1e-5, -0.0, 123456789.125]
docs = []
for i in range(6):
    docs.append({
        "s": strings[i], "i": ints[i], "f": floats[i], "b": [True, False, None][i % 3],
        "list": [strings[:i], None][i == 4], "nested": {"xs": ints[:i], "inner": {"f": floats[i], "none": None, "é": "key"}},
        "objects": [{"k": str(j), "v": j} for j in range(i)],
    })
schema = pa.schema([
    ("s", pa.string()), ("i", pa.int64()), ("f", pa.float64()), ("b", pa.bool_()), ("list", pa.list_(pa.string())),
    ("nested", pa.struct([("xs", pa.list_(pa.int64())), ("inner", pa.struct([("f", pa.float64()), ("none", pa.string()), ("é", pa.string())]))])),
    ("objects", pa.list_(pa.struct([("k", pa.string()), ("v", pa.int32())]))),
])
pq.write_table(pa.Table.from_pylist(docs, schema=schema), os.path.join(HERE, "types.parquet"), row_group_size=4)
with open(os.path.join(HERE, "types.jsonl"), "w", encoding="utf-8") as f:
    for i, d in enumerate(docs):
        if i % 2:  # half of them lack the keys whose value is null
            d = {k: v for k, v in d.items() if v is not None}
        f.write(json.dumps(d, ensure_ascii=i % 2 == 0) + "\n")
with open(os.path.join(HERE, "types.hashes"), "w", encoding="utf-8") as f:
    for d in docs:
        text = json.dumps(without_nulls(d), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        f.write(hashlib.sha256(text.encode("utf-8")).hexdigest() + "\n")
