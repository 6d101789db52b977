"""Makes golden/regex.json: what the reference's regex engine matches, for the constructs that onig.go rewrites.
Run from this directory (tokenizers 0.23.3)."""
import json

from tokenizers import Regex, pre_tokenizers

TEXTS = [
    "", "a", "aaa ab aab b", "Hello, World! 12:30 it's O'Brien's", "foo_bar-baz.qux 0xFFe9", "line one\nline two\r\n\r\nfour\u2028five\x0bsix\x85seven\n",
    "naïve café e\u0301 ﬁ ß ẞ ſ \u212a ǅ", "中文 テスト カタカナ ひらがな 한국어 русский العربية עברית हिन्दी ไทย", "½ ² Ⅷ ٣ 7\u0303 ۵ 𝟗", "[x] {y} (z) ^ $ | \\ - & && ~ ` \" # @",
    "  \t  tabs\u00a0nbsp\u3000wide\u200bzero\ufeff", "🙂👍🏽\u200d♀️ ©®™", "aAbBkKsS\u212a\u017f", "\n", "\n\n", "ab\n", "\x00\x01\x1f\x7f\u0080\u00ad",
    "$100 + €5 = £3 < ¥7 > `x`~", "xyz" * 5, "aeiou bcdfg AEIOU",
]
PATTERNS = [
    r"a++", r"a*+b", r"a?+b", r"a++b", r"[ab]++c|a", r"a{2}+", r"a{1,2}+b", r"a{2}?", r"a{,2}", r"a{2,}?", r"a{1,2}?b", r"(?>a+)b", r"(?:a+)*b", r"x{", r"a{,}", r"a**", r"a+*", r"a+?+",
    r"\bO\b|\b\w", r"\B\w", r"\b", r"\w\b", r"\b\p{L}+\b", r"\h+", r"\H+", r"[\h]+", r"\R", r"\R+", r"\N+", r"\O", r"\s+$", r"^", r"$", r"^\w", r"\w$", r"\A\w", r"\w\z", r"\w\Z", r".+", r"(?m).+", r"(?m:.)\n",
    r"[a-z&&[^aeiou]]+", r"[\p{L}&&[^\p{Lu}]]+", r"[^a-z&&[^aeiou]]+", r"[a-c[x-z]]+", r"[^a-c[x-z]]+", r"[\w&&[^\d_]]+", r"[\p{L}&&\p{Han}]+", r"[^\W\d]+", r"[\W\d]+", r"[\S&&\W]+", r"[a&&b]", r"[a-z&&b-d&&c-e]+",
    r"[^\s\p{L}&&[^\d]]+", r"[\D&&\S]+", r"[[:alpha:]]+", r"[[:^alpha:]]+", r"[[:digit:][:space:]]+", r"[[:punct:]]+", r"[^[:punct:]]+", r"[[:upper:]]+", r"[[:lower:]]+", r"[[:alnum:]_]+", r"[[:xdigit:]]+",
    r"[[:cntrl:]]+", r"[[:graph:]]+", r"[[:print:]]+", r"[[:blank:]]+", r"[[:ascii:]]+", r"[[:word:]]+", r"[[:alpha:]&&[:ascii:]]+",
    r"\p{Han}+", r"\p{Hiragana}+|\p{Katakana}+", r"\p{Hangul}+", r"\p{Cyrillic}+", r"\p{Arabic}+", r"\p{Thai}+", r"\p{Devanagari}+", r"\p{Latin}+", r"\P{Latin}+", r"\p{^Han}+", r"[\p{Han}\p{Hiragana}]+", r"[^\p{Han}\s]+",
    r"[\P{L}]+", r"[\P{Lu}&&\p{L}]+", r"\p{Letter}+", r"\p{Uppercase_Letter}+", r"\p{Lowercase Letter}+", r"\p{alpha}+", r"\p{Alnum}+", r"\p{Punct}+", r"\p{Po}+", r"\p{So}+", r"\p{Sm}+", r"\p{Cf}+", r"\p{Co}", r"\p{N}+", r"\p{No}", r"\p{Common}+", r"\p{Emoji}+",
    r"(?i)hello", r"(?i:k+)", r"(?i:s+)", r"(?i)[a-z]+", r"(?i)[ks]+", r"a(?i)b|c", r"(?i:'s|'t|'re)", r"(?-i)a", r"(?i)a(?-i:B)", r"(?i)\p{Lu}+", r"(?i)o'b", r"(?i)[^a-y]+", r"(?i)[A-Z&&[^K]]+", r"(?i)\p{Han}|Q", r"(?i)é|Ж", r"(?<n>a)b", r"(?'n'a)b", r"(?#note)a(?#more)+", r"(a|b)+", r"(?:a|b)*?b",
    r"(?<=a)b", r"(?<!a)b", r"(?<=\bx)y", r"a(?!b)", r"a(?=b|\s)", r"\x41|\x{42}|\u0062", r"\x{1F642}", r"[\x{1F600}-\x{1F64F}]+", r"\0|\01", r"\t|\e|\a|\v|\f", r"[\b]", r"[\n\r]+", r"[\]\[\-^&]+", r"[a\-z]+", r"[-a]+", r"[a-]+", r"[\w-]+", r"[+--]+",
    r"]+", r"}+", r"\{|\}", r"\-|\&|\~|\#|\ ", r"\"|\'|\/", r"[.$|()*+?{}]+", r"\p{L}[\p{M}]*", r"[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}",
    r"\p{Han}+|[[\p{L}\p{M}]&&[^\p{Han}]]+|\p{N}",
]


def main():
    rows = []
    for p in PATTERNS:
        try:
            # The matches alone, as "removed" drops the gaps. Empty matches leave no piece.
            pre = pre_tokenizers.Split(Regex(p), "removed", invert=True)
        except Exception as e:
            print("not compiled:", p, str(e)[:60])
            continue
        rows.append({"pattern": p, "matches": [[list(span) for _, span in pre.pre_tokenize_str(t)] for t in TEXTS]})
    with open("golden/regex.json", "w") as f:
        f.write('{"texts": ' + json.dumps(TEXTS) + ', "cases": [\n' + ",\n".join(json.dumps(r, separators=(",", ":")) for r in rows) + "\n]}\n")
    print(len(rows))


main()
