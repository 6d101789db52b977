"""Texts of our own: what the small tokenizers are trained on, and the strings they are tried on."""

TRAIN = [
    "The lamp stood by the window, and the window looked out on the harbour where seven boats lay still.",
    "She counted the boats twice: 7 in the morning, 12 by noon, 105 when the fair came, 2024 in the old ledger.",
    "He'll say it's nothing; they've heard that before. We're sure you'd agree, I'm told, and don't we all?",
    "HE'LL SAY IT'S NOTHING; THEY'VE HEARD THAT BEFORE. WE'RE SURE YOU'D AGREE, I'M TOLD.",
    "    if (count > 10) {\n        count = count - 1;\n\t\treturn count;\n    }\n\n\n",
    "def harbour(boats):\n    for boat in boats:\n        print(boat.name, boat.length * 2.5)\n    return None\n",
    "Straße, Größe, über, façade, naïve, coöperate, Ångström, señor, œuvre, ﬁne ﬂow, ½ of ² and ①②③.",
    "Старый маяк стоял у моря, и море было спокойно. Сколько лодок? Двенадцать.",
    "灯塔站在海边，海很平静。有多少条船？十二条船。東京の港には船が多い。서울의 항구에는 배가 많다.",
    "المنارة القديمة قرب البحر والبحر هادئ. המגדלור הישן עמד ליד הים.",
    "पुराना प्रकाशस्तंभ समुद्र के पास खड़ा था। ประภาคารเก่าตั้งอยู่ริมทะเล",
    "Smile 🙂, wave 👋🏽, family 👨‍👩‍👧‍👦, flag 🇳🇱, heart ❤️, keycap 3️⃣, and a dance 💃🏻💃🏿.",
    "http://example.org/path?query=1&other=two#part and mail to someone@example.org, 50% off!",
    "aaaa aaaaa aaaaaaaa bababababa abababab zzzz zzzzz ==== ======== ---- -------- ________ ........",
    "\u0301 e\u0301 o\u0308 n\u0303 a\u0323\u0302 q\u0307\u0323 Z\u0351\u036b\u0343\u036a\u0302",
]

