"""The models of make_families.py: name -> config.json and how its numbers are drawn."""

SIZES = dict(hidden_size=32, intermediate_size=44, num_hidden_layers=3, num_attention_heads=4, vocab_size=101,
             max_position_embeddings=128, bos_token_id=1, eos_token_id=2)
GQA = dict(SIZES, num_key_value_heads=2)

FAMILIES = {
    "gpt2": dict(transposed=True, embed=0.4, config=dict(
        model_type="gpt2", n_embd=32, n_layer=3, n_head=4, n_positions=128, vocab_size=101, bos_token_id=1, eos_token_id=2)),
    "gpt2-scaled": dict(transposed=True, embed=0.4, config=dict(
        model_type="gpt2", n_embd=32, n_layer=3, n_head=4, n_positions=128, n_inner=40, vocab_size=101, bos_token_id=1, eos_token_id=2,
        scale_attn_by_inverse_layer_idx=True, activation_function="relu", tie_word_embeddings=False)),
    "gpt_neox": dict(config=dict(SIZES, model_type="gpt_neox", rotary_pct=0.25, hidden_size=64)),
    "gpt_neox-serial": dict(config=dict(SIZES, model_type="gpt_neox", rotary_pct=0.5, hidden_size=64, use_parallel_residual=False,
                                        attention_bias=False, hidden_act="gelu_new", rotary_emb_base=5000)),
    "olmo2": dict(config=dict(GQA, model_type="olmo2", rope_theta=500000.0)),
    "gemma": dict(norm_centre=0.0, embed=0.18, config=dict(GQA, model_type="gemma", head_dim=16)),
    "gemma2": dict(norm_centre=0.0, embed=0.18, config=dict(
        GQA, model_type="gemma2", head_dim=16, sliding_window=12, query_pre_attn_scalar=24, attn_logit_softcapping=3.0,
        final_logit_softcapping=6.0, num_hidden_layers=4)),
    "qwen2-mixed": dict(config=dict(GQA, model_type="qwen2", use_sliding_window=True, sliding_window=10, max_window_layers=1)),
    "qwen3-mixed": dict(config=dict(GQA, model_type="qwen3", head_dim=16, use_sliding_window=True, sliding_window=10,
                                    layer_types=["sliding_attention", "full_attention", "sliding_attention"])),
}

WINDOW = dict(sliding_window=12)

