"""What the metrics' packages say: python make_golden.py > golden.json
(lm-eval 0.4.13, whose qasper has SQuAD's script, and rouge-score 0.1.2)."""

import json

from lm_eval.api.metrics import exact_match_fn
from lm_eval.tasks.qasper.metrics import f1_abstractive, normalize_answer
from rouge_score import rouge_scorer

PAIRS = [
    ("", ""), ("", "a"), ("the", "an"), ("the cat", "a cat"), ("The Cat sat.", "cat sat on the mat"), ("42", "42"), ("42.", "42"), ("$1,234", "1234"), ("Paris", "paris"),
    ("an apple a day", "the apple, a day!"), ("naïve café", "NAÏVE CAFÉ"), ("ßtraße", "STRASSE"), ("İstanbul", "istanbul"), ("x1 x2 x3", "X2 x3 x4"), ("a\u2003b\nc", "b c"),
    ("don't stop", "dont stop"), ("theatre", "the atre"), ("a_the b", "the_a b"), ("police killed the gunman", "the gunman killed police"), ("one two three four five six", "two four six eight"),
    ("हिन्दी में", "में हिन्दी"), ("(B)", "B"), ("#### 7", "7"), ("1.5e3", "15e3"), ("the the the", "the"), ("b b a a", "a b a b b"), ("half-way", "half way"),
]
OPTIONS = [
    {}, {"ignore_case": True}, {"ignore_punctuation": True}, {"ignore_numbers": True}, {"regexes_to_ignore": [",", r"\$", r"(?s).*#### ", r"\.$"]},
    {"ignore_case": True, "ignore_punctuation": True, "ignore_numbers": False}, {"ignore_case": True, "ignore_punctuation": True, "ignore_numbers": True, "regexes_to_ignore": [r"\bthe\b"]},
]


def f1(target, prediction):
    """SQuAD 2's, which differs from 1.1's where a side has no words."""
    if not normalize_answer(target) or not normalize_answer(prediction):
        return normalize_answer(target) == normalize_answer(prediction)
    return f1_abstractive([prediction], [target])


out = []
for o in OPTIONS:
    out.append({"metric": "exact_match", "options": o, "scores": [float(exact_match_fn(predictions=[p], references=[t], **o)["exact_match"]) for p, t in PAIRS]})
out.append({"metric": "f1", "options": {}, "scores": [float(f1(t, p)) for p, t in PAIRS]})
for name in ("rouge1", "rouge2", "rougeL"):
    scorer = rouge_scorer.RougeScorer([name], use_stemmer=False)
    out.append({"metric": name, "options": {}, "scores": [float(scorer.score(t, p)[name].fmeasure) for p, t in PAIRS]})
print(json.dumps({"pairs": PAIRS, "metrics": out}, ensure_ascii=False, separators=(",", ":")))
