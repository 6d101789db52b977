"""What the metrics' packages say: python make_golden.py > golden.json
(lm-eval 0.4.13, whose qasper has SQuAD's script, rouge-score 0.1.2, and sacrebleu 2.6.0 through lm-eval)."""

import contextlib
import io
import json
import random

from lm_eval.api import metrics
from lm_eval.api.metrics import exact_match_fn
from lm_eval.tasks.qasper.metrics import f1_abstractive, normalize_answer
from rouge_score import rouge_scorer
from sklearn.metrics import f1_score

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
# Words in other orders, for TER's moves; marks and numbers, for the words of BLEU.
rng = random.Random(16)
MORE = []
for n in (1, 2, 5, 9, 14, 20, 33):
    for _ in range(3):
        right = [rng.choice("the cat sat on a mat near old mill , again .".split()) for _ in range(n)]
        said = list(right)
        for _ in range(1 + n // 6):
            i, j = sorted(rng.randrange(len(said) + 1) for _ in range(2))
            k = rng.randrange(len(said) + 1)
            run = said[i:j]
            said = said[:i] + said[j:]
            said = said[:k] + run + said[k:]
            if rng.random() < 0.5 and said:
                said[rng.randrange(len(said))] = "ship"
        MORE.append((" ".join(said), " ".join(right)))
MORE += [
    ("It costs 3,141.59 dollars - or 1-2 (maybe).", "It costs 3,141.59 dollars, or 1-2 (may be)!"), ("x &quot;y&quot; &amp; z<skipped>", 'x "y" & z'), ("end-\nof line\nnext", "endof line next"),
    ("北京 大学 在 哪里", "北京大学 在 哪里"), ("a,b.c", "a , b . c"), ("5.", "5 ."), ("well  done ", "Well done"), ("$5-$6", "$5 - $6"), ("U.S. trade/war", "US trade / war"), ("", ""), ("", "x y"), ("x y", ""),
]
corpora = []


def stderr(f, items):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return metrics.sample_stddev(metrics._bootstrap_internal_no_mp(f, items, 100))


for name, f in (("bleu", metrics.bleu), ("chrf", metrics.chrf), ("chrf++", metrics.chrfpp), ("ter", metrics.ter)):
    items = [(t, p) for p, t in MORE]
    corpora.append({"metric": name, "each": [f([i]) for i in items], "all": f(items), "stderr": stderr(f, items[:15])})
classes = []
for k in (2, 3, 5):
    items = [(rng.randrange(k), rng.randrange(k)) for _ in range(40)]
    classes.append({"docs": items, "mcc": float(metrics.matthews_corrcoef(items)), "f1": {a: float(f1_score(*zip(*items), average=a)) for a in ("micro", "macro", "weighted") + (("binary",) if k == 2 else ())}})
print(json.dumps({"pairs": PAIRS, "metrics": out, "more": MORE, "corpora": corpora, "classes": classes}, ensure_ascii=False, separators=(",", ":")))
