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
    "softcap": dict(attention="softcap-1.5", config=dict(GQA, model_type="llama", attn_impl="softcap-1.5")),
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

FAMILIES |= {
    "opt-350m": dict(embed=0.6, config=dict(
        model_type="opt", hidden_size=32, ffn_dim=44, num_hidden_layers=3, num_attention_heads=4, vocab_size=101, do_layer_norm_before=False,
        max_position_embeddings=128, word_embed_proj_dim=20, bos_token_id=2, eos_token_id=2)),
    "opt-options": dict(embed=0.6, config=dict(
        model_type="opt", hidden_size=32, ffn_dim=44, num_hidden_layers=2, num_attention_heads=4, vocab_size=101, enable_bias=False,
        max_position_embeddings=128, word_embed_proj_dim=40, bos_token_id=2, eos_token_id=2, activation_function="gelu",
        layer_norm_elementwise_affine=False, tie_word_embeddings=False)),
    "opt-no-last-norm": dict(embed=0.4, spread=[("lm_head", 0, 0.1)], config=dict(
        model_type="opt", hidden_size=32, ffn_dim=44, num_hidden_layers=2, num_attention_heads=4, vocab_size=101,
        max_position_embeddings=128, bos_token_id=2, eos_token_id=2, _remove_final_layer_norm=True, tie_word_embeddings=False)),
    "stablelm-12b": dict(config=dict(GQA, model_type="stablelm", qk_layernorm=True, use_parallel_residual=True, hidden_size=64)),
    "stablelm-qknorm": dict(embed=0.35, config=dict(GQA, model_type="stablelm", qk_layernorm=True, partial_rotary_factor=0.5, tie_word_embeddings=True,
                                        layer_norm_eps=1e-3, hidden_act="gelu", rope_theta=5000.0)),
    "ministral3": dict(config=dict(GQA, model_type="ministral3", head_dim=8, rope_parameters=dict(
        type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=16, max_position_embeddings=128, beta_fast=32.0,
        beta_slow=1.0, mscale=1.0, mscale_all_dim=1.0, llama_4_scaling_beta=0.3))),
    "ministral3-window": dict(config=dict(GQA, model_type="ministral3", head_dim=16, sliding_window=10, rope_parameters=dict(
        rope_type="default", rope_theta=5000.0, original_max_position_embeddings=8, llama_4_scaling_beta=0.5))),
    "ministral3-own": dict(embed=0.35, config=dict(GQA, model_type="ministral3", head_dim=32, rms_norm_eps=1e-3, hidden_act="gelu", tie_word_embeddings=True)),
    "gpt_oss-own": dict(spread=ROUTER + [("sinks", 0.5, 1)], config=dict(
        MOE, model_type="gpt_oss", head_dim=64, num_local_experts=3, num_hidden_layers=2, num_attention_heads=2)),
}

VISION = dict(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2, image_size=8, patch_size=4)
CLIP = dict(VISION, model_type="clip_vision_model", projection_dim=8)
SIGLIP = dict(VISION, model_type="siglip_vision_model")
QWEN_VISION = dict(depth=1, embed_dim=8, hidden_size=32, num_heads=2, mlp_ratio=1, patch_size=4, intermediate_size=8, out_hidden_size=32)
IMAGE = dict(image_token_index=100, image_token_id=100)
TEXT = dict(GQA, num_hidden_layers=2)

