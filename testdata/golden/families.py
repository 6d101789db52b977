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
