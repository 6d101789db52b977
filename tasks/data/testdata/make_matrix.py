"""Writes matrix.zip and matrix.json: Parquet files of every codec, encoding, page version and type
that pyarrow, DuckDB and Polars write, and the SHA-256 of the rows each holds, as Python has them.

    python make_matrix.py      needs pyarrow, duckdb, polars

Every file is read back with pyarrow here and must give the rows it was made from. All rows are made
up by this script.
"""
import base64
import datetime as dt
import decimal
import hashlib
import io
import json
import os
import random
import tempfile
import uuid
import zipfile

import duckdb
import polars
import pyarrow as pa
import pyarrow.parquet as pq

HERE = os.path.dirname(os.path.abspath(__file__))
CODECS = ["none", "snappy", "gzip", "brotli", "zstd", "lz4"]


def canonical(v):
    """data.Canonical: sorted keys, nulls left out of objects, Python's numbers, str of dates."""
    if isinstance(v, dict):
        keys = sorted(k for k, e in v.items() if e is not None)
        return "{" + ",".join(json.dumps(str(k), ensure_ascii=False) + ":" + canonical(v[k]) for k in keys) + "}"
    if isinstance(v, (list, tuple)):
        return "[" + ",".join(map(canonical, v)) + "]"
    if isinstance(v, decimal.Decimal):
        return format(v, "f")
    if isinstance(v, bytes):
        try:
            v = v.decode()
        except UnicodeDecodeError:
            v = "base64:" + base64.b64encode(v).decode()
    if isinstance(v, dt.datetime) and v.tzinfo is not None:
        v = v.astimezone(dt.timezone.utc)
    if isinstance(v, (dt.date, dt.time, uuid.UUID)):
        v = str(v)
    return json.dumps(v, ensure_ascii=False)


def digest(rows):
    return hashlib.sha256("".join(canonical(r) + "\n" for r in rows).encode()).hexdigest()


def plain(v, t):
    """A value of to_pylist as this script has it: maps as dicts, half floats as floats."""
    if v is None:
        return None
    if pa.types.is_map(t):
        return {k: plain(e, t.item_type) for k, e in v}
    if pa.types.is_list(t) or pa.types.is_large_list(t):
        return [plain(e, t.value_type) for e in v]
    if pa.types.is_struct(t):
        return {f.name: plain(v[f.name], f.type) for f in t}
    if pa.types.is_float16(t):
        return float(v)
    return v


def read(table):
    columns = [[plain(v, f.type) for v in table[f.name].to_pylist()] for f in table.schema]
    return [dict(zip(table.schema.names, row)) for row in zip(*columns)]


rng = random.Random(12)
WORDS = ["cat", "bird", "straße", "東京", "naïve", "", "a longer text of several words", "😀", "x" * 70]
SCALARS = {
    "bool": (pa.bool_(), lambda: rng.random() < 0.6),
    "int8": (pa.int8(), lambda: rng.randint(-128, 127)),
    "int16": (pa.int16(), lambda: rng.randint(-32768, 32767)),
    "int32": (pa.int32(), lambda: rng.choice([rng.randint(-9, 9), -2**31, 2**31 - 1])),
    "int64": (pa.int64(), lambda: rng.choice([rng.randint(-9, 9), -2**63, 2**63 - 1])),
    "uint8": (pa.uint8(), lambda: rng.randint(0, 255)),
    "uint32": (pa.uint32(), lambda: rng.choice([7, 2**32 - 1])),
    "uint64": (pa.uint64(), lambda: rng.choice([7, 2**64 - 1])),
    "half": (pa.float16(), lambda: rng.choice([0.5, -2.0, 65504.0, 6e-08 and 2.0**-24, 1.0009765625])),
    "float": (pa.float32(), lambda: rng.choice([0.5, -2.25, 3.0, 2.0**-140, float("inf")])),
    "double": (pa.float64(), lambda: rng.choice([0.1, -1e300, 5e-324, 1.0, rng.random()])),
    "string": (pa.string(), lambda: rng.choice(WORDS)),
    "large": (pa.large_string(), lambda: rng.choice(WORDS)),
    "binary": (pa.binary(), lambda: rng.choice([b"\xff\x00", b"text", b""])),
    "fixed": (pa.binary(5), lambda: rng.choice([b"abcde", b"\xff\xfe\xfd\xfc\xfb", b"abcdf"])),
    "date": (pa.date32(), lambda: dt.date(1900, 1, 1) + dt.timedelta(days=rng.randint(0, 90000))),
    "time_ms": (pa.time32("ms"), lambda: dt.time(rng.randint(0, 23), 5, 9, rng.choice([0, 7000]))),
    "time_us": (pa.time64("us"), lambda: dt.time(rng.randint(0, 23), 5, 9, rng.choice([0, 7]))),
    "stamp_ms": (pa.timestamp("ms"), lambda: dt.datetime(1969, 12, 31, 23, 59, 59, rng.choice([0, 999000]))),
    "stamp_us": (pa.timestamp("us"), lambda: dt.datetime(rng.randint(1, 9999), 2, 28, 3, 4, 5, rng.choice([0, 7]))),
    "stamp_tz": (pa.timestamp("us", "UTC"), lambda: dt.datetime(rng.randint(1950, 2050), 6, 7, 3, 4, 5, tzinfo=dt.timezone.utc)),
    "dec9": (pa.decimal128(9, 2), lambda: decimal.Decimal(rng.randint(-10**9 + 1, 10**9 - 1)).scaleb(-2)),
    "dec18": (pa.decimal128(18, 4), lambda: decimal.Decimal(rng.randint(-10**17, 10**17)).scaleb(-4)),
    "dec38": (pa.decimal128(38, 10), lambda: decimal.Decimal(rng.randint(-10**30, 10**30)).scaleb(-10)),
    "dec76": (pa.decimal256(70, 3), lambda: decimal.Decimal(rng.randint(-10**20, 10**20)).scaleb(-3)),
    "category": (pa.dictionary(pa.int32(), pa.string()), lambda: rng.choice(WORDS[:3])),
}
PAIR = pa.struct([("label", pa.string()), ("right", pa.bool_())])


