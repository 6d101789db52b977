"""Writes harness/requests.txt: for leaf tasks of lm-evaluation-harness, drawn with a seed, made-up documents' shape and hashes of
what the harness makes of them: contexts with their worked examples, continuations, right answers.

    python make_harness.py LIST [COUNT [SEED]]      needs lm-eval 0.4.13; LIST has the names to draw from, one a line,
                                                     as `softbench ls tasks --include-path DIR --json` gives them

The documents are of our own writing and not kept: a shape and a seed give them here and in the Go test (harness_shapes.py). Which
shape a data set's columns have is found by trying what the task's templates and functions can work with.
"""
import ast
import hashlib
import inspect
import io
import contextlib
import itertools
import json
import logging
import random
import re
import signal
import sys
from pathlib import Path

import datasets
import lm_eval
from jinja2 import meta, nodes
from lm_eval.api.task import ConfigurableTask
from lm_eval.tasks._index import Kind, TaskIndex
from lm_eval.tasks._yaml_loader import load_yaml
from lm_eval.models.utils import normalize_gen_kwargs
from lm_eval.utils import env

import harness_shapes

ROOT = Path(lm_eval.__file__).parent / "tasks"
DOCS = 6
EXAMPLES = 2
logging.disable(logging.CRITICAL)
datasets.disable_progress_bars()
COMMON = {
    "label": ["i", "b", "s"], "answer": ["k", "i", "s", "c"], "gold": ["i", "[i*1]"], "choices": ["[s*4]", "{text:[s*4],label:[kk*4]}", "s"], "options": ["[s*4]", "{A:s,B:s,C:s,D:s}", "s"],
    "answers": ["[s*2]", "{text:[s*2],answer_start:[i*2]}", "s"], "text": ["s"], "question": ["s"], "translation": ["{en:s,fr:s}"], "endings": ["[s*4]"], "multiple_choice_targets": ["[s*4]"],
    "multiple_choice_scores": ["[i*4]"], "sentence": ["_s", "s"], "messages": ["[{content:s,role:w}*2]"],
}
KEYS = ("process_docs", "doc_to_text", "doc_to_target", "doc_to_choice", "description", "gen_prefix", "fewshot_config", "samples")
PLAIN = ["s", "i", "k", "[s*4]", "c", "[k*4]", "o", "f", "b", "{text:[s*4],label:[k*4]}", "{text:s,label:i}", "[{text:s,label:k}*4]", "[[s*4]*4]"]


def hashed(text, n=16):
    return hashlib.sha256(text.encode()).hexdigest()[:n]


def sources(config):
    """The texts of a task's templates and functions."""
    out = []
    for k, v in config.items():
        if k not in KEYS:
            continue
        if isinstance(v, str):
            out.append(v)
        elif callable(v):
            f = v
            while hasattr(f, "func"):
                f = f.func
            try:
                out.append(inspect.getsource(inspect.getmodule(f)))
            except (OSError, TypeError):
                pass
        elif isinstance(v, dict):
            out += sources(v)
    return out


def columns(config):
    """Names of columns that the task may use, with the shapes to try."""
    attrs = {}
    names = []
    for text in sources(config):
        if "{{" in text or "{%" in text:
            try:
                tree = env.parse(text)
            except Exception:
                continue
            names += sorted(meta.find_undeclared_variables(tree) - {"range", "namespace", "dict"})
            for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
                if isinstance(node.node, nodes.Name):
                    key = node.attr if isinstance(node, nodes.Getattr) else getattr(node.arg, "value", None)
                    if isinstance(key, str) and not hasattr("", key) and not hasattr([], key):
                        attrs.setdefault(node.node.name, set()).add(key)
        elif "\n" not in text and re.fullmatch(r"[\w ]+", text):
            names.append(text)
        names += re.findall(r"""(?:doc|line|x|example|sample|row|item|d|ex|instance)(?:\[|\.get\()["']([\w ]+)["']""", text)
    if "multi_choice_regex" in str(config.get("filter_list")):
        names.append("choices")  # the filter looks at it
    shapes = {}
    for n in dict.fromkeys(names):
        options = list(COMMON.get(n, [])) + PLAIN
        if n == config.get("doc_to_choice"):
            options = ["[s*4]"] + options  # of a text the harness would take the letters for choices
        if n in attrs:
            keys = sorted(attrs[n])
            options = ["{" + ",".join(f"{k}:{s}" for k in keys) + "}" for s in ("s", "[s*4]", "i", "[i*4]")] + [
                "{" + ",".join(f"{k}:" + ("[k*4]" if "label" in k else "[s*4]") for k in keys) + "}",
                "{" + ",".join(f"{k}:" + ("[i*4]" if "label" in k else "[s*4]") for k in keys) + "}"] + options
        shapes[n] = list(dict.fromkeys(options))
    return shapes


class Late(Exception):
    pass


def late(*_):
    raise Late()


signal.signal(signal.SIGALRM, late)