# Multimodal models, of whose text part alone is what is computed.
FAMILIES |= {
    "aya_vision": dict(embed=0.35, config=dict(IMAGE, model_type="aya_vision", vision_config=SIGLIP, text_config=dict(
        TEXT, model_type="cohere2", sliding_window=12, num_hidden_layers=4, head_dim=8, pad_token_id=0))),
    "gemma3": dict(norm_centre=0.0, embed=0.18, config=dict(IMAGE, model_type="gemma3", mm_tokens_per_image=4, vision_config=SIGLIP, text_config=dict(
        TEXT, model_type="gemma3_text", head_dim=16, sliding_window=12, num_hidden_layers=6, rope_scaling=dict(rope_type="linear", factor=8.0)))),
    "idefics3": dict(config=dict(model_type="idefics3", image_token_id=100, vision_config=VISION, text_config=dict(TEXT, model_type="llama", pad_token_id=0))),
    "internvl": dict(config=dict(IMAGE, model_type="internvl", tie_word_embeddings=False, text_config=dict(TEXT, model_type="qwen2"), vision_config=dict(
        VISION, image_size=[8, 8], patch_size=[4, 4]))),
    "llava": dict(config=dict(IMAGE, model_type="llava", vision_config=CLIP, text_config=dict(TEXT, model_type="llama"))),
    "llava-new": dict(rename=[(r"^language_model\.lm_head", "lm_head"), (r"^language_model\.model", "model.language_model"), ("^", "model.")],
                      config=dict(IMAGE, model_type="llava", vision_config=CLIP, text_config=dict(TEXT, model_type="mistral", sliding_window=10))),
    "llava_next": dict(config=dict(IMAGE, model_type="llava_next", vision_config=CLIP, text_config=dict(TEXT, model_type="mistral"))),
    "llava_onevision": dict(config=dict(IMAGE, model_type="llava_onevision", vision_config=SIGLIP, text_config=dict(TEXT, model_type="qwen2"))),
    "mistral3": dict(embed=0.35, config=dict(IMAGE, model_type="mistral3", vision_config=dict(VISION, model_type="pixtral", head_dim=4), text_config=dict(
        TEXT, model_type="mistral", head_dim=16, sliding_window=None))),
    "mistral3-head": dict(extra={"language_model.lm_head.weight": [101, 32]}, config=dict(
        IMAGE, model_type="mistral3", vision_config=dict(VISION, model_type="pixtral", head_dim=4), text_config=dict(TEXT, model_type="mistral", head_dim=8))),
    "mistral3-ministral3": dict(config=dict(
        IMAGE, model_type="mistral3", tie_word_embeddings=False, vision_config=dict(VISION, model_type="pixtral", head_dim=4),
        text_config=dict(TEXT, model_type="ministral3", head_dim=8))),
    "qwen2_vl": dict(rename=[(r"^model\.language_model\.", "model."), (r"^model\.visual", "visual")], config=dict(
        TEXT, model_type="qwen2_vl", vision_config=QWEN_VISION, rope_theta=5000.0, rope_scaling=dict(type="mrope", mrope_section=[1, 1, 2]))),
    "qwen2_5_vl": dict(embed=0.35, config=dict(model_type="qwen2_5_vl", vision_config=dict(QWEN_VISION, fullatt_block_indexes=[0]), text_config=dict(
        TEXT, model_type="qwen2_5_vl_text", tie_word_embeddings=True, use_sliding_window=True, sliding_window=10, max_window_layers=1,
        rope_scaling=dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=32, mrope_section=[1, 1, 2])))),
    "qwen3_vl": dict(config=dict(model_type="qwen3_vl", vision_config=dict(QWEN_VISION, deepstack_visual_indexes=[0], num_position_embeddings=4), text_config=dict(
        TEXT, model_type="qwen3_vl_text", head_dim=16, attention_bias=True, rope_scaling=dict(rope_type="default", mrope_interleaved=True, mrope_section=[4, 2, 2])))),
    "smolvlm": dict(config=dict(model_type="smolvlm", image_token_id=100, vision_config=VISION, text_config=dict(
        TEXT, model_type="llama", pad_token_id=0, rope_theta=5000.0))),
}

# Each type once more with every other setting that changes a number: activation, epsilon, base, biases, a tied head or
# one of its own, layers, scales.
RMS = dict(rms_norm_eps=1e-2, rope_theta=5000.0, hidden_act="gelu_new")
LN = dict(layer_norm_eps=1e-2, rope_theta=5000.0, hidden_act="relu")
SLIDING = ["full_attention", "sliding_attention", "full_attention"]
NESTED = dict(full_attention=dict(rope_type="linear", factor=2.0, rope_theta=5000.0), sliding_attention=dict(rope_type="default", rope_theta=500.0))
TIED, APART = dict(tie_word_embeddings=True), dict(tie_word_embeddings=False)

