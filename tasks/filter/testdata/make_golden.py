"""What lm-evaluation-harness 0.4.13's filters take: python make_golden.py > golden.json."""

import json

from lm_eval.filters import build_filter_ensemble

TEXTS = [
    "", " The answer is 42. ", "#### 1,234.50\n#### -7", "So the answer is (B).", "answer: (c) or (D)", "It is Paris, of course", "PARIS!", "blue whale", "whale",
    "I think: B", "The answer: \n C.", "new\u2003\x1cline\n", "ÀÉ ßtraße İ", "(A) (B)", "42", "yes", "No", "Guilty of Romance (1999)", "guilty", "-- ()", "$3 and $4",
    "PER: Ada, none $$ LOC: kenya\nDATE: 5 may", "Person : Bo, Cy $$ organization: X, none $$persons: Dee$ time:5 $$", "supper: x LOC: İzmir",
]
CHOICES = ["Paris", "Lyon", "whale", "blue whale", "Guilty", "Guilty of Romance", "No!"]
PIPELINES = [
    ("none", [["take_first", {}]]),
    ("strict", [["regex", {"regex_pattern": r"#### (\-?[0-9\.\,]+)"}], ["take_first", {}]]),
    ("flexible", [["regex", {"group_select": -1, "regex_pattern": r"(-?[$0-9.,]{2,})|(-?[0-9]+)"}], ["take_first", {}]]),
    ("default", [["regex", {}], ["take_first", {}]]),
    ("letter", [["regex", {"regex_pattern": r"\(([A-Z])\)|([a-z])(?=\))", "fallback": "?"}], ["lowercase", {}], ["take_first", {}]]),
    ("space", [["remove_whitespace", {}], ["take_first", {}]]),
    ("upper", [["uppercase", {}], ["remove_whitespace", {}], ["take_first", {}]]),
    ("lower", [["lowercase", {}], ["take_first", {}]]),
    ("map", [["lowercase", {}], ["map", {"mapping_dict": {"yes": "1", "no": "0"}, "default_value": "-"}], ["take_first", {}]]),
    ("vote", [["majority_vote", {}], ["take_first", {}]]),
    ("span", [["format_span", {}], ["take_first", {}]]),
    ("first", [["take_first_k", {"k": 1}], ["take_first", {}]]),
    ("choice", [["multi_choice_regex", {"regex_pattern": r"(\([A-Z]\))"}], ["take_first", {}]]),
    ("choice2", [["multi_choice_regex", {"group_select": 0, "ignore_case": True, "ignore_punctuation": True, "regex_pattern": r"(\([A-Z]\)) or"}], ["take_first", {}]]),
    ("choice3", [["multi_choice_regex", {"group_select": -1, "fallback": "none", "regexes_to_ignore": ["[Bb]lue ", "[.!]"], "regex_pattern": "x^"}], ["take_first", {}]]),
]


class Instance:
    def __init__(self, text):
        self.resps, self.doc, self.filtered_resps = [text], {"choices": CHOICES}, {}


out = []
for name, steps in PIPELINES:
    instances = [Instance(t) for t in TEXTS]
    build_filter_ensemble(name, [tuple(s) for s in steps]).apply(instances)
    out.append({"name": name, "steps": steps, "taken": [i.filtered_resps[name] for i in instances]})
print(json.dumps({"texts": TEXTS, "choices": CHOICES, "pipelines": out}, ensure_ascii=False, separators=(",", ":")))