HARD = [
    # Nothing, blanks, runs of blanks.
    "", " ", "  ", "   ", "    ", "     ", "        ", "\t", "\t\t", "\n", "\n\n", "\n\n\n", "\r", "\r\n",
    "\r\n\r\n", " \n", "\n ", " \n ", "  \n  ", "\t \n \t", " \t ", "\u00a0", "\u00a0\u00a0", " \u00a0 ", "\u3000",
    "\u2003\u2009x", "\u1680", "\u2028", "\u2029a", "\u0085", "\u000b", "\u000c", "\u200b", "\ufeff", "\u2060",
    "a ", " a", " a ", "  a", "a  ", "a  b", "a   b", "a    b", "a\tb", "a\t\tb", "a \tb", "a\t b", "a\nb",
    "a\n\nb", "a\n b", "a \nb", "a\r\nb", "a\r\n\r\nb", "a \n\n b", "\n\na", "\r\na", "a\n", "a\r", "a\u00a0b",
    "a\u2028b", "a \u2003b", "a\u200bb", "trailing spaces   ", "   leading spaces", "tabs\t\t\tinside\tit",
    "line one\nline two\n\nline four\n\n\n\nline eight\n", "mixed \t\r\n \n\t whitespace \r end",
    " " * 17, " " * 24 + "x", " " * 25 + "x", " " * 100, "\n" * 50, "\t" * 33, " \n" * 20, "x" + " " * 31 + "y",
    # Contractions.
    "it's", "It'S", "IT'S", "we'll", "WE'LL", "we'Ll", "I'm", "I'M", "you've", "you'VE", "they're", "they'd", "can't",
    "CAN'T", "o'clock", "'s", "'S", "'", "''", "'''", "'sx", "'lx", "'l", "'v", "'r", "'re", "'llama", "x'", " 's", "a 's b",
    "it\u2019s", "'\u017f", "it'\u017f", "'\u017fx", "'ſt", "rock'n'roll", "'tis", "'Twas", "'d'd'd", "5's", "don''t",
    # Digits and numbers.
    "0", "1", "12", "123", "1234", "12345", "123456", "1234567890123", "3.14159", "1,000,000", "1e-10", "0x1F", "٣٤٥",
    "१२३४", "½", "1½", "²", "x²", "①②③④", "Ⅷ", "１２３４", "a1b2c3", "1a2b", "v1.2.3", "2024-01-02", "12:34:56",
    "007", "-42", "+1 (555) 010-9999", "50%", "€12.50", "12 345 678", "1\u00a0234", "𝟙𝟚𝟛𝟜", "൧൨൩", "〇一二三",
    # Punctuation and symbols.
    ".", "..", "...", "…", "!", "?!", "!!!", "a.b", "a,b", "a, b", "(a)", "[a]", "{a}", "<a>", "\"a\"", "“a”", "«a»", "--", "—",
    "a-b", "a--b", "a/b", "a\\b", "a_b", "__init__", "a@b.c", "#tag", "$5", "^", "~", "`code`", "```\ncode\n```", "=>", "!=",
    "a|b", "&amp;", "*bold*", "§ 5", "© ® ™", "± × ÷ ≠ ≤ ≥ ∞", "∑∫√∂", "← → ↑ ↓", "♠♥♦♣", "α+β=γ", "№ 7", "!\n", "!\n\n", "! \n",
    ".\r\n", "...\n\n\n", "?!/\n", "//\n", "/", "//", "http://example.org/a?b=c&d=e#f", "someone@example.org",
    # Scripts.
    "Straße", "STRASSE", "Größe über Ärger", "naïve façade coöperate", "Ångström", "İstanbul", "ıi", "ŒUVRE œuvre", "Ǆ ǅ ǆ",
    "ΑΒΓ αβγ ς σ", "Ὀδυσσεύς", "Привет, мир!", "Ёлка ёлка", "Ґґ Її", "გამარჯობა", "Հայերեն", "ᏣᎳᎩ ꭰꭱ",
    "你好，世界！", "中文和English混合", "東京タワー", "ひらがなカタカナ", "ﾊﾝｶｸ", "한국어 텍스트", "각", "ㄱㄴㄷ", "𠀀𠀁𠮷", "々〆〇",
    "سلام دنیا", "مرحبا بالعالم", "שלום עולם", "שָׁלוֹם", "الـسـلام", "\u202bRTL\u202c text", "\u200fעברית\u200e", "नमस्ते दुनिया",
    "क्षत्रिय", "தமிழ் மொழி", "বাংলা", "ภาษาไทย", "ລາວ", "မြန်မာ", "ខ្មែរ", "བོད་ཡིག", "ᠮᠣᠩᠭᠣᠯ", "አማርኛ", "ߒߞߏ", "𐍈𐌰", "𓀀𓁐", "𞤀𞤣",
    "ᚠᚢᚦ", "Tiếng Việt", "ǆungla", "ﬁ ﬂ ﬀ ﬃ ﬄ ﬅ ﬆ", "Ａｂｃ", "ℌ𝔢𝔩𝔩𝔬", "𝓈𝒸𝓇𝒾𝓅𝓉", "Ⓗⓔⓛⓛⓞ", "㈱ ㍻ ㎏", "ʰʷ ₂", "ª º µ", "K Å Ω",
    # Combining marks, composed and not, in and out of order, very many.
    "é", "e\u0301", "é e\u0301", "a\u0323\u0302", "a\u0302\u0323", "ậ", "\u0301", "\u0301a", " \u0301", "e\u0301\u0301\u0301",
    "q\u0307\u0323", "q\u0323\u0307", "가", "가\u11a8", "\u1100\u1161\u11a8", "\u0344", "\u0958", "क\u093c", "\u212b\u2126",
    "\u1e9b\u0323", "\u0f73\u0f75", "\u0b47\u0b56", "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319", "a" + "\u0301" * 40,
    "a" + "\u0323\u0301" * 20, "\u0340\u0341\u0343", "\u2000\u2001", "\u0374", "\u037e", "\u0387", "\u2adc", "\U0001d15e", "\ufb1d\ufb2c",
    # Characters the reference's normalizer is too old for, or its regex engine knows and others do not.
    "\u07fd\u0315", "a\u0315\u07fd", "a\u0898\u0301", "\U00011935\U00011930", "\U00011938", "\u32ff", "\U00010781", "\U0001fbf0\U0001fbf9",
    "\u1c89\u1c8a", "\ua7cb", "\U000105c0\U000105c1", "\U00010d40\U00010d41", "\U0002ebf0", "\u2427\u2ffc", "\U00016d40",
    # Emoji.
    "🙂", "🙂🙂", "a🙂b", "👋🏽", "👨‍👩‍👧‍👦", "👩🏽‍💻", "🏳️‍🌈", "🇳🇱🇧🇪", "🇳", "❤️", "❤", "3️⃣", "#️⃣", "☎️", "💃🏻💃🏿", "🧑‍🚀 to the 🌕!", "🫠🫡", "🪿", "😀" * 12,
    "\u200d", "\ufe0f", "a\u200db", "🙂\n🙂", " 🙂 ", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    # Controls and odd code points.
    "\x00", "a\x00b", "\x01\x02\x03", "\x1b[31mred\x1b[0m", "\x7f", "\x80\x9f", "\x08\x0e\x1f", "\u00ad", "soft\u00adhyphen", "\ufffd", "\ufffe", "\uffff",
    "\U0010ffff", "\ue000", "\U000f0000", "\u034f", "\u061c", "\u180e", "\u2066x\u2069", "\ufdd0",
    # What looks like tokens of the vocabularies.
    "▁", "▁▁", "▁a", "a▁b", " ▁ ", "▁ ▁", "Ġ", "Ġthe", "Ċ", "ĠĠ", "Ã©", "<0x41>", "<0x0A>", "<0xZZ>", "<0x", "##ing", "</w>", "⁇", " ⁇ ",
    "<unk>", "<s>", "</s>", "<s>a</s>", "<s> a </s>", "a<s>b", "a <s> b", "<s><s>", "<pad>", "[PAD]", "[UNK]", "[CLS] a [SEP]",
    "<|endoftext|>", "a<|endoftext|>b", " <|endoftext|> ", "<|endoftext|><|endoftext|>", "<|endoftext|", "<|im_start|>user\nhi<|im_end|>\n",
    "<|begin_of_text|>hello", "<|begin_of_text|> hello", "<|endoftext|>\n", "\n<|endoftext|>", "<S>", "< s >", "</S>", "<|ENDOFTEXT|>",
    "[INST] hi [/INST]", "<left>", "a  <left>  b", "<right>", "a  <right>  b", "a  <both>  b", "<both><both>", " <both> <both> ",
    "<right> <left>", "<right>  <both>  <left>", "word", "a word b", "awordb", "a wordb", "aword b", "word.", "word_", "_word", "word\u0301", "é word",
    "wordword", "word word", "wordy word sword", "\u200dword", "Naïve", "naïve", "nai\u0308ve", "NAÏVE", "a naïve b", "ﬁx", "fix", "<both>\n\n<left>",
    "\t<left>", "<right>\n", "\u3000<both>\u3000", "\u200b<both>\u200b", "AddedLong", "AddedLonger", "Added", "AddedLon", "  Added  Long", "<user>x<user>",
    "a <user> b", "<sep/>", "x<sep/>y", "  three  spaces  ",
    # Words and sentences.
    "a", "A", "ab", "the", " the", "The", " The", "THE", "the the", "hello", " hello", "Hello", "hello world", "Hello, world!", "Hello  world",
    "unbelievable", "antidisestablishmentarianism", "camelCaseWord", "snake_case_word", "kebab-case-word", "SHOUTING", "MiXeD CaSe", "iPhone12Pro",
    "The quick brown fox jumps over the lazy dog.", "the lamp by the window", "seven boats lay still", "boat.length * 2.5", "return count;",
    "def f(x):\n    return x + 1\n", "if (a && b) {\n\tc();\n}\n", "{\"key\": [1, 2.5, null, true]}", "<html><body>Hi</body></html>", "SELECT * FROM t WHERE a = 'b';",
    "\\frac{a}{b}", "a=b;c=d", "x\t=\t1", "Question: Why?\nAnswer:", " = Title = \n", " @-@ ", "Mr. O'Neil's \"book\"", "e.g., i.e., etc.",
    "aaaa", "aaaaa", "aaaaaaa", "ababababa", "bababab", "zzzzzz", "=======", "-----", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "x" * 300, "ab" * 150, "the" * 100, "中" * 60, "é" * 60, "🙂" * 50, "." * 130, "word " * 80, "A1b2-" * 40,
]

