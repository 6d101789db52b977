"""Makes tasks/*.json: what lm-evaluation-harness reports, document by document.

    python make_tasks.py [zero|nobos|fewshot|real]...

The harness runs its own task definitions; only where the documents come from is
overridden (local JSON lines, no network). README.md describes the format.
"""

import hashlib
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

SCRATCH = tempfile.mkdtemp(prefix="golden")
os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", HF_HOME=SCRATCH, HF_DATASETS_CACHE=SCRATCH,
                  TOKENIZERS_PARALLELISM="false")

import lm_eval  # noqa: E402
import lm_eval.tasks  # noqa: E402
import torch  # noqa: E402
from lm_eval.models.huggingface import HFLM  # noqa: E402

HERE = pathlib.Path(__file__).parent
FORMAT = 1
# Where the documents of each task are, under docs/ or the shared data.
FILES = {
    "arc_easy": "ai2_arc/ARC-Easy/test.jsonl",
    "arc_challenge": "ai2_arc/ARC-Challenge/test.jsonl",
    "hellaswag": "hellaswag/validation.jsonl",
    "piqa": "piqa/validation.jsonl",
    "sciq": "sciq/test.jsonl",
    "winogrande": "winogrande/validation.jsonl",
    "lambada_openai": "lambada_openai/test.jsonl",
    "boolq": "super_glue/boolq/validation.jsonl",
    "openbookqa": "openbookqa/main/test.jsonl",
    "copa": "super_glue/copa/validation.jsonl",
    "wikitext": "wikitext2/validation.jsonl",
}
TRAIN = {"arc_easy": "ai2_arc/ARC-Easy/train.jsonl", "boolq": "super_glue/boolq/train.jsonl"}
SPLIT = {"hellaswag": "validation", "piqa": "validation", "winogrande": "validation", "boolq": "validation",
         "copa": "validation"}  # the others: test
REAL = ["arc_easy", "arc_challenge", "hellaswag", "piqa", "winogrande", "lambada_openai", "wikitext"]
# What internal/randmodel/mk is asked for, by its flags.
RANDOM = {"preset": "tiny", "type": "llama", "seed": 20260, "dtype": "float32", "vocab": 32768, "max-positions": 512,
          "gain": 3.0, "score-gain": 2.0}

SETS = {
    "zero": dict(tokenizer="tiny", tasks={t: None for t in FILES}),
    # The last document's context is all blanks: without BOS the harness stops there.
    "nobos": dict(tokenizer="tiny-nobos", tasks={"arc_easy": None, "sciq": None, "winogrande": None,
                                                 "lambada_openai": 18, "wikitext": None}),
    "fewshot": dict(tokenizer="tiny", fewshot=2, tasks={t: None for t in TRAIN}),
    "real": dict(tokenizer="mistral-v0.3", tasks={t: 6 if t == "wikitext" else 100 for t in REAL}),
}


def sha(data):
    if isinstance(data, str):
        data = data.encode()
    return hashlib.sha256(data).hexdigest()[:16]


def document_hash(doc):
    return sha(json.dumps(doc, sort_keys=True, ensure_ascii=False, separators=(",", ":")))


class Recorder(HFLM):
    """The harness's own model, remembering the ids of each request.

    Windows of rolling requests arrive without their text; they are kept in order.
    """

    def _loglikelihood_tokens(self, requests, **kwargs):
        for text, context, continuation in requests:
            if text is None:
                self.windows.append((context, continuation))
            else:
                self.ids[text] = (context, continuation)
        return super()._loglikelihood_tokens(requests, **kwargs)


def request(lm, args, response):
    """One request: hashes of its texts and ids, token counts, and the answer."""
    loglikelihood, greedy = response
    context, continuation = lm.ids[tuple(args)]
    return dict(context=sha(args[0]), continuation=sha(args[1]), ids=ids_hash(context + continuation),
                tokens=[len(context), len(continuation)], loglikelihood=loglikelihood, is_greedy=greedy)


def ids_hash(ids):
    return sha(struct.pack(f"<{len(ids)}i", *ids))


@torch.no_grad()
def wide_sum(lm, windows):
    """The loglikelihood of the windows with its float32 terms summed in float64.

    The harness sums each window in float32, which for a long text loses more
    than the thousandth that scores are compared to.
    """
    total = 0.0
    for context, scored in windows:
        logits = lm.model(torch.tensor([(context + scored)[:-1]])).logits[0, -len(scored):]
        terms = logits.float().log_softmax(-1)[torch.arange(len(scored)), torch.tensor(scored)]
        total += terms.double().sum().item()
    return total


def rolling(lm, sample, windows):
    """A rolling request and its windows."""
    loglikelihood, words = sample["word_perplexity"]
    size = sample["byte_perplexity"][1]
    text = sample["arguments"][0][0]
    return dict(text=sha(text), words=words, bytes=size, loglikelihood=loglikelihood, wide_sum=wide_sum(lm, windows),
                windows=[[len(a), len(b), ids_hash(a + b)] for a, b in windows])


MANAGER = lm_eval.tasks.TaskManager()


def harness_task(name, overrides):
    """The harness's registered task with some settings replaced."""
    return MANAGER._factory.build(MANAGER._entry(name), overrides=overrides, registry=MANAGER._index)


