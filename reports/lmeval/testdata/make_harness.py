"""Runs lm-evaluation-harness 0.4.13 on a checkpoint and the documents of this
repository's goldens, and writes its results and samples as its own tracker does.

    python make_harness.py ../../../testdata/golden/tiny ../../../testdata/golden/docs harness

Removed afterwards, as they say something of the machine and nothing of the
results: paths, the environment, times, the date in the files' names.
"""

import glob
import json
import os
import sys

os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_OFFLINE"] = "1"

import lm_eval  # noqa: E402
import lm_eval.tasks  # noqa: E402
import torch  # noqa: E402
from lm_eval.loggers import EvaluationTracker  # noqa: E402
from lm_eval.models.huggingface import HFLM  # noqa: E402

TASKS = {
    "arc_easy": ("ai2_arc/ARC-Easy/test*", "test"),
    "piqa": ("piqa/**/validation*", "validation"),
    "lambada_openai": ("lambada_openai/**/test*", "test"),
    "wikitext": ("wikitext2/validation*", "test"),
}
DATE = "2026-01-01T00-00-00.000000"


def task(manager, docs, name):
    pattern, split = TASKS[name]
    [path] = [p for p in glob.glob(f"{docs}/{pattern}", recursive=True) if p.endswith(".jsonl")]
    files = {s: path for s in {split, "train", "validation"}}
    overrides = dict(dataset_path="json", dataset_name=None, dataset_kwargs=dict(data_files=files))
    return manager._factory.build(manager._entry(name), overrides=overrides, registry=manager._index)


def main(model, docs, out):
    torch.set_num_threads(1)
    manager = lm_eval.tasks.TaskManager()
    tasks = [task(manager, docs, t) for t in TASKS]
    lm = HFLM(pretrained=model, device="cpu", dtype="float32", batch_size=1)
    tracker = EvaluationTracker(output_path=out)
    tracker.general_config_tracker.log_experiment_args("hf", "pretrained=tiny,dtype=float32", None, None, False)
    results = lm_eval.simple_evaluate(lm, tasks=tasks, log_samples=True, bootstrap_iters=1000)
    samples = results.pop("samples")
    tracker.save_results_aggregated(results=results, samples=samples)
    for name in results["configs"]:
        tracker.save_results_samples(task_name=name, samples=samples[name])
    for path in glob.glob(f"{out}/tiny/*_{tracker.date_id}.*"):
        os.rename(path, path.replace(tracker.date_id, DATE))
    path = f"{out}/tiny/results_{DATE}.json"
    with open(path) as f:
        r = json.load(f)
    for key in ("pretty_env_info", "git_hash", "upper_git_hash", "transformers_version", "total_evaluation_time_seconds"):
        r[key] = ""
    r["date"] = 0.0
    r["config"]["model"] = "tiny"
    for config in r["configs"].values():
        config.pop("dataset_kwargs", None)
        config.pop("metadata", None) if "pretrained" in str(config.get("metadata")) else None
    with open(path, "w") as f:
        json.dump(r, f, indent=2, ensure_ascii=False)
        f.write("\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