FAMILIES |= {
    "apertus-own": dict(embed=0.35, spread=[("alpha", 0.3, 0.2), (r"\.beta", 0.5, 0.05), (r"\.eps", -1e-6, 0)], config=dict(GQA | TIED, model_type="apertus", rms_norm_eps=1e-2, head_dim=64, num_hidden_layers=2)),
    "arcee-options": dict(embed=0.35, config=dict(GQA | RMS | TIED, model_type="arcee", attention_bias=True)),
    "cohere-options": dict(config=dict(GQA | LN | APART, model_type="cohere", logit_scale=2.0, pad_token_id=0)),
    "cohere2-options": dict(config=dict(GQA | LN | APART, model_type="cohere2", logit_scale=2.0, sliding_window=12, attention_bias=True, layer_types=SLIDING, pad_token_id=0)),
    "ernie4_5-options": dict(config=dict(GQA | RMS | APART, model_type="ernie4_5", head_dim=8)),
    "exaone4-options": dict(embed=0.35, config=dict(GQA | RMS | TIED, model_type="exaone4", sliding_window=12, sliding_window_pattern="LG", layer_types=SLIDING)),
    "gemma-options": dict(norm_centre=0.0, embed=0.18, config=dict(GQA | RMS | APART, model_type="gemma", head_dim=8, attention_bias=True)),
    "gemma2-options": dict(norm_centre=0.0, embed=0.18, config=dict(GQA | RMS | APART, model_type="gemma2", head_dim=8, attention_bias=True, hidden_activation="silu", layer_types=SLIDING, sliding_window=12,
        attn_logit_softcapping=None, final_logit_softcapping=None, query_pre_attn_scalar=8)),
    "gemma3_text-options": dict(norm_centre=0.0, embed=0.18, config=dict(GQA | APART, model_type="gemma3_text", head_dim=8, attention_bias=True, hidden_activation="silu", layer_types=SLIDING, sliding_window=12,
        rms_norm_eps=1e-2, attn_logit_softcapping=2.0, final_logit_softcapping=4.0, query_pre_attn_scalar=8, rope_parameters=NESTED)),
    "glm-options": dict(embed=0.35, config=dict(GQA | RMS | TIED, model_type="glm", head_dim=16, attention_bias=False, partial_rotary_factor=0.25, pad_token_id=0)),
    "glm4-options": dict(embed=0.35, config=dict(GQA | RMS | TIED, model_type="glm4", head_dim=16, attention_bias=False, partial_rotary_factor=0.25, pad_token_id=0)),
    "gpt2-unscaled": dict(transposed=True, embed=0.4, config=dict(
        model_type="gpt2", n_embd=32, n_layer=2, n_head=4, n_positions=128, vocab_size=101, bos_token_id=1, eos_token_id=2,
        scale_attn_weights=False, layer_norm_epsilon=1e-2)),
    "gpt_neox-options": dict(embed=0.35, config=dict(SIZES | TIED, model_type="gpt_neox", rotary_pct=0.5, layer_norm_eps=1e-2, hidden_act="relu")),
    "gpt_oss-options": dict(embed=0.35, spread=ROUTER + [("sinks", 0.5, 1)], config=dict(MOE | TIED, model_type="gpt_oss", head_dim=8, num_local_experts=3, sliding_window=12, rms_norm_eps=1e-2, attention_bias=False, layer_types=SLIDING,
        swiglu_alpha=1.2, swiglu_limit=0.7, rope_scaling=dict(rope_type="linear", factor=2.0))),
    "granite-options": dict(embed=0.35, config=dict(GQA | RMS | TIED, model_type="granite", embedding_multiplier=0.5, residual_multiplier=0.8, attention_multiplier=0.5,
                                        logits_scaling=2.0, attention_bias=True, mlp_bias=False)),
    "helium-options": dict(embed=0.35, config=dict(GQA | RMS | TIED, model_type="helium", head_dim=8, mlp_bias=True)),
    "hunyuan_v1_dense-options": dict(embed=0.35, config=dict(GQA | RMS | TIED, model_type="hunyuan_v1_dense", head_dim=16, attention_bias=True)),
    "llama-options": dict(embed=0.35, config=dict(GQA | RMS | TIED, model_type="llama", head_dim=12, mlp_bias=True)),
    "ministral-options": dict(embed=0.35, config=dict(GQA | RMS | TIED, model_type="ministral", head_dim=16, sliding_window=12)),
    "mistral-options": dict(embed=0.35, config=dict(GQA | RMS | TIED, model_type="mistral", head_dim=16, sliding_window=12)),
    "mixtral-options": dict(embed=0.35, spread=ROUTER, config=dict(MOE | RMS | TIED, model_type="mixtral", num_local_experts=3)),
    "nemotron-options": dict(embed=0.35, norm_centre=0.0, config=dict(GQA | TIED, model_type="nemotron", head_dim=16, norm_eps=1e-2, hidden_act="gelu", rope_theta=5000.0,
                                                          partial_rotary_factor=0.25, attention_bias=True, mlp_bias=True)),
    "olmo-options": dict(embed=0.35, config=dict(GQA | TIED, model_type="olmo", attention_bias=True, hidden_act="gelu", rope_theta=5000.0)),
    "olmo2-options": dict(embed=0.35, config=dict(GQA | RMS | TIED, model_type="olmo2", attention_bias=True)),
    "olmo3-options": dict(embed=0.35, config=dict(GQA | TIED, model_type="olmo3", attention_bias=True, rms_norm_eps=1e-2, hidden_act="gelu", sliding_window=12,
                                      layer_types=SLIDING, rope_parameters=NESTED)),
    "olmoe-options": dict(embed=0.35, spread=ROUTER, config=dict(MOE | RMS | TIED, model_type="olmoe", num_experts=4, attention_bias=True, norm_topk_prob=True)),
    "phi-options": dict(embed=0.35, config=dict(GQA | LN | TIED, model_type="phi", partial_rotary_factor=1.0)),
    "phi3-options": dict(embed=0.35, config=dict(GQA | RMS | TIED, model_type="phi3", partial_rotary_factor=0.5, hidden_size=64, pad_token_id=0)),
    "qwen2-options": dict(embed=0.35, config=dict(GQA | RMS | TIED, model_type="qwen2", use_sliding_window=True, sliding_window=12, layer_types=SLIDING)),
    "qwen2_moe-options": dict(embed=0.35, spread=ROUTER, config=dict(MOE | RMS | TIED, model_type="qwen2_moe", num_experts=4, moe_intermediate_size=12, shared_expert_intermediate_size=20, qkv_bias=False,
        norm_topk_prob=True, mlp_only_layers=[2], use_sliding_window=True, sliding_window=12, max_window_layers=1)),
    "qwen3-options": dict(embed=0.35, config=dict(GQA | RMS | TIED, model_type="qwen3", head_dim=8, attention_bias=True, use_sliding_window=True, sliding_window=10,
                                      max_window_layers=1)),
    "qwen3_moe-options": dict(embed=0.35, spread=ROUTER, config=dict(MOE | RMS | TIED, model_type="qwen3_moe", head_dim=8, num_local_experts=4, moe_intermediate_size=12, attention_bias=True, decoder_sparse_step=2,
        use_sliding_window=True, sliding_window=12)),
    "seed_oss-options": dict(embed=0.35, config=dict(GQA | RMS | TIED, model_type="seed_oss", head_dim=8, attention_bias=False, mlp_bias=True)),
    "smollm3-options": dict(config=dict(GQA | RMS | APART, model_type="smollm3", no_rope_layers=[0, 1, 1], use_sliding_window=True, sliding_window=9,
                                        layer_types=SLIDING, pad_token_id=0)),
    "starcoder2-options": dict(config=dict(GQA | APART, model_type="starcoder2", use_bias=False, norm_epsilon=1e-2, hidden_act="relu", rope_theta=5000.0)),
}
