"""Made-up word problems, and a task file that asks them as gsm8k does: five worked examples drawn for each document."""

import json
import random

NAMES = "Mara Tobias Ines Jonas Leila Pavel Ruth Omar Sofia Henrik Anja Carlos Mei Idris Nora Stefan".split()
THINGS = "apples notebooks candles marbles tickets bottles pencils cookies stamps shells bricks flowers".split()
PLACES = "market school garden workshop bakery library harbour museum".split()

TASK = r"""task: made_up_sums
dataset_path: json
dataset_kwargs: {data_files: {train: %(train)s, test: %(test)s}}
output_type: generate_until
training_split: train
fewshot_split: train
test_split: test
doc_to_text: "Question: {{question}}\nAnswer:"
doc_to_target: "{{answer}}"
metric_list: [{metric: exact_match, aggregation: mean, higher_is_better: true, ignore_case: true, regexes_to_ignore: [",", "\\$", "(?s).*#### ", "\\.$"]}]
generation_kwargs: {until: ["Question:", "</s>", "<|im_end|>"], do_sample: false, temperature: 0.0, max_gen_toks: %(tokens)d}
num_fewshot: 5
filter_list:
  - {name: strict-match, filter: [{function: regex, regex_pattern: "#### (\\-?[0-9\\.\\,]+)"}, {function: take_first}]}
  - {name: flexible-extract, filter: [{function: regex, group_select: -1, regex_pattern: "(-?[$0-9.,]{2,})|(-?[0-9]+)"}, {function: take_first}]}
"""


def step(text, value):
    return f"{text} = <<{text.replace(' ', '')}={value}>>{value}"


def document(r):
    (n, m), (a, b), (p, q) = r.sample(NAMES, 2), r.sample(THINGS, 2), r.sample(PLACES, 2)
    x, y, z, w = r.randint(6, 60), r.randint(3, 12), r.randint(2, 9), r.randint(10, 90)
    kind = r.randint(0, 2)
    if kind == 0:
        t = x * y
        u = t - z * y
        return (f"{n} brings {x} boxes of {a} to the {p}, and every box holds {y} {a}. On the way {z} of the boxes fall into the river and are lost. In the "
                f"afternoon {m} brings {w} more {a} from the {q}. How many {a} do {n} and {m} have at the {p} in the evening?",
                f"{n} starts with {step(f'{x} * {y}', t)} {a}.\nThe lost boxes held {step(f'{z} * {y}', z * y)} {a}.\n"
                f"So {step(f'{t} - {z * y}', u)} {a} arrive.\nWith the {a} of {m} there are {step(f'{u} + {w}', u + w)} {a}.\n#### {u + w}")
    if kind == 1:
        t, u = x * z, y * w
        return (f"At the {p}, {a} cost ${z} each and {b} cost ${y} each. {n} buys {x} {a} for the whole class, while {m} needs {w} {b} for a party at the {q}. "
                f"They decide to pay everything from one purse. How many dollars do they spend together?",
                f"The {a} cost {step(f'{x} * {z}', t)} dollars.\nThe {b} cost {step(f'{w} * {y}', u)} dollars.\n"
                f"Together they spend {step(f'{t} + {u}', t + u)} dollars.\n#### {t + u}")
    t = x + w
    return (f"{n} works in a {p} and finishes {x} {a} in the morning and {w} {a} after lunch. {m}, who works at the {q}, finishes twice as many {a} each day as "
            f"{n} does. If both work {z} days a week, how many {a} does {m} finish in a week?",
            f"{n} finishes {step(f'{x} + {w}', t)} {a} a day.\n{m} finishes {step(f'{t} * 2', 2 * t)} {a} a day.\n"
            f"In a week these are {step(f'{2 * t} * {z}', 2 * t * z)} {a}.\n#### {2 * t * z}")


def write(directory, documents, tokens):
    """The task's file and its documents, in a directory."""
    r = random.Random(16)
    files = {}
    for split, n in (("train", 400), ("test", documents)):
        files[split] = directory / f"{split}.jsonl"
        files[split].write_text("".join(json.dumps(dict(zip(("question", "answer"), document(r)))) + "\n" for _ in range(n)))
    task = directory / "made_up_sums.yaml"
    task.write_text(TASK % dict(train=files["train"], test=files["test"], tokens=tokens))
    return task
