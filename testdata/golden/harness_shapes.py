"""Made-up values by rules that the Go tests have too (tasks/harness/harnesstest): a shape and a seed give a value.

Shapes: s text, w one word, i 0 to 3, k a letter A to D, c a digit 1 to 4, f a number with a fraction, b true or false,
t 0 or 1, u 0 to 2, o text or null, n null, kk the letter of the place in a list,
_s text with a blank in it, [shape*4] a list, {name:shape,...} an object.
"""
import hashlib

WORDS = [
    "Mina's boat", 'the "red" door', "été", "北京 road", " padded ", "two\nlines", "tab\tstop", "A", "3", "10%",
    "back\\slash", "smile 🙂", "[SEP]", "“quoted”", "no\u00a0break", "question: why", "x_y", "end.", "it's a \"test\"", "İstanbul",
    "straße", "{{braces}}", "[[1, 2]]", "None", "lake", "seven ducks", "ship", "a b", "old mill", "grain",
]


def number(seed, below):
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:6], "big") % below


def text(seed):
    return " ".join(WORDS[number(f"{seed}/{i}", len(WORDS))] for i in range(1 + number(seed + "/n", 3)))


def split(s):
    out, depth, part = [], 0, ""
    for c in s:
        depth += c in "[{"
        depth -= c in "]}"
        if c == "," and depth == 0:
            out.append(part)
            part = ""
        else:
            part += c
    return out + [part] if part else out


def value(shape, seed):
    c = shape[0]
    if shape == "kk":
        return "ABCDEFGH"[int(seed.rsplit("/", 1)[1]) % 8]
    if shape == "_s":
        return text(seed) + " _ " + text(seed + "/_")
    if c == "s":
        return text(seed)
    if c == "w":
        return ["lake", "ship", "grain", "mill", "ducks"][number(seed, 5)]
    if c == "i":
        return number(seed, 4)
    if c == "k":
        return "ABCD"[number(seed, 4)]
    if c in "tu":
        return number(seed, 2 if c == "t" else 3)
    if c == "c":
        return "1234"[number(seed, 4)]
    if c == "f":
        return number(seed, 1000) / 8 - 20
    if c == "b":
        return number(seed, 2) == 1
    if c == "o":
        return None if number(seed, 3) == 0 else text(seed + "/o")
    if c == "n":
        return None
    if c == "[":
        inner, times = shape[1:-1].rsplit("*", 1)
        return [value(inner, f"{seed}/{i}") for i in range(int(times))]
    if c == "{":
        out = {}
        for part in split(shape[1:-1]):
            name, s = part.split(":", 1)
            out[name] = value(s, f"{seed}/{name}")
        return out
    raise ValueError(shape)
