"""Writes bombs.zip: small files that unpack to very much. They must be refused, within a bound of memory.

    python make_bombs.py      needs pyarrow
"""
import gzip
import io
import os
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq


def parquet(table, **options):
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd", compression_level=19, write_statistics=False, **options)
    return sink.getvalue()


million = pa.array(["x"] * 1_000_000)
long_text = "word " * 4_000_000
files = {
    # one question of 20 million choices
    "choices.parquet": parquet(pa.table({"q": ["?"], "c": pa.ListArray.from_arrays([0, 20_000_000], pa.chunked_array([million] * 20).combine_chunks()), "g": [0]}), data_page_size=1 << 30),
    # one of two million, in pages of a million
    "more_choices.parquet": parquet(pa.table({"q": ["?"], "c": pa.ListArray.from_arrays([0, 2_000_000], pa.chunked_array([million] * 2).combine_chunks()), "g": [0]}), data_page_size=1 << 30),
    # a thousand documents of the same 20 MB
    "dictionary.parquet": parquet(pa.table({"q": pa.DictionaryArray.from_arrays(pa.array([0] * 1000, pa.int32()), [long_text]), "c": [["a", "b"]] * 1000, "g": [0] * 1000}), dictionary_pagesize_limit=1 << 30),
    # one text of 300 MB
    "text.parquet": parquet(pa.table({"q": ["word " * 60_000_000], "c": [["a", "b"]], "g": [0]}), use_dictionary=False),
    "line.jsonl.gz": gzip.compress(b'{"q":"' + b"x" * 250_000_000 + b'"}\n', 9, mtime=0),
    "deep.jsonl.gz": gzip.compress(b'{"q":' + b"[" * 50_000_000, 9, mtime=0),
    "values.jsonl.gz": gzip.compress(b'{"q":[' + b"[]," * 15_000_000 + b"[]]}", 9, mtime=0),
    "array.json.gz": gzip.compress(b'[{"q":"' + b"x" * 250_000_000, 9, mtime=0),
    "text.txt.gz": gzip.compress(b"word " * 60_000_000, 9, mtime=0),
    "table.csv.gz": gzip.compress(b'q\n"' + b"x" * 250_000_000, 9, mtime=0),
    # blank lines without an end of interest: read through, and without documents
    "blank.jsonl.gz": gzip.compress(b"\n" * 100_000_000, 9, mtime=0),
}
with zipfile.ZipFile(os.path.join(os.path.dirname(os.path.abspath(__file__)), "bombs.zip"), "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
    for name, data in sorted(files.items()):
        z.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
        print(name, len(data))
