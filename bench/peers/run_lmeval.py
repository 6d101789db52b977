"""Worker: lm-evaluation-harness on local documents, by its hf backend.

The tasks are the harness's own; only where the documents come from is
overridden. The clock runs over simple_evaluate alone: start, imports, loading of
the model and of the documents are not counted, and no standard errors are
bootstrapped.
"""

import common

a = common.arguments()
common.offline(a["scratch"])
torch = common.torch_with(a["threads"])

import lm_eval  # noqa: E402
import lm_eval.tasks  # noqa: E402
from lm_eval.models.huggingface import HFLM  # noqa: E402


def task(manager, name):
    """The harness's registered task, its documents replaced."""
    path, split = common.FILES[name]
    files = {s: f"{a['data']}/{path}" for s in {split, "train", "validation"}}
    overrides = dict(dataset_path="json", dataset_name=None, dataset_kwargs=dict(data_files=files))
    return manager._factory.build(manager._entry(name), overrides=overrides, registry=manager._index)


def main():
    manager = lm_eval.tasks.TaskManager()
    tasks = [task(manager, t) for t in a["tasks"]]
    lm = HFLM(pretrained=a["model"], device=a["device"], dtype=a["dtype"], batch_size=a["batch_size"])
    assert torch.get_num_threads() == a["threads"]
    with common.Clock() as clock:
        got = lm_eval.simple_evaluate(lm, tasks=tasks, limit=a["limit"] or None, log_samples=True, bootstrap_iters=0)
    scores, acc = {}, {}
    for name, samples in got["samples"].items():
        acc[name] = [got["results"][name]["acc,none"], len(samples)]
        for s in samples:
            for i, (loglikelihood, greedy) in enumerate(s["filtered_resps"]):
                scores[f"{name}/{s['doc_id']}/{i}"] = [float(loglikelihood), bool(greedy)]
    common.answer(a["out"], dict(seconds=clock.wall, cpu=clock.cpu, scores=scores, acc=acc))


main()
