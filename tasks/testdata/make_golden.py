#!/usr/bin/env python3
"""Writes golden/*.json: what lm-evaluation-harness itself makes of documents.

It runs the harness' own task code (its YAML, its Jinja templates, its Python functions, its
ConfigurableTask) over the JSON lines in data/ and, where --shared names a directory of real task
files in the same layout, over those. Only hashes and numbers are written.

    pip install lm-eval==0.4.13
    python make_golden.py [--shared DIR]

For every document: the document's hash (SHA-256 of its canonical JSON) and a digest of what the
harness asks of the model (see digest below), zero-shot and few-shot, and for loglikelihoods that are
made up (see fake) what the harness scores: so choices, right answers, prompts, normalisation, ties
and aggregation are all compared, without a model.
"""

import argparse
import contextlib
import hashlib
import importlib.metadata
import json
import math
import os
import re
import tempfile

os.environ["HF_DATASETS_OFFLINE"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_CACHE"] = tempfile.mkdtemp()

import datasets  # noqa: E402
import lm_eval.tasks  # noqa: E402
from lm_eval.api.task import ConfigurableTask  # noqa: E402
from lm_eval.tasks._yaml_loader import load_yaml  # noqa: E402

datasets.disable_progress_bars()

HERE = os.path.dirname(os.path.abspath(__file__))
HARNESS = os.path.dirname(lm_eval.tasks.__file__)

# task: (the harness' YAML, directories the files may be in, evaluated splits, few-shot split)
TASKS = {
    "arc_easy": ("arc/arc_easy.yaml", ["ai2_arc/ARC-Easy"], ["test"], "train"),
    "arc_challenge": ("arc/arc_challenge.yaml", ["ai2_arc/ARC-Challenge"], ["test"], "train"),
    "hellaswag": ("hellaswag/hellaswag.yaml", ["hellaswag"], ["validation"], "train"),
    "piqa": ("piqa/piqa.yaml", ["piqa"], ["validation"], "train"),
    "sciq": ("sciq/sciq.yaml", ["sciq"], ["test"], "train"),
    "winogrande": ("winogrande/default.yaml", ["winogrande/winogrande_xl", "winogrande"], ["validation"], "train"),
    "lambada_openai": ("lambada/lambada_openai.yaml", ["lambada_openai"], ["test"], None),
    "boolq": ("super_glue/boolq/default.yaml", ["super_glue/boolq"], ["validation"], "train"),
    "openbookqa": ("openbookqa/openbookqa.yaml", ["openbookqa/main"], ["test"], "train"),
    "copa": ("super_glue/copa/default.yaml", ["super_glue/copa"], ["validation"], "train"),
    "wikitext": ("wikitext/wikitext.yaml", ["wikitext/wikitext-2-raw-v1", "wikitext2"], ["test", "validation"], None),
}
SHOTS = 3


def canonical(value):
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def sha(text):
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def fake(doc_hash, i):
    """A loglikelihood made up from the document's hash: -0.0625 to -16 in steps of 1/16, so that ties occur."""
    byte = hashlib.sha256(f"{doc_hash}/{i}".encode()).digest()[0]
    return -(byte + 1) / 16.0, byte % 2 == 0


def digest(task, doc, requests):
    """Hash of all the harness asks for a document: [gold, [context, continuation, choice]...] or [text]."""
    if task.OUTPUT_TYPE == "loglikelihood_rolling":
        return sha(canonical([r.args[0] for r in requests]))
    if task.OUTPUT_TYPE == "loglikelihood":
        return sha(canonical([-1] + [[*r.args, r.args[1]] for r in requests]))
    choices = task.doc_to_choice(doc)
    gold = task.doc_to_text(doc) if task.multiple_input else task.doc_to_target(doc)
    if isinstance(gold, str):
        gold = choices.index(gold)
    return sha(canonical([gold] + [[*r.args, c] for r, c in zip(requests, choices, strict=True)]))


def build(name, files, split, shots):
    yaml, _, _, train = TASKS[name]
    config = load_yaml(os.path.join(HARNESS, yaml), resolve_func=True)
    config.update(dataset_path="json", dataset_name=None, dataset_kwargs={"data_files": files}, num_fewshot=shots)
    for key in ("training_split", "validation_split", "test_split"):
        if config.get(key) not in (None, *files):
            config[key] = None
    if split not in (config.get("test_split"), config.get("validation_split")):
        raise SystemExit(f"{name}: the harness does not evaluate {split}")
    if shots:
        # Without a split the harness takes the training split, and leaves out an example that equals
        # the document where the task has no test split; with the evaluated split it always does.
        config["fewshot_config"] = {"sampler": "first_n"} if train else {"sampler": "first_n", "split": split}
    if config["output_type"] == "multiple_choice":
        config["metric_list"] = [{"metric": m, "aggregation": "mean", "higher_is_better": True} for m in ("acc", "acc_norm", "acc_bytes")]
    return ConfigurableTask(config=config)


def documents(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f if line.strip()]


def run(name, files, split, shots):
    """Per-document digests and scores, and the aggregate metrics."""
    task = build(name, files, split, shots)
    sources = documents(files[split])
    with open(os.devnull, "w") as null, contextlib.redirect_stderr(null):
        task.build_all_requests()
    by_doc = {}
    for r in task.instances:
        by_doc.setdefault(r.doc_id, []).append(r)
    docs = list(task.eval_docs)
    assert len(docs) == len(sources) == len(by_doc), (name, len(docs), len(sources), len(by_doc))
    rows, values = [], {}
    for i, (source, doc) in enumerate(zip(sources, docs, strict=True)):
        h = sha(canonical(source))
        lls = [fake(h, k) for k in range(len(by_doc[i]))]
        if task.OUTPUT_TYPE == "loglikelihood_rolling":
            got = task.process_results(doc, [ll for ll, _ in lls])
        else:
            got = task.process_results(doc, lls)
        for k, v in got.items():
            values.setdefault(k, []).append(v)
        row = [h[:16], digest(task, doc, by_doc[i])[:16]]
        if task.OUTPUT_TYPE == "multiple_choice":
            row.append("".join(str(int(got[m])) for m in ("acc", "acc_norm", "acc_bytes")))
        elif task.OUTPUT_TYPE == "loglikelihood_rolling":
            row.append(f"{got['word_perplexity'][1]}/{got['byte_perplexity'][1]}")
        else:
            row.append(str(got["acc"]))
        rows.append(row)
    metrics = {}
    for k, v in values.items():
        try:
            metrics[k] = task.aggregation()[k](v)
        except OverflowError:
            metrics[k] = math.inf
    return rows, metrics


def golden(root):
    out = {}
    for name, (_, dirs, splits, train) in TASKS.items():
        found = [(d, s) for d in dirs for s in splits if os.path.exists(os.path.join(root, d, s + ".jsonl"))]
        if not found:
            continue
        directory, split = found[0]
        files = {split: os.path.join(root, directory, split + ".jsonl")}
        train_file = os.path.join(root, directory, "train.jsonl")
        if os.path.exists(train_file):
            files["train"] = train_file
        rows, metrics = run(name, files, split, 0)
        entry = {"split": split, "documents": rows, "metrics": metrics}
        if name != "wikitext" and (train is None or "train" in files):
            shot_rows, _ = run(name, files, split, SHOTS)
            entry["few_shot"] = [r[1] for r in shot_rows]
        out[name] = entry
        print(name, len(rows), metrics)
    return out


# Code points whose str methods are compared: all with case or white space in them that no later
# version of Unicode has touched.
RANGES = [(0, 0x600), (0x10A0, 0x1100), (0x13A0, 0x1400), (0x1680, 0x1681), (0x1D00, 0x2C00), (0x3000, 0x3001), (0xFB00, 0xFB20), (0xFE00, 0xFF00), (0xFF00, 0xFFF0), (0x10400, 0x10500)]


def strings():
    """Digest of Python's own capitalize, lower, strip and split over RANGES, for tasks/pystring.go."""
    h = hashlib.sha256()
    for first, end in RANGES:
        for c in map(chr, range(first, end)):
            words = [c, f"a{c}b", f"a\u03a3{c}", f"{c}\u03a3", f"a{c}\u03a3{c}"]
            row = [w.capitalize() for w in words] + [w.lower() for w in words]
            row += [f"{c}x{c}".strip(), f"{c}x{c}".lstrip(), str(len(re.split(r"\s+", f"{c}x{c}{c}y")))]
            h.update(("\t".join(row) + "\n").encode("utf-8"))
    return h.hexdigest()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--shared", help="directory of real task files, such as ai2_arc/ARC-Easy/test.jsonl")
    args = parser.parse_args()
    sets = {"own.json": os.path.join(HERE, "data")}
    if args.shared:
        sets["shared.json"] = args.shared
    for file, root in sets.items():
        made = {
            "made_by": "tasks/testdata/make_golden.py",
            "versions": {p: importlib.metadata.version(p) for p in ("lm_eval", "datasets", "jinja2")},
            "shots": SHOTS,
            "strings": strings(),
            "tasks": golden(root),
        }
        text = json.dumps(made, indent=None, separators=(",", ":")).replace('],["', '],\n["').replace('"},"', '"},\n"')
        os.makedirs(os.path.join(HERE, "golden"), exist_ok=True)
        with open(os.path.join(HERE, "golden", file), "w", encoding="utf-8") as f:
            f.write(text + "\n")


if __name__ == "__main__":
    main()
