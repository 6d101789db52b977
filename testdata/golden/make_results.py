"""Makes results/golden.json: tasks from end to end in lm-evaluation-harness 0.4.13, on the model tiny/ in float32.

    python make_results.py

OWN are the task files of results/, over documents of ours; REAL the harness's own, over docs/ and, of data sets that are not there, over
values made up by harness_shapes.py. Right answers of OWN are made from what the model says in a first run, so that scores are not all 0.
"""
import json
import math
import os
import pathlib
import shutil
import tempfile

SCRATCH = tempfile.mkdtemp(prefix="golden")
os.environ.update(OMP_NUM_THREADS="1", TQDM_DISABLE="1", LMEVAL_LOG_LEVEL="ERROR", HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", HF_HOME=SCRATCH, HF_DATASETS_CACHE=SCRATCH, TOKENIZERS_PARALLELISM="false")
HERE = pathlib.Path(__file__).parent
os.chdir(HERE)

import datasets  # noqa: E402
import lm_eval  # noqa: E402
import torch  # noqa: E402
from lm_eval.models.huggingface import HFLM  # noqa: E402
from lm_eval.tasks import TaskManager  # noqa: E402

import harness_shapes  # noqa: E402
from make_harness import hashed  # noqa: E402

DIR = HERE / "results"
SAID = ["sums", "aliases", "options", "votes", "mapped", "translated", "plain", "prefix", "judged"]
OWN = {"mill": None, "mill_written": None, "mill_two": None, "mill_contexts": None, "mill_ranked": None, "mill_words": None, "mill_pages": None, "mill_aliases": None,
       "mill_options": None, "mill_mapped": None, "mill_translated": None, "mill_prefix": None, "mill_overlap": None, "mill_judged": None}
# The harness's tasks and how many examples they get; None: as many as they say.
REAL = {"arc_easy": 2, "arc_challenge": None, "hellaswag": None, "piqa": None, "boolq": None, "copa": None, "openbookqa": None, "sciq": None, "lambada_openai": None,
        "wikitext": None, "mmlu_humanities": 2, "gsm8k": 2, "gsm8k_cot": 2, "triviaqa": 1, "nq_open": 2, "cola": 1, "mrpc": None, "truthfulqa_mc1": None, "truthfulqa_mc2": None,
        "bbh_cot_fewshot_web_of_lies": None, "wmt16-de-en": 1, "asdiv": None, "mc_taco": None, "pile_arxiv": None, "anli_r1": None, "medqa_4options": None,
        "blimp_anaphor_gender_agreement": None}
# Made-up values: a data set's shape and its splits.
SHAPES = {
    "cais/mmlu": ("{question:s,choices:[s*4],answer:i}", ["dev", "test"]),
    "openai/gsm8k": ("{question:s,answer:s}", ["train", "test"]),
    "trivia_qa": ("{question:s,answer:{aliases:[s*2],value:s}}", ["train", "validation"]),
    "nq_open": ("{question:s,answer:[s*2]}", ["train", "validation"]),
    "glue/cola": ("{sentence:s,label:t}", ["train", "validation"]),
    "glue/mrpc": ("{sentence1:s,sentence2:s,label:t}", ["train", "validation"]),
    "truthful_qa": ("{question:s,mc1_targets:{choices:[s*4],labels:[t*4]},mc2_targets:{choices:[s*4],labels:[t*4]}}", ["validation"]),
    "bbh": ("{input:s,target:s}", ["test"]),
    "wmt16": ("{translation:{de:s,en:s}}", ["train", "validation", "test"]),
    "asdiv": ("{body:s,question:s,answer:s}", ["validation"]),
    "mc_taco": ("{sentence:s,question:s,answer:s,label:t}", ["validation", "test"]),
    "pile": ("{text:_s}", ["train", "validation", "test"]),
    "anli": ("{premise:s,hypothesis:s,label:u}", ["train_r1", "dev_r1", "test_r1"]),
    "MedQA": ("{ending0:s,ending1:s,ending2:s,ending3:s,sent1:s,label:i}", ["train", "validation", "test"]),
    "blimp": ("{sentence_bad:s,sentence_good:s}", ["train"]),
    "wikitext": ("{page:_s}", ["train", "validation", "test"]),
}
ROWS = 6
WIDE = 4096  # tokens of context of REAL's model, tiny/ but for this: their answers may be as long as its context
load = datasets.load_dataset
used = {}


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def documents(path, name=None, **kwargs):
    """What load_dataset gives: docs/, or made-up values."""
    if path == "json":
        return load(path, name, **{k: v for k, v in kwargs.items() if k == "data_files"})
    at = HERE / "docs" / {"EleutherAI/lambada_openai": "lambada_openai"}.get(path, path.rsplit("/", 1)[-1])
    at = at / name if name and (at / name).is_dir() else at
    if any(at.glob("*.jsonl")):
        found = {f.stem: datasets.Dataset.from_list(lines(f)) for f in sorted(at.glob("*.jsonl"))}
        for other in ("train", "validation", "test"):  # the harness opens splits of which it then asks for no example
            found.setdefault(other, next(iter(found.values())))
        return datasets.DatasetDict(found)
    for key, (shape, splits) in SHAPES.items():
        if key in (path, f"{path.rsplit('/', 1)[-1]}/{name}") or key.lower() in path.lower():
            break
    else:
        raise FileNotFoundError(f"{path} {name}")
    used[(path, name or "")] = (shape, splits)
    return datasets.DatasetDict({s: datasets.Dataset.from_list([harness_shapes.value(shape, f"{path}/{name or ''}/{s}/{i}") for i in range(ROWS)]) for s in splits})


manager = TaskManager(include_path=str(DIR))


def evaluate(lm, name, shots):
    return lm_eval.simple_evaluate(lm, tasks=[name], num_fewshot=shots, log_samples=True, bootstrap_iters=10000, task_manager=manager, cache_requests=False)


def number(v):
    return v if isinstance(v, (int, float)) and math.isfinite(v) else None


def short(v):
    return float(f"{v:.9g}")


def golden(got):
    """A run's tasks and groups."""
    tasks = []
    for name, samples in sorted(got["samples"].items()):
        docs = {}
        for s in sorted(samples, key=lambda s: s["doc_id"]):
            d = docs.setdefault(s["doc_id"], {})
            first = s["resps"][0][0]
            contexts = {a[0] for a in s["arguments"]}
            if len(contexts) == 1 and len(s["arguments"][0]) > 1:
                d["prompt"] = hashed(contexts.pop())
            if isinstance(first, str):
                d["text"] = first
                d.setdefault("taken", {})[s["filter"]] = s["filtered_resps"][0]
            elif isinstance(first, (tuple, list)):
                d["lls"] = [short(r[0][0]) for r in s["resps"]]
                d["greedy"] = "".join(str(int(r[0][1])) for r in s["resps"])
            else:
                d["lls"] = [short(first)]
            for m in s["metrics"]:
                v = number(s[m])
                if v is not None:
                    d.setdefault("scores", {})[m if s["filter"] == "none" else m + "," + s["filter"]] = short(v)
        tasks.append({"task": name, "metrics": numbers(got["results"][name]), "documents": list(docs.values())})
    groups = [{"group": g, "metrics": numbers(r)} for g, r in sorted(got.get("groups", {}).items()) if numbers(r)]
    return {"tasks": tasks, "groups": groups}


def numbers(result):
    return {k.replace(",none", ""): v if math.isfinite(v) else None for k, v in result.items() if isinstance(v, (int, float)) and k not in ("sample_len",)}


def write(name, docs):
    (DIR / name).write_text("".join(json.dumps(d, ensure_ascii=False) + "\n" for d in docs))


def main():
    torch.set_num_threads(1)
    datasets.disable_progress_bars()
    datasets.load_dataset = documents
    lm = HFLM(pretrained=str(HERE / "tiny"), device="cpu", dtype="float32", batch_size=1)
    shutil.copytree(HERE / "tiny", wide := pathlib.Path(SCRATCH) / "wide")
    config = json.loads((wide / "config.json").read_text())
    (wide / "config.json").write_text(json.dumps({**config, "max_position_embeddings": WIDE}))
    wide = HFLM(pretrained=str(wide), device="cpu", dtype="float32", batch_size=1, max_length=WIDE)
    docs = []
    for i, d in enumerate(lines(HERE / "generate" / "train.jsonl") + lines(HERE / "generate" / "test.jsonl")):
        d = {"question": d["question"], "choices": d["choices"], "answer": d["choices"][0], "right": i % len(d["choices"]), "two": i // 2 % 2}
        d.update({f"said_{k}": [d["answer"], "another"] if k == "aliases" else d["answer"] for k in SAID})
        docs.append(d)
    train, test = docs[:6], docs[6:]
    write("train.jsonl", train)
    write("test.jsonl", test)
    for k in SAID:
        for s in evaluate(lm, f"mill_{k}", None)["samples"][f"mill_{k}"]:
            if s["doc_id"] % 3 == 0:
                said = s["filtered_resps"][0]
                test[s["doc_id"]][f"said_{k}"] = [said.upper() + "!", "another"] if k == "aliases" else said
            elif k == "translated":
                test[s["doc_id"]]["said_translated"] = " ".join(reversed(s["filtered_resps"][0].split())) + " mill"
    write("test.jsonl", test)
    out = {"format": 1, "versions": {m: __import__("importlib.metadata").metadata.version(m) for m in ("lm-eval", "transformers", "tokenizers", "torch", "datasets")}, "runs": []}
    for real, names in ((False, OWN), (True, REAL)):
        for name, shots in names.items():
            used.clear()
            print(name, flush=True)
            run = {"name": name, "fewshot": shots, "real": real, **golden(evaluate(wide if real else lm, name, shots))}
            run["data"] = [{"path": p, "config": c, "shape": s, "splits": splits} for (p, c), (s, splits) in sorted(used.items())]
            out["runs"].append(run)
            print([t["metrics"] for t in run["tasks"]][:2], run["groups"], flush=True)
            text = json.dumps(out, ensure_ascii=False, separators=(",", ":"))
            (DIR / "golden.json").write_text(text.replace('{"name"', '\n{"name"').replace('{"prompt"', '\n {"prompt"') + "\n")


if __name__ == "__main__":
    main()