def run(name, spec, path, data):
    tasks = []
    lm = Recorder(pretrained=str(path), tokenizer=str(spec["tokenizer_path"]), device="cpu", dtype="float32",
                  batch_size=1)
    out = dict(format=FORMAT, set=name, tokenizer=spec["tokenizer"], data=spec["data"], fewshot=spec.get("fewshot", 0),
               max_length=lm.max_length, prefix_token=lm.prefix_token_id, add_bos_token=lm.add_bos_token,
               versions={m: __import__("importlib.metadata").metadata.version(m)
                         for m in ("lm-eval", "transformers", "tokenizers", "torch", "datasets")},
               tasks=tasks)
    for task, limit in spec["tasks"].items():
        split = SPLIT.get(task, "test")
        files = {split: str(data / FILES[task])}
        if task in ("hellaswag", "piqa", "winogrande", "boolq", "copa"):
            files["train"] = files[split]  # the harness insists on one, and does not read it in zero-shot
        else:
            files["train"] = files["validation"] = files[split]
        config = dict(dataset_path="json", dataset_name=None)
        if spec.get("fewshot"):
            files["train"] = str(data / TRAIN[task])
            config.update(fewshot_split="train", fewshot_config=dict(sampler="first_n"))
        config["dataset_kwargs"] = dict(data_files=files)
        lm.ids, lm.windows = {}, []
        got = lm_eval.simple_evaluate(
            lm, tasks=[harness_task(task, config)], num_fewshot=spec.get("fewshot", 0), limit=limit, log_samples=True,
            bootstrap_iters=1000 if task in ("lambada_openai", "wikitext") else 100000)
        metrics = {k.replace(",none", ""): v for k, v in got["results"][task].items() if isinstance(v, float)}
        samples = sorted(got["samples"][task], key=lambda s: s["doc_id"])
        lines = [json.loads(x) for x in (data / FILES[task]).read_text().split("\n") if x][:limit]
        assert len(lines) == len(samples), (task, len(lines), len(samples))
        windows = list(lm.windows)
        docs = []
        for line, s in zip(lines, samples):
            assert all(s["doc"][k] == v for k, v in line.items()), (line, s["doc"])
            d = dict(doc=document_hash(line))
            if task == "wikitext":
                count = len(windows_of(lm, s["arguments"][0][0]))
                d["rolling"] = rolling(lm, s, [windows.pop(0) for _ in range(count)])
            else:
                d["requests"] = [request(lm, a, r) for a, r in zip(s["arguments"], s["filtered_resps"])]
                for m in ("acc", "acc_norm"):
                    if m in s:
                        d[m] = s[m]
            docs.append(d)
        assert not windows
        tasks.append(dict(task=task, file=FILES[task], limit=limit or 0, n=len(docs), metrics=metrics, documents=docs))
        requests = [r for d in docs for r in d.get("requests", [])]
        print(f"{name} {task}: {len(docs)} documents, {sum(r['is_greedy'] for r in requests)} of {len(requests)} greedy, "
              f"{sum(sum(r['tokens']) > lm.max_length + 1 for r in requests)} truncated, "
              + ", ".join(f"{k} {v:.4g}" for k, v in metrics.items()), flush=True)
        check(task, docs, samples)
    return out


def windows_of(lm, text):
    return list(lm_eval.utils.get_rolling_token_windows(
        token_list=lm.tok_encode(text), prefix_token=lm.prefix_token_id, max_seq_len=lm.max_length, context_len=1))


def check(task, docs, samples):
    """Says which answers so small a difference as 2e-4 could turn over.

    Equal requests are ties that have to be broken the same way and do not count.
    """
    for number, (d, s) in enumerate(zip(docs, samples)):
        rs = d.get("requests", [])
        if len(rs) < 2:
            continue
        lengths = [len(a[1]) - 1 for a in s["arguments"]] if task != "winogrande" else [1] * len(rs)
        for scale in ([1] * len(rs), lengths):
            best = sorted((-r["loglikelihood"] / n, r["ids"], n) for r, n in zip(rs, scale) if n)
            others = [b for b in best if b[1] != best[0][1]]
            if others and others[0][0] - best[0][0] < 2e-4 / max(best[0][2], 1):
                print(f"  {task} document {number}: two choices are too near each other")
                d["near"] = True


def random_model(shared):
    path = pathlib.Path(SCRATCH) / "random"
    flags = [str(x) for k, v in RANDOM.items() for x in ("-" + k, v)]
    command = ["go", "run", "./internal/randmodel/mk", *flags,
               "-tokenizer", str(shared / "tokenizers" / "mistral-v0.3"), "-out", str(path)]
    subprocess.run(command, cwd=HERE.parent.parent, check=True)
    return path


def main():
    torch.set_num_threads(1)
    shared = pathlib.Path(os.environ.get("SOFTBENCH_SHARED", HERE.parent.parent.parent / "shared"))
    (HERE / "tasks").mkdir(exist_ok=True)
    for name, spec in SETS.items():
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        if name == "real":
            path, data = random_model(shared), shared / "data"
            spec = dict(spec, tokenizer_path=path, data="shared")
        else:
            path, data = HERE / "tiny", HERE / "docs"
            spec = dict(spec, tokenizer_path=HERE / spec["tokenizer"], data="docs")
        out = run(name, spec, path, data)
        if name == "real":
            digest = hashlib.sha256((path / "model.safetensors").read_bytes()).hexdigest()
            out["random_model"] = dict(RANDOM, sha256=digest)
        write(HERE / "tasks" / f"{name}.json", out)


def write(path, out):
    """One document a line, so that a diff shows what moved."""
    tasks = out.pop("tasks")
    lines = [json.dumps(out, sort_keys=True)[:-1] + ', "tasks": [']
    for i, t in enumerate(tasks):
        docs = t.pop("documents")
        lines.append(json.dumps(t)[:-1] + ', "documents": [')
        lines.append(",\n".join(json.dumps(d, separators=(",", ":")) for d in docs))
        lines.append("]}" + ("," if i + 1 < len(tasks) else ""))
    path.write_text("\n".join(lines) + "\n]}\n")


if __name__ == "__main__":
    main()
