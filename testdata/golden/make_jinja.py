"""Writes jinja/names.txt, a hash of the names that lm-evaluation-harness finds, and jinja/harness.txt: for every distinct template of lm-evaluation-harness' tasks, hashes of it and of what Python
makes of it for three made-up documents (harness_shapes.py). The templates themselves are not kept.

    python make_jinja.py       needs lm-eval 0.4.13
"""
import hashlib
import itertools
import os
from pathlib import Path

import lm_eval
from jinja2 import meta, nodes
from lm_eval.tasks._index import Kind, TaskIndex
from lm_eval.utils import env

import harness_shapes

KEYS = ("doc_to_text", "doc_to_target", "doc_to_choice", "description", "gen_prefix", "doc_to_decontamination_query")
ROOT = str(Path(lm_eval.__file__).parent / "tasks")


def templates():
    seen = set()
    for entry in TaskIndex.build([Path(ROOT)]).values():
        if entry.kind is not Kind.TASK:
            continue
        fewshot = entry.cfg.get("fewshot_config")
        for source in (entry.cfg, fewshot if isinstance(fewshot, dict) else {}):
            for key in KEYS:
                v = source.get(key)
                if isinstance(v, str) and ("{{" in v or "{%" in v) and not (v.startswith(ROOT) and "\n" not in v):
                    seen.add(v)
    return sorted(seen)


def names():
    """Every name of the index, its kind and, sorted, its tags, or a tag's tasks."""
    kinds = {Kind.TASK: "task", Kind.PY_TASK: "Python task", Kind.GROUP: "group", Kind.TAG: "tag"}
    index = TaskIndex.build([Path(ROOT)])
    return "\n".join(f"{n}\t{kinds[index[n].kind]}\t{' '.join(sorted(index[n].tags))}" for n in sorted(index))


def candidates(tree, name):
    """Shapes that a name may have, by how the template uses it, the likeliest first."""
    attrs, plain = [], ["s"]
    for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
        if isinstance(node.node, nodes.Name) and node.node.name == name:
            if isinstance(node, nodes.Getattr):
                attrs.append(node.attr)
            elif isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
                attrs.append(node.arg.value)
    attrs = sorted({a for a in attrs if not hasattr("", a) and not hasattr([], a)})
    for node in tree.find_all(nodes.Test):
        if node.name == "none" and isinstance(node.node, nodes.Name) and node.node.name == name:
            plain = ["o"] + plain
    if attrs:
        inner = ["s", "[s*4]", "i", "[[s*4]*4]", "[{text:s,label:k}*4]"]
        shapes = []
        for i in inner:
            shapes.append("{" + ",".join(f"{a}:{i}" for a in attrs) + "}")
        shapes.append("{" + ",".join(f"{a}:" + ("[k*4]" if a == "label" else "[s*4]") for a in attrs) + "}")
        shapes.append("{" + ",".join(f"{a}:" + ("[i*4]" if "label" in a else "[s*4]") for a in attrs) + "}")
        return shapes + ["[{text:s,atext:s,question:s,answer:s}*4]"]
    return plain + ["[s*4]", "k", "i", "c", "[k*4]", "f", "[[s*4]*4]", "[{text:s,atext:s,question:s,answer:s,content:s}*4]"]


def render(template, shape, n, name):
    doc = harness_shapes.value(shape, f"{name}/{n}")
    try:
        return env.from_string(template).render(**doc)
    except Exception:
        return None


def shape_of(template, name):
    tree = env.parse(template)
    names = sorted(meta.find_undeclared_variables(tree) - {"range", "namespace", "dict"})
    lists = [candidates(tree, n) for n in names]
    best, score = None, -1
    order = itertools.islice(sorted(itertools.product(*[range(len(c)) for c in lists]), key=sum) if len(lists) <= 6 else [[0] * len(lists)], 3000)
    for pick in order:
        shape = "{" + ",".join(f"{n}:{lists[i][pick[i]]}" for i, n in enumerate(names)) + "}"
        good = sum(render(template, shape, n, name) is not None for n in range(3))
        if good > score:
            best, score = shape, good
        if score == 3:
            break
    return best


def main():
    lines = []
    worst = []
    for template in templates():
        name = hashlib.sha256(template.encode()).hexdigest()[:16]
        shape = shape_of(template, name)
        results = [render(template, shape, n, name) for n in range(3)]
        if all(r is None for r in results):
            worst.append(template)
        hashes = ["-" if r is None else hashlib.sha256(r.encode()).hexdigest()[:12] for r in results]
        lines.append(" ".join([name, *hashes, shape]))
    out = Path(__file__).parent / "jinja"
    os.makedirs(out, exist_ok=True)
    (out / "harness.txt").write_text("\n".join(lines) + "\n")
    (out / "names.txt").write_text(hashlib.sha256(names().encode()).hexdigest() + "\n")
    print(len(lines), "templates;", len(worst), "of which no document renders")
    for w in worst:
        print(repr(w)[:200])


main()
