"""Writes harness/scores.json: what lm-evaluation-harness 0.4.13 makes of given answers to the made-up documents of harness/requests.txt:
its filters' outputs, metrics and standard errors.

    python make_scores.py [REQUESTS [OUT]]

    python make_scores.py harness/scored.txt harness/scored.json    the same for tasks chosen for their own scoring

The answers follow from a seed by the rules of answer and loglikelihood, here and in the Go test (TestScoresEqualTheHarness). Tasks whose answers are
generated are taken, those with metrics of their own, and some of the rest.
"""
import collections
import contextlib
import io
import json
import math
import re
import string
import sys
import types
from pathlib import Path

import datasets
from lm_eval.api.task import ConfigurableTask
from lm_eval.evaluator_utils import _compute_task_aggregations
from lm_eval.tasks._index import TaskIndex
from lm_eval.tasks._yaml_loader import load_yaml

import harness_shapes
import make_harness

HERE = Path(__file__).parent


def squad_metrics():
    """The functions of transformers' squad_metrics, which transformers 5 has no more, for the tasks that import them."""
    m = types.ModuleType("transformers.data.metrics.squad_metrics")

    def words(text):
        text = "".join(c for c in text.lower() if c not in string.punctuation)
        return re.sub(r"\b(a|an|the)\b", " ", text).split()

    def f1(gold, taken):
        a, b = words(gold), words(taken)
        same = sum((collections.Counter(a) & collections.Counter(b)).values())
        if not a or not b:
            return int(a == b)
        if same == 0:
            return 0
        precision, recall = same / len(b), same / len(a)
        return (2 * precision * recall) / (precision + recall)

    m.compute_f1, m.compute_exact = f1, lambda gold, taken: int(words(gold) == words(taken))
    return m


try:
    import transformers.data.metrics.squad_metrics  # noqa: F401
except ImportError:
    sys.modules["transformers.data.metrics"] = types.ModuleType("transformers.data.metrics")
    sys.modules["transformers.data.metrics"].squad_metrics = sys.modules["transformers.data.metrics.squad_metrics"] = squad_metrics()
    import transformers.data
    transformers.data.metrics = sys.modules["transformers.data.metrics"]


def answer(seed, target):
    """A generated text for a right answer."""
    return [target, f"The answer is ({target}).", harness_shapes.text(seed), target.upper() + " " + harness_shapes.text(seed)][harness_shapes.number(seed + "/way", 4)]


def loglikelihood(seed):
    return -harness_shapes.number(seed, 1000) / 8 - 1, harness_shapes.number(seed + "/greedy", 2) == 1


def score(config, shape, name, shots):
    splits = {config.get(k) for k in ("test_split", "validation_split", "training_split", "fewshot_split")} | {(config.get("fewshot_config") or {}).get("split")}
    data = {s: datasets.Dataset.from_list([harness_shapes.value(shape, f"{name}/{s}/{i}") for i in range(make_harness.DOCS)]) for s in splits if s}
    datasets.load_dataset = lambda *a, **k: data
    config = {k: v for k, v in config.items() if k not in ("tag", "group", "task_list", "include")}
    task = ConfigurableTask(config=config)
    task.set_config("num_fewshot", shots)
    task.set_fewshot_seed(1234)
    task.build_all_requests()
    for r in task.instances:
        seed = f"{name}/answer/{r.doc_id}/{r.idx}"
        if task.OUTPUT_TYPE == "generate_until":
            gold = task.doc_to_target(r.doc)
            if task.config.doc_to_choice is not None:
                gold = task.doc_to_choice(r.doc)[gold]
            elif task.multiple_target:
                gold = list(gold)
            gold = gold if isinstance(gold, list) else [str(gold)]
            r.resps.append(answer(seed, gold[0]))
        elif task.OUTPUT_TYPE == "loglikelihood_rolling":
            r.resps.append(loglikelihood(seed)[0])
        else:
            r.resps.append(loglikelihood(seed))
    task.apply_filters()
    raw, taken = collections.defaultdict(list), []
    by_doc = collections.defaultdict(list)
    for r in task.instances:
        by_doc[r.doc_id].append(r)
    for key in task.instances[0].filtered_resps:
        for doc_id, requests in sorted(by_doc.items()):
            requests.sort(key=lambda r: r.idx)
            results = [r.filtered_resps[key] for r in requests]
            if task.OUTPUT_TYPE == "generate_until":
                taken.append(results[0][0] if isinstance(results[0], list) and len(results[0]) == 1 else results[0])
            for m, v in task.process_results(requests[0].doc, results).items():
                raw[(m, key)].append(v)
    metrics, _ = _compute_task_aggregations(task, raw, 2000 if "f1" not in str(config.get("metric_list")) and "mcc" not in str(config.get("metric_list")) else 10000)
    numbers = {k: float(v) for k, v in metrics.items() if not isinstance(v, str)}
    if not all(isinstance(t, str) for t in taken):
        raise ValueError("a filter gives no text")
    return {k: None if math.isnan(v) or math.isinf(v) else v for k, v in numbers.items()}, make_harness.hashed(json.dumps(taken, ensure_ascii=False)) if taken else ""


def main():
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "harness" / "requests.txt"
    out_file = Path(sys.argv[2]) if len(sys.argv) > 2 else HERE / "harness" / "scores.json"
    index = TaskIndex.build([make_harness.ROOT])
    out, plain = [], 0
    for line in source.read_text().splitlines():
        if line.startswith("#"):
            continue
        name, shots, shape, _ = line.split("\t")
        config = load_yaml(index[name].yaml_path)
        kind = config.get("output_type", "generate_until")
        own = config.get("process_results") is not None or any(not isinstance(m.get("aggregation", "mean"), str) or m["metric"] in ("f1", "mcc") for m in config.get("metric_list") or [])
        if kind != "generate_until" and not own:
            plain += 1
            if plain > 25:
                continue
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                metrics, taken = score(config, shape, name, 0)
        except (Exception, SystemExit) as e:
            print(name, repr(e)[:150], file=sys.stderr)
            continue
        out.append({"task": name, "shape": shape, "metrics": metrics, "taken": taken})
        out_file.write_text("[\n" + ",\n".join(json.dumps(o, ensure_ascii=False) for o in out) + "\n]\n")
    print(len(out), "tasks", file=sys.stderr)


if __name__ == "__main__":
    main()
