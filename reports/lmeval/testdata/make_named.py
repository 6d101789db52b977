"""Runs lm-evaluation-harness 0.4.13 as make_harness.py does, but with --output_path
res.json, a task under a name of its own with an alias and few documents.

    python make_named.py ../../../testdata/golden/tiny ../../../testdata/golden/docs named
"""

import glob
import json
import os
import sys

from make_harness import DATE, TASKS, task

import lm_eval
import lm_eval.tasks
import torch
from lm_eval.loggers import EvaluationTracker
from lm_eval.models.huggingface import HFLM


def main(model, docs, out):
    torch.set_num_threads(1)
    manager = lm_eval.tasks.TaskManager()
    tasks = [task(manager, docs, "arc_easy"), task(manager, docs, "lambada_openai")]
    tasks[0].config.task, tasks[0].config.task_alias = "my_arc", "arc_easy"
    lm = HFLM(pretrained=model, device="cpu", dtype="float32", batch_size=1)
    tracker = EvaluationTracker(output_path=f"{out}/res.json")
    tracker.general_config_tracker.log_experiment_args("hf", "pretrained=tiny,dtype=float32", None, None, False)
    results = lm_eval.simple_evaluate(lm, tasks=tasks, log_samples=True, bootstrap_iters=100, limit=2)
    samples = results.pop("samples")
    tracker.save_results_aggregated(results=results, samples=samples)
    for name in results["configs"]:
        tracker.save_results_samples(task_name=name, samples=samples[name])
    for path in glob.glob(f"{out}/*_{tracker.date_id}.*"):
        os.rename(path, path.replace(tracker.date_id, DATE))
    path = f"{out}/res_{DATE}.json"
    with open(path) as f:
        r = json.load(f)
    keep = ("results", "group_subtasks", "configs", "versions", "n-shot", "higher_is_better", "n-samples", "task_hashes", "model_name", "model_source",
            "lm_eval_version", "tokenizer_pad_token", "tokenizer_eos_token", "tokenizer_bos_token", "max_length", "chat_template_sha", "system_instruction_sha")
    r = {k: r[k] for k in keep if k in r}
    for config in r["configs"].values():
        config["dataset_kwargs"] = None
        config["metadata"].pop("config_source", None)
    with open(path, "w") as f:
        json.dump(r, f, indent=2, ensure_ascii=False)
        f.write("\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
