"""Worker: lm-evaluation-harness on a task file of its own form, by its hf backend. The clock runs over simple_evaluate alone."""

import pathlib

import common

a = common.arguments()
common.offline(a["scratch"])
torch = common.torch_with(a["threads"])

import lm_eval  # noqa: E402
import lm_eval.tasks  # noqa: E402
from lm_eval.models.huggingface import HFLM  # noqa: E402


def main():
    task, model = pathlib.Path(a["task"]), pathlib.Path(a["model"])
    manager = lm_eval.tasks.TaskManager(include_path=str(task.parent), include_defaults=False)
    where = dict(pretrained=str(model.parent), gguf_file=model.name) if model.suffix == ".gguf" else dict(pretrained=str(model))
    lm = HFLM(**where, device=a["device"], dtype=a["dtype"], batch_size=a["batch_size"])
    with common.Clock() as clock:
        got = lm_eval.simple_evaluate(lm, tasks=[task.stem], task_manager=manager, limit=a["limit"] or None, log_samples=True, bootstrap_iters=0)
    texts = {s["doc_id"]: [s["arguments"][0][0], s["resps"][0][0]] for s in got["samples"][task.stem]}
    common.answer(a["out"], dict(seconds=clock.wall, cpu=clock.cpu, texts=texts))


main()
