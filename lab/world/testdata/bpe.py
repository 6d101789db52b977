"""Makes bpe.json anew with the Hugging Face tokenizers library (0.23.3).

    go test ./lab/world -run BPEEquals -write-tokenizer /tmp/tokenizer.json
    python bpe.py /tmp/tokenizer.json

The texts are those of the bpe.json that is there.
"""

import hashlib
import json
import pathlib
import sys

from tokenizers import Tokenizer

golden = pathlib.Path(__file__).with_name("bpe.json")
made = pathlib.Path(sys.argv[1]).read_bytes()
tokenizer = Tokenizer.from_str(made.decode())
items = [
    {"Text": item["Text"], "IDs": tokenizer.encode(item["Text"]).ids}
    for item in json.loads(golden.read_text())["Items"]
]
golden.write_text(json.dumps({"SHA256": hashlib.sha256(made).hexdigest(), "Items": items}, indent=1, ensure_ascii=False) + "\n")
