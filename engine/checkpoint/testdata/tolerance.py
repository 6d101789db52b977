"""Which odd checkpoints transformers loads with the weights that were meant.

Makes a tiny LLaMA, changes its files one way at a time, loads each with
transformers and compares the logits with the unchanged model's. What it prints is
what TestTolerated and TestRefusedWeights hold softbench to. transformers 5.24:

    python tolerance.py
"""
import copy, json, os, shutil, sys, tempfile, warnings
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM
from transformers.utils import logging
logging.set_verbosity_error()
warnings.filterwarnings("ignore")

def base(tie):
    torch.manual_seed(0)
    c = LlamaConfig(vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, tie_word_embeddings=tie)
    d = tempfile.mkdtemp()
    LlamaForCausalLM(c).save_pretrained(d)
    return d

ids = torch.arange(12).reshape(1, 12)
def logits(d):
    m = AutoModelForCausalLM.from_pretrained(d, dtype=torch.float32).eval()
    with torch.no_grad():
        return m(ids).logits

def shards(d, t, index, files):
    for f, names in files.items():
        save_file({n: t[n].clone() for n in names}, os.path.join(d, f), {"format": "pt"})
    os.remove(os.path.join(d, "model.safetensors"))
    json.dump({"metadata": {}, "weight_map": index}, open(os.path.join(d, "model.safetensors.index.json"), "w"))

E, H = "model.embed_tokens.weight", "lm_head.weight"
def split(t):
    n = sorted(t); return n[: len(n) // 2], n[len(n) // 2 :]
def index(change):
    def f(d, t, c):
        a, b = split(t)
        m = {**{n: "a.safetensors" for n in a}, **{n: "b.safetensors" for n in b}}
        files = {"a.safetensors": a, "b.safetensors": b}
        change(m, files, t)
        shards(d, t, m, files)
    return f
def ren(p):
    def f(d, t, c):
        for n in list(t): t[p + n] = t.pop(n)
        save(d, t)
    return f
def save(d, t): save_file({k: v.clone().contiguous() for k, v in t.items()}, os.path.join(d, "model.safetensors"), {"format": "pt"})
def upd(fn):
    def f(d, t, c): fn(t); save(d, t)
    return f
def cfg(**kw):
    def f(d, t, c): c.update(kw); json.dump(c, open(os.path.join(d, "config.json"), "w"))
    return f
R = torch.randn
# Other types: the numbers are what a cast to float32 makes of them.
CASTS = [torch.int8, torch.uint8, torch.int16, torch.uint16, torch.int32, torch.uint32, torch.int64, torch.uint64, torch.bool, torch.float64,
         torch.float8_e4m3fn, torch.float8_e5m2, torch.float8_e4m3fnuz, torch.float8_e5m2fnuz, torch.float8_e8m0fnu]
def cast(name, dtype):
    def f(d, t, c):
        t[name] = (R(t[name].shape) * 3).abs().round().clamp(1).to(dtype)
        save(d, t)
    return f
cases = [
    ("tied: only lm_head stored", True, upd(lambda t: t.__setitem__(H, t.pop(E)))),
    ("tied: lm_head stored too", True, upd(lambda t: t.__setitem__(H, t[E]))),
    ("tied: embedding bf16, lm_head equal in F32", True, upd(lambda t: t.update({E: t[E].bfloat16(), H: t[E].bfloat16().float()}))),
    ("tied: lm_head differs", True, upd(lambda t: t.__setitem__(H, R(64, 32)))),
    ("cos_cached", False, upd(lambda t: t.update({"model.layers.0.self_attn.rotary_emb.cos_cached": R(4, 8)}))),
    ("original_inv_freq", False, upd(lambda t: t.update({"model.rotary_emb.original_inv_freq": R(4)}))),
    ("position_ids", False, upd(lambda t: t.update({"model.position_ids": torch.arange(8)}))),
    ("masked_bias", False, upd(lambda t: t.update({"model.layers.0.self_attn.masked_bias": R(1)}))),
    ("mtp", False, upd(lambda t: t.update({"mtp.layers.0.weight": R(4)}))),
    ("regression_layer.weight", False, upd(lambda t: t.update({"regression_layer.weight": R(1, 32)}))),
    ("pad id one past the vocabulary", False, cfg(pad_token_id=64)),  # 5.24 stops here, others load
    ("v_head.*", False, upd(lambda t: t.update({"v_head.summary.weight": R(1, 32), "v_head.summary.bias": R(1)}))),
    ("score.weight", False, upd(lambda t: t.update({"score.weight": R(2, 32)}))),
    ("inv_freq buffers", False, upd(lambda t: t.update({"model.layers.0.self_attn.rotary_emb.inv_freq": R(4)}))),
    ("stray bias", False, upd(lambda t: t.update({"model.layers.0.self_attn.q_proj.bias": R(32)}))),
    ("stray q_norm", False, upd(lambda t: t.update({"model.layers.0.self_attn.q_norm.weight": R(8)}))),
    ("one layer more in the file", False, upd(lambda t: t.update({k.replace(".1.", ".2."): v for k, v in t.items() if ".layers.1." in k}))),
    ("one layer fewer in the file", False, upd(lambda t: [t.pop(k) for k in list(t) if ".layers.1." in k])),
    ("body alone, tied", True, upd(lambda t: [t.__setitem__(k[6:], t.pop(k)) for k in list(t)])),
    ("body alone, untied", False, upd(lambda t: [t.pop(H)] + [t.__setitem__(k[6:], t.pop(k)) for k in list(t)])),
    ("prefix _orig_mod.", False, ren("_orig_mod.")),
    ("prefix module.", False, ren("module.")),
    ("sliding_window in a llama", False, cfg(sliding_window=4)),
    ("index names a tied head", True, index(lambda m, f, t: m.__setitem__(H, "a.safetensors"))),
    ("index omits a tensor", False, index(lambda m, f, t: m.pop("model.norm.weight"))),
    ("index names another shard", False, index(lambda m, f, t: m.__setitem__("model.norm.weight", "a.safetensors"))),
    ("tensor in two shards", False, index(lambda m, f, t: f["a.safetensors"].append("model.norm.weight"))),
]
cases += [(f"cast {dtype} {n}", False, cast(n, dtype)) for dtype in CASTS for n in ("model.layers.0.input_layernorm.weight", "model.layers.0.mlp.up_proj.weight", E)]
for name, tie, change in cases:
    d = base(tie)
    t = load_file(os.path.join(d, "model.safetensors"))
    want = logits(d)
    if "bf16" in name or "cast" in name: want = None
    change(d, t, json.load(open(os.path.join(d, "config.json"))))
    try:
        got = logits(d)
        if want is None:
            t2 = load_file(os.path.join(d, "model.safetensors"))
            if "cast" in name: t2 = {k: v.float() for k, v in t2.items()}
            else: t2.pop(H)
            save(d, t2)
            want = logits(d)
        print(f"{name}: {'the same' if torch.equal(got, want) else 'OTHER logits'}")
    except Exception as e:
        print(f"{name}: {type(e).__name__}: {str(e)[:100]!r}")
    shutil.rmtree(d)