FAMILIES |= {
    "opt": dict(embed=0.4, config=dict(
        model_type="opt", hidden_size=32, ffn_dim=44, num_hidden_layers=3, num_attention_heads=4, vocab_size=101,
        max_position_embeddings=128, word_embed_proj_dim=32, bos_token_id=2, eos_token_id=2)),
    "phi": dict(config=dict(GQA, model_type="phi", partial_rotary_factor=0.5)),
    "phi-qknorm": dict(config=dict(SIZES, model_type="phi", partial_rotary_factor=0.25, qk_layernorm=True, hidden_size=64)),
    "phi3": dict(config=dict(GQA, model_type="phi3", sliding_window=20, pad_token_id=0)),
    "phi3-longrope": dict(config=dict(
        GQA, model_type="phi3", pad_token_id=0, original_max_position_embeddings=80, partial_rotary_factor=0.5, hidden_size=64,
        rope_scaling=dict(type="longrope", short_factor=[1.0, 1.1, 1.3, 1.7], long_factor=[1.0, 2.0, 4.0, 8.0]))),
    "gemma3_text": dict(norm_centre=0.0, embed=0.18, config=dict(
        GQA, model_type="gemma3_text", head_dim=16, sliding_window=12, query_pre_attn_scalar=24, num_hidden_layers=4, sliding_window_pattern=3,
        rope_theta=100000.0, rope_local_base_freq=5000.0, rope_scaling=dict(rope_type="linear", factor=8.0))),
    "olmo": dict(config=dict(GQA, model_type="olmo", clip_qkv=2.5)),
    "olmo3": dict(config=dict(GQA, model_type="olmo3", sliding_window=12, num_hidden_layers=4, rope_theta=50000.0, rope_scaling=dict(
        rope_type="yarn", factor=8.0, original_max_position_embeddings=32, beta_fast=32.0, beta_slow=1.0, attention_factor=1.2))),
    "qwen3-yarn": dict(config=dict(GQA, model_type="qwen3", head_dim=16, rope_scaling=dict(
        rope_type="yarn", factor=4.0, original_max_position_embeddings=32))),
    "llama-dynamic": dict(config=dict(GQA, model_type="llama", rope_scaling=dict(rope_type="dynamic", factor=4.0))),
    "smollm3": dict(config=dict(GQA, model_type="smollm3", num_hidden_layers=4, no_rope_layer_interval=2, pad_token_id=0)),
    "smollm3-window": dict(config=dict(GQA, model_type="smollm3", no_rope_layers=[1, 0, 1], use_sliding_window=True, sliding_window=9,
                                       pad_token_id=0, attention_bias=True, mlp_bias=True)),
    "stablelm": dict(config=dict(GQA, model_type="stablelm", use_qkv_bias=True, hidden_size=64)),
    "stablelm-parallel": dict(config=dict(GQA, model_type="stablelm", use_parallel_residual=True, partial_rotary_factor=0.5)),
    "starcoder2": dict(config=dict(GQA, model_type="starcoder2", sliding_window=16)),
    "granite": dict(config=dict(GQA, model_type="granite", embedding_multiplier=3.0, residual_multiplier=0.4, attention_multiplier=0.2,
                                logits_scaling=0.7, attention_bias=True, mlp_bias=True)),
    "glm": dict(config=dict(GQA, model_type="glm", head_dim=16, pad_token_id=0)),
    "glm4": dict(config=dict(GQA, model_type="glm4", head_dim=16, pad_token_id=0)),
    "cohere": dict(config=dict(GQA, model_type="cohere", logit_scale=0.5, pad_token_id=0)),
    "cohere-qknorm": dict(config=dict(GQA, model_type="cohere", logit_scale=0.5, use_qk_norm=True, attention_bias=True, pad_token_id=0)),
    "cohere2": dict(config=dict(GQA, model_type="cohere2", logit_scale=0.5, sliding_window=12, num_hidden_layers=4, head_dim=8, pad_token_id=0)),
    "helium": dict(config=dict(GQA, model_type="helium", head_dim=8, attention_bias=True)),
    "nemotron": dict(norm_centre=0.0, config=dict(GQA, model_type="nemotron", head_dim=8)),
    "exaone4": dict(config=dict(GQA, model_type="exaone4", sliding_window=12, num_hidden_layers=4)),
    "exaone4-full": dict(config=dict(GQA, model_type="exaone4", sliding_window=None, num_hidden_layers=2,
                                     layer_types=["full_attention", "full_attention"])),
    "ministral": dict(config=dict(GQA, model_type="ministral", head_dim=8, sliding_window=12, num_hidden_layers=3,
                                  layer_types=["sliding_attention", "full_attention", "sliding_attention"])),
    "seed_oss": dict(config=dict(GQA, model_type="seed_oss", head_dim=16, attention_out_bias=True)),
    "hunyuan_v1_dense": dict(config=dict(GQA, model_type="hunyuan_v1_dense", head_dim=8, rope_scaling=dict(
        type="dynamic", alpha=1000.0, factor=1.0))),
    "ernie4_5": dict(config=dict(GQA, model_type="ernie4_5", head_dim=16, use_bias=True)),
    "arcee": dict(config=dict(GQA, model_type="arcee", head_dim=8, mlp_bias=True)),
    "apertus-llama3": dict(config=dict(GQA, model_type="apertus", rope_theta=10000.0, hidden_act="relu2", attention_bias=True, rope_scaling=dict(
        rope_type="llama3", factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32))),
    "apertus": dict(config=dict(GQA, model_type="apertus", rope_theta=10000.0), spread=[("alpha", 0.3, 0.2), (r"\.beta", 0.5, 0.05), (r"\.eps", -1e-6, 0)]),
}

FAMILIES |= {
    "sink": dict(attention="sink", config=dict(GQA, model_type="llama", attn_impl="sink")),
    "gated": dict(attention="gated", config=dict(GQA, model_type="llama", attention_bias=True, attn_impl="gated")),
    "gated-sink": dict(attention="gated-sink", config=dict(GQA, model_type="llama", attn_impl="gated-sink")),
}

MOE = dict(GQA, num_experts_per_tok=2)
ROUTER = [(r"gate\.weight$|router\.weight$", 0, 0.6)]

FAMILIES |= {
    "mixtral": dict(spread=ROUTER, config=dict(MOE, model_type="mixtral", num_local_experts=5, sliding_window=20)),
    "qwen2_moe": dict(spread=ROUTER, config=dict(MOE, model_type="qwen2_moe", num_experts=6, moe_intermediate_size=20,
                                                 shared_expert_intermediate_size=28, decoder_sparse_step=2)),
    "qwen3_moe": dict(spread=ROUTER, config=dict(MOE, model_type="qwen3_moe", head_dim=16, num_experts=6, moe_intermediate_size=20,
                                                 norm_topk_prob=True, mlp_only_layers=[1])),
    "olmoe": dict(spread=ROUTER, config=dict(MOE, model_type="olmoe", num_experts=6, clip_qkv=2.5)),
    "gpt_oss": dict(spread=ROUTER + [("sinks", 0.5, 1)], config=dict(
        MOE, model_type="gpt_oss", head_dim=16, num_local_experts=5, sliding_window=12, num_hidden_layers=4, rope_theta=10000.0,
        rope_scaling=dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=32, beta_fast=32.0, beta_slow=1.0, truncate=False))),
}
