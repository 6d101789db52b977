"""Makes generate/golden.json: what lm-evaluation-harness 0.4.13 makes of generated answers.

    python make_generate.py

generate/*.yaml are tasks of ours and TASKS the same for the harness, over the same
documents; the model is tiny/, in float32, one request a batch. Right answers are made
from what the model says in a first run, so that scores are not all 0. README.md
describes the format.
"""

import json
import os
import pathlib
import tempfile

SCRATCH = tempfile.mkdtemp(prefix="golden")
os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", HF_HOME=SCRATCH, HF_DATASETS_CACHE=SCRATCH, TOKENIZERS_PARALLELISM="false")

import lm_eval  # noqa: E402
import torch  # noqa: E402
from lm_eval.models.huggingface import HFLM  # noqa: E402

HERE = pathlib.Path(__file__).parent
DIR = HERE / "generate"
GREEDY = {"do_sample": False}

TASKS = {
    # Of gsm8k's shape: worked examples, a stop text, two filters.
    "sums": dict(
        doc_to_text="Question: {{question}}\nAnswer:", doc_to_target="{{answer}}", num_fewshot=2, fewshot_split="train", fewshot_config={"sampler": "first_n"},
        generation_kwargs={"until": ["Question:", "</s>"], "max_gen_toks": 24, **GREEDY},
        filter_list=[{"name": "strict-match", "filter": [{"function": "regex", "regex_pattern": "(?<=the )([a-z]+)"}, {"function": "take_first"}]},
                     {"name": "flexible-extract", "filter": [{"function": "regex", "group_select": -1, "regex_pattern": "([A-Z][a-z]+)|([a-z]{3,})"}, {"function": "take_first"}]}],
        metric_list=[{"metric": "exact_match", "ignore_case": True, "ignore_punctuation": False, "regexes_to_ignore": [",", "\\$", "\\.$"]}]),
    # Of triviaqa's: several right answers, short texts.
    "trivia": dict(
        doc_to_text="{{question}}", doc_to_target="{{aliases}}", generation_kwargs={"until": ["\n", ".", ","], "max_gen_toks": 8, **GREEDY},
        filter_list=[{"name": "remove_whitespace", "filter": [{"function": "remove_whitespace"}, {"function": "take_first"}]}],
        metric_list=[{"metric": "exact_match", "ignore_case": True, "ignore_punctuation": True}]),
    # No filters, no stops but the blank line, examples drawn at random from the tested split, prompts that are cut off.
    "plain": dict(
        doc_to_text="{{question}}\n", doc_to_target="{{answer}}", num_fewshot=3, fewshot_split="test", target_delimiter="",
        generation_kwargs={"until": ["\n\n"], "max_gen_toks": 100, **GREEDY}, metric_list=[{"metric": "exact_match"}]),
    # Letters of choices.
    "letters": dict(
        doc_to_text="{{question}}", doc_to_target="{{letter}}", generation_kwargs={"until": ["Question"], "max_gen_toks": 16, **GREEDY}, num_fewshot=1, fewshot_split="train",
        filter_list=[{"name": "get_response", "filter": [{"function": "multi_choice_regex", "regex_pattern": "(\\([A-Z]\\))", "ignore_case": True, "ignore_punctuation": True}, {"function": "take_first"}]}],
        metric_list=[{"metric": "exact_match", "ignore_case": True}]),
}


def documents():
    """The questions of the golden documents, with everything the tasks need."""
    out = []
    for name in ("ai2_arc/ARC-Easy/test.jsonl", "ai2_arc/ARC-Easy/train.jsonl", "sciq/test.jsonl", "piqa/validation.jsonl"):
        for line in (HERE / "docs" / name).read_text().splitlines():
            d = json.loads(line)
            text = d.get("question") or d.get("goal")
            choices = d["choices"]["text"] if "choices" in d else [str(d[k]) for k in ("correct_answer", "distractor1", "distractor2", "sol1", "sol2") if k in d]
            if isinstance(text, str) and text.strip() and all(isinstance(c, str) and c.strip() for c in choices):
                out.append({"question": text, "choices": choices, "answer": choices[0], "aliases": choices[:2], "letter": "(A)"})
    return out


def evaluate(lm, task, config, data):
    config = dict(task=task, output_type="generate_until", dataset_path="json", dataset_kwargs={"data_files": {s: str(data / f"{s}.jsonl") for s in ("train", "test")}},
                  test_split="test", **config)
    config.setdefault("num_fewshot", 0)
    for m in config["metric_list"]:
        m.update(aggregation="mean", higher_is_better=True)
    return lm_eval.simple_evaluate(lm, tasks=[config], log_samples=True, bootstrap_iters=1000)


def write(path, docs):
    path.write_text("".join(json.dumps(d, ensure_ascii=False) + "\n" for d in docs))


def main():
    torch.set_num_threads(1)
    lm = HFLM(pretrained=str(HERE / "tiny"), device="cpu", dtype="float32", batch_size=1)
    docs = documents()
    train, test = docs[:6], docs[6:30]
    test.append(dict(test[3], question="Long. " * 90 + test[3]["question"]))
    first = pathlib.Path(SCRATCH) / "first"
    first.mkdir()
    write(first / "train.jsonl", train)
    write(first / "test.jsonl", test)
    for name, key in (("sums", "answer"), ("trivia", "aliases"), ("letters", "letter")):
        samples = evaluate(lm, name, json.loads(json.dumps(TASKS[name])), first)["samples"][name]
        for s in samples:
            if s["doc_id"] % 3 == 0:
                taken = s["filtered_resps"][0]
                test[s["doc_id"]][key] = [taken.upper() + "!", "another"] if key == "aliases" else taken
    write(DIR / "train.jsonl", train)
    write(DIR / "test.jsonl", test)
    out = {"format": 1, "versions": {m: __import__("importlib.metadata").metadata.version(m) for m in ("lm-eval", "transformers", "tokenizers", "torch")}, "max_length": lm.max_length, "tasks": []}
    for name, config in TASKS.items():
        got = evaluate(lm, name, json.loads(json.dumps(config)), DIR)
        seen = {}
        for s in got["samples"][name]:
            d = seen.setdefault(s["doc_id"], {"prompt": s["arguments"][0][0], "text": s["resps"][0][0], "taken": {}, "scores": {}})
            d["taken"][s["filter"]] = s["filtered_resps"][0]
            for m in s["metrics"]:
                d["scores"][m if s["filter"] == "none" else m + "," + s["filter"]] = s[m]
        metrics = {k.replace(",none", ""): v for k, v in got["results"][name].items() if isinstance(v, float)}
        out["tasks"].append({"task": name, "fewshot": config.get("num_fewshot", 0), "metrics": metrics, "documents": [seen[i] for i in sorted(seen)]})
        print(name, metrics, [d["text"] for d in seen.values()][:3])
    (DIR / "golden.json").write_text(json.dumps(out, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
