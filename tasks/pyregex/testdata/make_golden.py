"""What Python's re finds: python make_golden.py > golden.json (3.11)."""

import json
import re

TEXTS = [
    "", "The answer is 42.", "#### 1,234.50\n#### -7", "So the answer is (B).", "answer: (c) or (D)", "aaa bbb aba", "x = \\boxed{12} and \\boxed{\\frac{1}{2}}",
    "Ответ: 3.14 или -2", "हिन्दी में 4२", "naïve café ÀÉ", "tab\there\x1cand\x1fthere\u2003wide\u200bzero", "line one\nline two\n", "snake_case e\u0301 ‿tie",
    "$12,345 $6 12.5% .5", "A B C\nD", "[invalid] {3} ^x$ a-b [b]", "abcabc xyzxyz 1212", "yes. No! YES", "ßSSß ſS K",
]
PATTERNS = [
    r"#### (\-?[0-9\.\,]+)", r"(-?[$0-9.,]{2,})|(-?[0-9]+)", r"The answer is (\-?[0-9\.\,]+)", r"((?<=The answer is )(.*)(?=.))", r"(?<=the answer is )(.*)(?=.)",
    r"\(([A-Z])\)", r"(\([A-Z]\))", r"answer[:\s]*\(?([a-dA-D])\)?", r"(?i)yes|no", r"(?i)(answer is|answer:)\s*\(?(?P<letter>[a-z])\)?", r"\w+", r"\W+", r"\s+", r"\S+", r"\d+", r"\D+",
    r"\bno\b", r"\b\w", r"\B\w", r"[\w]+", r"[^\w]+", r"[\W]+", r"[\s]", r"[^\s]+", r"[\d\-]+", r"[]a]+", r"[^]a]+", r"[[{]", r"[a\]b]+", r"[a-c]+", r"[a^]", r"[\b]", r"[-a]+", r"[a-]",
    r"(a)(b)?", r"(a|b)+", r"(?P<x>\w)(?P=x)", r"(?P<x>\w{2,3})(?P=x)+", r"(\w)\1", r"(.)(.)\2\1", r"(?P<q>a)?b(?(q)a|b)", r"(a)?b(?(1)a|b)", r"a*", r"a*?", r"a{2}", r"a{,2}", r"a{1,}", r"a{}", r"x{a", r"(?:b|a){1,2}",
    r"$", r"^", r"(?m)^\w+", r"(?m)\w+$", r"\Aline", r"two\Z", r"two$", r"two\n\Z", r"(?s)one.*two", r"one.*two", r"(?#none)a+", r"a(?#none)+", r"(?>a+)b", r"(?i:YES)\.", r"(?-i:yes)", r"(?is)L.*O",
    r"\\boxed\{(.*?)\}", r"\\boxed\{((?:[^{}]|\{[^{}]*\})*)\}", r"\$?\d[\d,]*(?:\.\d+)?%?", r"\.\d", r"\x41", r"\u0041", r"\U00000041", r"\101", r"[\101\0]", r"\t", r"\041", r"[\x41-\x43]+", r"(?=(\w\w))", r"(?!a)\w", r"(?<!a)b",
    r"[А-я]+", r"(?u)\w+", r"[à-ý]+", r"(?i)[à-ý]+", r"(?i)ß", r"-?\d+(?:\.\d+)?", r"()", r"|", r"a||b", r"\-\.\,\#\ \&\~\"\'", r"[&&]", r"[a||b]", r"\[invalid\]", r"(((a)(b)))", r"([A-Z]+|)(\n)?",
]
# What Python refuses, and must not be taken for something else here.
WRONG = [r"{3}", r"(", r")", r"a)", r"[a", r"*a", r"a**", r"(?P<x>a)(?P<x>b)", r"(?P=y)", r"\1(a)", r"(?<name>a)", r"\p{L}", r"\z", r"\k", r"(?P<1>a)", r"a(?i)b", r"\8", "\\", r"(?z)a", r"[z-a]", r"a{3,2}", r"(?", r"\q", r"[\q]", r"\x4", r"[\400]", r"(?R)"]


def all_of(pattern, text):
    found = re.findall(pattern, text)
    return [list(f) if isinstance(f, tuple) else [f] for f in found]


import warnings

warnings.simplefilter("ignore")
out = []
for p in PATTERNS:
    out.append({"pattern": p, "found": [all_of(p, t) for t in TEXTS], "rest": [re.sub(p, "", t) for t in TEXTS]})
for p in WRONG:
    try:
        re.compile(p)
    except re.error:
        continue
    raise SystemExit(f"Python takes {p!r}")
print(json.dumps({"texts": TEXTS, "patterns": out, "wrong": WRONG, "escaped": {t: re.escape(t) for t in TEXTS}}, ensure_ascii=False, separators=(",", ":")))
