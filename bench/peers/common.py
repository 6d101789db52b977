"""What the programs of this directory share."""

import json
import os
import pathlib
import statistics
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

# Weight matrices [outputs, inputs] of a 340M model, as softbench bench has them.
ROWS = 512
SHAPES = [(1024, 1024), (2816, 1024), (1024, 2816), (32768, 1024)]

# Where a task's documents are below --data, and the split they stand for.
FILES = {
    "arc_easy": ("ai2_arc/ARC-Easy/test.jsonl", "test"),
    "hellaswag": ("hellaswag/validation.jsonl", "validation"),
    "piqa": ("piqa/validation.jsonl", "validation"),
    "winogrande": ("winogrande/validation.jsonl", "validation"),
    "lambada_openai": ("lambada_openai/test.jsonl", "test"),
}
FOUR = ["arc_easy", "hellaswag", "piqa", "winogrande"]


def median(values):
    return statistics.median(values)


class Clock:
    """Wall and processor seconds of a with block in this process."""

    def __enter__(self):
        self.wall, self.cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_):
        self.wall, self.cpu = time.perf_counter() - self.wall, time.process_time() - self.cpu


def arguments():
    """A worker's arguments: one JSON object as the only argument."""
    return json.loads(sys.argv[1])


def answer(path, value):
    """Hand a worker's result over; its standard output belongs to libraries."""
    pathlib.Path(path).write_text(json.dumps(value))


def torch_with(threads):
    import torch

    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    return torch


def offline(scratch):
    """No network, no cache but our own; to be called before the libraries are imported."""
    os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", HF_HOME=scratch, HF_DATASETS_CACHE=scratch,
                      TOKENIZERS_PARALLELISM="false")