def some(make, nulls=0.2):
    return None if rng.random() < nulls else make()


def pair():
    return {"label": some(SCALARS["string"][1]), "right": some(SCALARS["bool"][1])}


def several(make, nulls=0.2):
    return lambda: [some(make, nulls) for _ in range(rng.choice([0, 0, 1, 2, 5]))]


NESTED = {
    "texts": (pa.list_(pa.string()), several(SCALARS["string"][1])),
    "numbers": (pa.list_(pa.int64()), several(SCALARS["int64"][1])),
    "bools": (pa.list_(pa.bool_()), several(SCALARS["bool"][1])),
    "large_list": (pa.large_list(pa.float64()), several(SCALARS["double"][1])),
    "lists": (pa.list_(pa.list_(pa.int32())), several(several(SCALARS["int32"][1]))),
    "pairs": (pa.list_(PAIR), several(pair)),
    "choices": (pa.struct([("text", pa.list_(pa.string())), ("label", pa.list_(pa.string())), ("deep", pa.struct([("n", pa.int32())]))]),
                lambda: {"text": some(several(SCALARS["string"][1])), "label": several(SCALARS["string"][1], 0)(), "deep": some(lambda: {"n": some(SCALARS["int32"][1])})}),
    "map": (pa.map_(pa.string(), pa.list_(pa.int32())), lambda: {w: some(several(SCALARS["int32"][1])) for w in rng.sample(WORDS, rng.choice([0, 1, 3]))}),
    "needed": (pa.list_(pa.field("element", pa.struct([pa.field("n", pa.int32(), False), pa.field("m", pa.list_(pa.int32()), False)]), False)),
               lambda: [{"n": 1, "m": several(SCALARS["int32"][1], 0)()} for _ in range(rng.randint(0, 2))]),
}
EMPTY = {
    "no_texts": (pa.list_(pa.string()), lambda: []),
    "no_pairs": (pa.list_(PAIR), lambda: []),
    "no_map": (pa.map_(pa.string(), pa.int32()), lambda: {}),
    "no_lists": (pa.list_(pa.list_(pa.bool_())), lambda: [[]] if rng.random() < 0.5 else []),
}


