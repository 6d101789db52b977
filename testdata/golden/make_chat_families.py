"""Writes tasks/chat/testdata/families.json: hashes of the prompts that transformers makes with the
chat templates of real families, which are not kept here.

    python make_chat_families.py DIR > ../../tasks/chat/testdata/families.json

DIR holds NAME.jinja files. Those of the file that is kept are of the repositories chujiezheng/chat_templates
and EricLBuehler/mistral.rs, but for a few; more are in models/templates of ggml-org/llama.cpp.
Needs transformers (see requirements.txt). strftime_now is taken away, as a prompt must not depend on
the day; a template that needs it is noted as refused.
"""
import hashlib, json, pathlib, sys

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


def main():
    out = []
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.jinja")):
        source = path.read_bytes().decode()
        cases = []
        for messages, generation in CHATS:
            try:
                cases.append(hashlib.sha256(render(source, messages, generation).encode()).hexdigest())
            except Exception as e:
                print(path.name, type(e).__name__, str(e)[:100], file=sys.stderr)
                cases.append(None)
        out.append({"name": path.stem, "template_sha256": hashlib.sha256(source.encode()).hexdigest(), "prompts": cases})
    json.dump({"bos_token": BOS, "eos_token": EOS, "chats": [{"messages": m, "generation": g} for m, g in CHATS], "templates": out}, sys.stdout, indent=1, ensure_ascii=False)
    print()


main()