# Bytes that are not UTF-8; Python reads them with errors="replace".
INVALID = [
    "80", "bf", "c0", "c1", "c0af", "c3", "c328", "61c3", "c361", "e2", "e282", "e28261", "61e282", "e2e2", "e08080", "eda080", "edb080",
    "f0", "f09f", "f09f99", "f09f9961", "f09f9982", "f0808080", "f4908080", "f5808080", "f880808080", "fe", "ff", "fffe", "feff", "6180ff62",
    "e4bda0e5a5", "e4bda0ffe5a5bd", "20ff20", "ffffffff", "c3a9c3", "61cc", "cc8161cc", "f09f91a8e2808d", "ed9fbf", "ee8080", "efbfbe", "0a80 0a".replace(" ", ""),
]

# (text, times): long inputs, kept as a hash.
LONG = [
    ["a", 5000], [" ", 3000], ["\n", 3000], ["ab", 4000], ["the lamp by the window. ", 400], ["中文", 1500], ["🙂", 1200], ["e\u0301", 1500],
    ["x1", 2000], ["'s", 1500], ["\r\n", 1200], ["\u3000", 1000], ["▁", 1000], ["<s>", 300], ["abcdefghijklmnopqrstuvwxyz0123456789", 200], ["\x00", 500],
]