def table(kinds, n, nulls):
    """nulls: "none", "some", "runs", "all"."""
    columns, fields = {}, []
    for name, (t, make) in kinds.items():
        if nulls == "none":
            column = [make() for _ in range(n)]
        elif nulls == "some":
            column = [some(make, 0.3) for _ in range(n)]
        elif nulls == "runs":
            column = [make() if i // 13 % 2 else None for i in range(n)]
        else:
            column = [None] * n
        columns[name] = column
        fields.append(pa.field(name, t, nulls != "none"))
    schema = pa.schema(fields)
    return pa.table([pa.array(columns[f.name], f.type) for f in schema], schema=schema)


files = {}  # name: (bytes, rows)


def add(name, data, rows, reader=lambda data: pq.read_table(io.BytesIO(data))):
    got = read(reader(data))
    assert digest(got) == digest(rows), name
    assert name not in files, name
    files[name] = (data, rows)


def by_pyarrow(name, t, **options):
    sink = io.BytesIO()
    options = {"compression": "none", "write_statistics": False, "store_schema": False, **options}
    pq.write_table(t, sink, **options)
    add("pyarrow-" + name, sink.getvalue(), read(t))


INTS = ["int8", "int16", "int32", "int64", "uint8", "uint32", "uint64", "date", "time_ms", "time_us", "stamp_ms", "stamp_us", "stamp_tz"]
TEXTS = ["string", "large", "binary"]
SPLIT = ["int32", "int64", "half", "float", "double", "fixed", "dec38"]


def only(*names):
    return {n: {**SCALARS, **NESTED}[n] for n in names}


ALL = {**SCALARS, **NESTED, **EMPTY}
for codec in CODECS:
    for version in ["1.0", "2.0"]:
        by_pyarrow(f"dictionary-{codec}-{version}-some", table(ALL, 40, "some"), compression=codec, data_page_version=version)
        by_pyarrow(f"plain-{codec}-{version}-none", table(ALL, 30, "none"), compression=codec, data_page_version=version, use_dictionary=False)
        by_pyarrow(f"delta-{codec}-{version}-some", table(only(*INTS[:4], *TEXTS, "fixed"), 100, "some"), compression=codec, data_page_version=version,
                   use_dictionary=False, column_encoding={**{c: "DELTA_BINARY_PACKED" for c in INTS[:4]},
                   "string": "DELTA_BYTE_ARRAY", "large": "DELTA_LENGTH_BYTE_ARRAY", "binary": "DELTA_BYTE_ARRAY", "fixed": "DELTA_BYTE_ARRAY"})
for nulls in ["none", "some", "runs", "all"]:
    for version in ["1.0", "2.0"]:
        def encoded(kind, encoding, names):
            by_pyarrow(f"{kind}-{version}-{nulls}", table(only(*names), 150, nulls), data_page_version=version, use_dictionary=False,
                       column_encoding={n: encoding for n in names}, version="2.6", write_batch_size=7, data_page_size=300)
        encoded("DELTA_BINARY_PACKED", "DELTA_BINARY_PACKED", INTS)
        encoded("DELTA_LENGTH_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY", TEXTS)
        encoded("DELTA_BYTE_ARRAY", "DELTA_BYTE_ARRAY", TEXTS + ["fixed", "dec38"])
        encoded("BYTE_STREAM_SPLIT", "BYTE_STREAM_SPLIT", SPLIT)
        encoded("RLE", "RLE", ["bool"])
        by_pyarrow(f"pages-{version}-{nulls}", table(ALL, 70, nulls), data_page_version=version, compression="lz4", write_batch_size=5, data_page_size=40, row_group_size=30)
        by_pyarrow(f"checksums-{version}-{nulls}", table(only("string", "bool", "texts", "choices"), 90, nulls), data_page_version=version, compression="snappy",
                   write_page_checksum=True, write_statistics=True, write_page_index=True)
        by_pyarrow(f"fallback-{version}-{nulls}", pa.table({"text": pa.array([None if nulls == "all" or nulls != "none" and i % 3 == 0 else f"text {i}" for i in range(400)], pa.string())}),
                   data_page_version=version, compression="zstd", dictionary_pagesize_limit=300, write_batch_size=20, data_page_size=200)
        by_pyarrow(f"int96-{version}-{nulls}", table(only("stamp_tz", "stamp_ms"), 30, nulls).drop(["stamp_tz"]), data_page_version=version, use_deprecated_int96_timestamps=True)
        if nulls in ("none", "runs"):
            continue
        by_pyarrow(f"old-{version}-{nulls}", table({k: v for k, v in ALL.items() if k not in ("uint32", "half")}, 30, nulls), data_page_version=version, version="1.0",
                   use_compliant_nested_type=False, coerce_timestamps="us", allow_truncated_timestamps=True)
        by_pyarrow(f"decimal_as_integer-{version}-{nulls}", table(only("dec9", "dec18", "dec38"), 30, nulls), data_page_version=version, store_decimal_as_integer=True)
        by_pyarrow(f"arrow_schema-{version}-{nulls}", table(ALL, 30, nulls), data_page_version=version, compression="gzip", store_schema=True, write_statistics=True)
by_pyarrow("no_rows", table(ALL, 0, "some"))
by_pyarrow("null_type", pa.table({"n": pa.nulls(20), "l": pa.array([[None], [], None] * 6 + [[None, None], []], pa.list_(pa.null())), "x": list(range(20))}))
by_pyarrow("uuid_json", pa.table({"u": pa.array([uuid.UUID(int=i * 7**30) .bytes for i in range(20)], pa.uuid()), "j": pa.array(['{"a":1}'] * 20, pa.json_())}))
by_pyarrow("one_value", pa.table({"t": ["the same"] * 5000, "b": [True] * 5000, "n": [7] * 5000}), data_page_version="2.0", compression="lz4")
by_pyarrow("large_pages", pa.table({"t": [("words and words " * 9000)[i:] for i in range(12)]}), compression="zstd", use_dictionary=False)
by_pyarrow("large_dictionary", pa.table({"t": [str(i % 700) * 20 for i in range(3000)]}), compression="zstd")

with tempfile.TemporaryDirectory() as tmp:
    path = os.path.join(tmp, "f.parquet")
    no_duck = {"half", "dec76", "category", "fixed", "large", "large_list", "stamp_tz"}
    kinds = {k: v for k, v in ALL.items() if k not in no_duck and k != "no_map"}
    for codec in ["uncompressed", "snappy", "gzip", "brotli", "zstd", "lz4_raw"]:
        for version in ["V1", "V2"]:
            for nulls in ["some", "all"] if codec in ("snappy", "zstd") else ["some"]:
                t = table(kinds, 50, nulls)
                duckdb.sql(f"COPY (SELECT * FROM t) TO '{path}' (FORMAT parquet, COMPRESSION {codec}, PARQUET_VERSION {version}, ROW_GROUP_SIZE 2048)")
                # pyarrow does not read the deltas that DuckDB writes where a column has only nulls.
                own = lambda _: duckdb.sql(f"SELECT * FROM '{path}'").to_arrow_table()
                add(f"duckdb-{codec}-{version}-{nulls}", open(path, "rb").read(), read(t), **({"reader": own} if version == "V2" else {}))
    duckdb.sql("CREATE TABLE own AS SELECT i, i % 7 AS k, CASE WHEN i % 5 = 0 THEN NULL ELSE 'text ' || (i % 300) END AS t, i % 3 = 0 AS b, i / 7.0 AS d, "
               "[i % 4, NULL][: i % 3] AS l, ('x' || i % 2)::ENUM('x0', 'x1') AS e, md5(i::VARCHAR)::UUID AS u, i::HUGEINT::DECIMAL(20, 3) AS dec, "
               "DATE '2000-02-28' + i::INT AS day, MAP {{'k' || i % 3: i}} AS m FROM range(2500) r(i)".replace("{{", "{").replace("}}", "}"))
    for version in ["V1", "V2"]:
        duckdb.sql(f"COPY own TO '{path}' (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION {version}, ROW_GROUP_SIZE 2048)")
        data = open(path, "rb").read()
        add(f"duckdb-own-{version}", data, read(pq.read_table(io.BytesIO(data))))

    no_polars = {"dec76", "map", "no_map", "needed", "half", "fixed", "time_ms"}
    for codec in ["uncompressed", "snappy", "gzip", "brotli", "zstd", "lz4"]:
        for nulls in ["none", "some", "runs", "all"] if codec == "lz4" else ["some"]:
            t = table({k: v for k, v in ALL.items() if k not in no_polars}, 70, nulls)
            frame = polars.from_arrow(t)
            frame.write_parquet(path, compression=codec, row_group_size=60, data_page_size=300, statistics=codec == "lz4")
            data = open(path, "rb").read()
            add(f"polars-{codec}-{nulls}", data, read(t))

with zipfile.ZipFile(os.path.join(HERE, "matrix.zip"), "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
    for name in sorted(files):
        z.writestr(zipfile.ZipInfo(name + ".parquet", (1980, 1, 1, 0, 0, 0)), files[name][0], zipfile.ZIP_DEFLATED)
with open(os.path.join(HERE, "matrix.json"), "w") as f:
    json.dump({name: {"rows": len(rows), "sha256": digest(rows)} for name, (_, rows) in sorted(files.items())}, f, indent=0)
    f.write("\n")
print(len(files), "files")
