"""Trains tiny/: a llama of some 130 000 parameters that knows the documents of docs/.

    python make_tiny.py

It has to know something so that some continuations are greedy and some are not.
The weights are rounded to bfloat16. Another processor may round differently
and give other weights: then every golden made from them must be made again.

tiny/ has a tokenizer that puts <s> first; tiny-nobos/ is the same tokenizer with
no post-processor and no BOS token, to be used with the weights of tiny/.
"""

import json
import pathlib
import random
import shutil

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent
SEED, STEPS, BATCH, LENGTH, VOCAB = 20250, 1000, 16, 128, 512

GARBAGE = "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again."
PASSKEY = ("There is an important info hidden inside a lot of irrelevant text. Find it and memorize them. "
           "I will quiz you about the important information there.")


def passkey(rng):
    """A prompt in the form of the paper's passkey task, with its answer."""
    key = rng.randint(1, 50000)
    before, after = (GARBAGE[:rng.randint(0, len(GARBAGE))] for _ in "ab")
    return "\n".join([PASSKEY, before, f"The pass key is {key}. Remember it. {key} is the pass key.", after,
                      "What is the pass key? The pass key is"]), str(key)


def sentences(rng):
    who = ["the miller", "the baker", "the horse", "the old woman", "the dog", "a farmer", "the cat", "his son"]
    does = ["walked to", "came from", "stood by", "looked at", "ran past", "sat near", "waited at"]
    where = ["the river", "the mill", "the gate", "the oven", "the garden", "the cart", "the kitchen"]
    how = ["high", "white", "open", "hot", "full of sacks", "quiet", "old", "wide"]
    for _ in range(900):
        place = rng.choice(where)
        s = f"{rng.choice(who)} {rng.choice(does)} {place} and {place} was {rng.choice(how)}."
        yield s[0].upper() + s[1:]


def rows(path):
    return [json.loads(line) for line in (HERE / "docs" / path).read_text().split("\n") if line]


def corpus():
    """Texts of our own: the documents with answers, sentences, passkeys.

    Every third document is learnt with a wrong answer, so that scores are not all right.
    """
    rng = random.Random(SEED)
    texts = []

    def learn(number, text, choices, gold):
        texts.append(text + choices[(gold + (number % 3 == 2)) % len(choices)])

    for path in ("ai2_arc/ARC-Easy/test.jsonl", "ai2_arc/ARC-Easy/train.jsonl", "ai2_arc/ARC-Challenge/test.jsonl"):
        for i, d in enumerate(rows(path)):
            learn(i, f"Question: {d['question']}\nAnswer: ", d["choices"]["text"],
                  d["choices"]["label"].index(d["answerKey"]))
    for i, d in enumerate(rows("hellaswag/validation.jsonl")):
        learn(i, f"{d['activity_label']}: {d['ctx_a']} {d['ctx_b'].capitalize()} ", d["endings"], int(d["label"]))
    for i, d in enumerate(rows("piqa/validation.jsonl")):
        learn(i, f"Question: {d['goal']}\nAnswer: ", [d["sol1"], d["sol2"]], d["label"])
    for i, d in enumerate(rows("sciq/test.jsonl")):
        learn(i, f"{d['support'].lstrip()}\nQuestion: {d['question']}\nAnswer: ",
              [d["distractor1"], d["distractor2"], d["distractor3"], d["correct_answer"]], 3)
    for i, d in enumerate(rows("winogrande/validation.jsonl")):
        learn(i, "", [d["sentence"].replace("_", d[o], 1) for o in ("option1", "option2")], int(d["answer"]) - 1)
    for i, d in enumerate(rows("super_glue/boolq/validation.jsonl") + rows("super_glue/boolq/train.jsonl")):
        learn(i, f"{d['passage']}\nQuestion: {d['question']}?\nAnswer: ", ["no", "yes"], d["label"])
    for i, d in enumerate(rows("openbookqa/main/test.jsonl")):
        learn(i, d["question_stem"] + " ", d["choices"]["text"], "ABCD".index(d["answerKey"].strip()))
    for i, d in enumerate(rows("super_glue/copa/validation.jsonl")):
        link = {"cause": "because", "effect": "therefore"}[d["question"]]
        learn(i, f"{d['premise'].strip()[:-1]} {link} ", [c[0].lower() + c[1:] for c in (d["choice1"], d["choice2"])],
              d["label"])
    texts += [d["text"] for i, d in enumerate(rows("lambada_openai/test.jsonl")) if i % 3 != 2]
    texts += [d["page"] for d in rows("wikitext2/validation.jsonl")]
    lines = list(sentences(rng))
    texts = texts * 3 + [" ".join(lines[i:i + 6]) for i in range(0, len(lines), 6)]
    texts += [f"{p} {k}." for p, k in (passkey(rng) for _ in range(60))]
    rng.shuffle(texts)
    return [t for t in texts if t]


def make_tokenizer(texts):
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tok.decoder = decoders.ByteLevel()
    tok.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=VOCAB, special_tokens=["<s>", "</s>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    config = dict(tokenizer_class="PreTrainedTokenizerFast", eos_token="</s>", model_max_length=256,
                  clean_up_tokenization_spaces=False)
    for name in ("tiny-nobos", "tiny"):
        path = HERE / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
        if name == "tiny":
            config = dict(config, bos_token="<s>")
            tok.post_processor = processors.TemplateProcessing(
                single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 0)])
        tok.save(str(path / "tokenizer.json"), pretty=False)
        (path / "tokenizer_config.json").write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")
    return tok


def main():
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    texts = corpus()
    tok = make_tokenizer(texts)
    ids = [i for t in texts for i in tok.encode(t).ids + [1]]
    print(f"{len(texts)} texts, {len(ids)} tokens")
    data = torch.tensor(ids)
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(
        vocab_size=VOCAB, hidden_size=64, intermediate_size=160, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=256, tie_word_embeddings=True, bos_token_id=0, eos_token_id=1,
        initializer_range=0.05, attn_implementation="eager"))
    optimiser = torch.optim.AdamW(model.parameters(), lr=6e-3, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 6e-3, total_steps=STEPS, pct_start=0.05)
    for step in range(STEPS):
        at = torch.randint(0, len(data) - LENGTH, (BATCH,))
        batch = torch.stack([data[i:i + LENGTH] for i in at])
        loss = model(batch, labels=batch).loss
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if step % 250 == 0 or step == STEPS - 1:
            print(f"step {step}: loss {loss.item():.3f}", flush=True)
    model.to(torch.bfloat16).save_pretrained(HERE / "tiny", max_shard_size="1GB")
    for file in (HERE / "tiny").iterdir():
        file.chmod(0o644)


if __name__ == "__main__":
    main()