def make(config, shape, name):
    """The harness's own requests of the made-up documents."""
    splits = {config.get(k) for k in ("test_split", "validation_split", "training_split", "fewshot_split")}
    splits |= {(config.get("fewshot_config") or {}).get("split")}
    data = {
        s: datasets.Dataset.from_list([harness_shapes.value(shape, f"{name}/{s}/{i}") for i in range(DOCS)])
        for s in splits if s
    }
    datasets.load_dataset = lambda *a, **k: data
    config = dict(config)
    for k in ("tag", "group", "task_list", "filter_list", "include"):
        config.pop(k, None)
    config["metric_list"] = [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}]
    if config.get("output_type") == "loglikelihood_rolling":
        config["metric_list"] = [{"metric": "byte_perplexity", "aggregation": "weighted_perplexity", "higher_is_better": False}]
    if config.get("output_type", "generate_until") == "generate_until":
        config["metric_list"] = [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}]
    task = ConfigurableTask(config=config)
    if task.get_config("num_fewshot") != 0:
        task.set_config("num_fewshot", EXAMPLES)
    if config.get("output_type") == "loglikelihood_rolling":
        task.set_config("num_fewshot", 0)
    task.set_fewshot_seed(1234)
    task.build_all_requests()
    lines = []
    by_doc = {}
    for r in task.instances:
        by_doc.setdefault(r.doc_id, []).append(r)
    for doc_id, requests in sorted(by_doc.items()):
        part = []
        for r in requests:
            if task.OUTPUT_TYPE == "generate_until":
                context, options = r.args
                options = normalize_gen_kwargs(options)
                if options["do_sample"]:
                    raise ValueError("sampling")
                part.append(json.dumps([context, options["until"], options["max_gen_toks"]], ensure_ascii=False))
            else:
                if not all(isinstance(a, str) for a in r.args):
                    raise ValueError("a request that is no text")
                part.append(json.dumps(list(r.args), ensure_ascii=False))
        doc = requests[0].doc
        if task.OUTPUT_TYPE == "multiple_choice":
            n = len(requests)
            right = []
            for i in range(n):
                results = [(-1.0 if i == k else -2.0, False) for k in range(n)]
                right.append(int(task.process_results(doc, results)["acc"]) if config.get("process_results") is None else 0)
            part.append(json.dumps(right))
        elif task.OUTPUT_TYPE == "generate_until":
            gold = task.doc_to_target(doc)
            if config.get("doc_to_choice") is not None:
                gold = task.doc_to_choice(doc)[gold]
            elif task.multiple_target:
                gold = list(gold)
            else:
                gold = str(gold)
            gold = gold if isinstance(gold, list) else [gold]
            if not all(isinstance(g, str) for g in gold):
                raise ValueError("a right answer that is no text")
            part.append(json.dumps(gold, ensure_ascii=False))
        lines.append("\n".join(part))
    return task.get_config("num_fewshot"), lines


def attempt(config, shape, name):
    signal.setitimer(signal.ITIMER_REAL, 3)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            return make(config, shape, name), None
    except (Exception, SystemExit) as e:
        return None, e
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def find(config, name, rng):
    shapes = columns(config)
    if not shapes or len(shapes) > 60:
        return None
    pick = {n: 0 for n in shapes}
    tried = set()
    for turn in range(40):
        key = tuple(pick.items())
        if key not in tried:
            tried.add(key)
            shape = "{" + ",".join(f"{n}:{shapes[n][k]}" for n, k in pick.items()) + "}"
            done, error = attempt(config, shape, name)
            if done:
                return shape, done
            if isinstance(error, Late):
                return None
        text = f"{error!r}"
        blamed = [n for n in shapes if n in text] or list(shapes)
        for n in rng.sample(blamed, 1 if turn % 3 else min(2, len(blamed))):
            pick[n] = rng.randrange(min(len(shapes[n]), 3 + turn // 25))
    return None


def main():
    names = [l.strip() for l in open(sys.argv[1]) if l.strip()]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 300
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 20251129
    out_file = Path(sys.argv[4]) if len(sys.argv) > 4 else Path(__file__).parent / "harness" / "requests.txt"
    index = TaskIndex.build([ROOT])
    families = {}
    for n in sorted(names):
        e = index.get(n)
        if e and e.kind is Kind.TASK:
            families.setdefault(e.yaml_path.relative_to(ROOT).parts[0], []).append(n)
    rng = random.Random(seed)
    for f in sorted(families):
        rng.shuffle(families[f])
    order = sorted(families)
    rng.shuffle(order)
    lines, used = [], {}
    failures = {}
    for round_ in itertools.count():
        live = [f for f in order if len(families[f]) > round_ and failures.get(f, 0) < 4]
        if not live or len(lines) >= count:
            break
        for f in live:
            if len(lines) >= count:
                break
            n = families[f][round_]
            try:
                config = load_yaml(index[n].yaml_path)
            except Exception:
                failures[f] = failures.get(f, 0) + 1
                continue
            found = find(config, n, random.Random(f"{seed}/{n}"))
            if not found:
                failures[f] = failures.get(f, 0) + 1
                continue
            shape, (shots, docs) = found
            lines.append("\t".join([n, str(shots), shape, " ".join(hashed(d) for d in docs)]))
            used[f] = used.get(f, 0) + 1
            out_file.parent.mkdir(exist_ok=True)
            out_file.write_text(f"# seed {seed}\n" + "\n".join(lines) + "\n")
    print(len(lines), "tasks of", len(used), "families; none found for", sorted(f for f in order if f not in used), file=sys.stderr)


if __name__ == "__main__":
    main()
