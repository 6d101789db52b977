"""Writes tasks/chat/testdata/families.json: hashes of the prompts that transformers makes with the
chat templates of real families, which are not kept here.

    python make_chat_families.py DIR [TOKENIZERS [KEPT]] > families.json

DIR holds NAME.jinja files. Those of the file that is kept are of the repositories chujiezheng/chat_templates
and EricLBuehler/mistral.rs, but for a few, and of models/templates of ggml-org/llama.cpp. TOKENIZERS holds directories
with tokenizers, by which the prompts are made ids; what KEPT has of templates that DIR lacks is kept.
Needs transformers (see requirements.txt). strftime_now is taken away, as a prompt must not depend on
the day; a template that needs it is noted as refused.
"""
import hashlib, json, pathlib, sys

from transformers import AutoTokenizer
from transformers.utils import chat_template_utils as t

BOS, EOS = "<s>", "</s>"
ASKED, TURN = {"role": "user", "content": " What is 2 + 2?\nSay it. "}, [
    {"role": "user", "content": "What is 1 + 1?"}, {"role": "assistant", "content": "It is 2."}]
SYSTEM = {"role": "system", "content": "Be brief; ünïcode <b> & 'quotes'."}
BEGUN = {"role": "assistant", "content": "It is"}
CHATS = [
    ([ASKED], True), ([SYSTEM, ASKED], True), (TURN + [ASKED], True), ([SYSTEM] + TURN + TURN + [ASKED], True),
    ([ASKED, BEGUN], False), ([SYSTEM] + TURN + [ASKED, BEGUN], False),
]


def render(source, messages, generation):
    compiled = t._compile_jinja_template(source)
    compiled.globals.pop("strftime_now", None)
    compiled.environment.globals.pop("strftime_now", None)
    messages = [dict(m) for m in messages]
    tag = "CONTINUE_FINAL_MESSAGE_TAG "
    if not generation:
        messages[-1]["content"] += tag
    text = compiled.render(messages=messages, tools=None, documents=None, add_generation_prompt=generation, bos_token=BOS, eos_token=EOS)
    if not generation:
        at = text.rindex(tag.strip())
        text = text[:at] if text[at:at + len(tag)] == tag else text[:at].rstrip()
    return text


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def ids(tokenizer, prompts):
    """One hash of the ids of all prompts, as apply_chat_template makes them: a line each."""
    lines = ["-" if p is None else " ".join(map(str, tokenizer(p, add_special_tokens=False)["input_ids"])) for p in prompts]
    return sha256("\n".join(lines))


def main():
    directory, tokenizers, kept = (sys.argv[1:] + [None, None])[:3]
    tokenizers = {p.name: AutoTokenizer.from_pretrained(p) for p in sorted(pathlib.Path(tokenizers).iterdir())} if tokenizers else {}
    out = {c["name"]: c for c in json.loads(pathlib.Path(kept).read_text())["templates"]} if kept else {}
    for path in sorted(pathlib.Path(directory).glob("*.jinja")):
        source = path.read_bytes().decode()
        prompts = []
        for messages, generation in CHATS:
            try:
                prompts.append(render(source, messages, generation))
            except Exception as e:
                print(path.name, type(e).__name__, str(e)[:100], file=sys.stderr)
                prompts.append(None)
        out[path.stem] = {"name": path.stem, "template_sha256": sha256(source), "prompts": [p and sha256(p) for p in prompts],
                          "ids": {n: ids(k, prompts) for n, k in tokenizers.items()}}
    json.dump({"bos_token": BOS, "eos_token": EOS, "chats": [{"messages": m, "generation": g} for m, g in CHATS],
               "templates": sorted(out.values(), key=lambda c: c["name"])}, sys.stdout, indent=1, ensure_ascii=False)
    print()


main()
