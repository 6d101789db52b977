#!/bin/sh
# Makes everything in this directory again but docs/, which is written by hand.
# Needs Go, Python 3.11 and what requirements.txt names; takes about ten minutes on one core.
#   SOFTBENCH_SHARED=DIR  the shared data (default: shared beside the repository)
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
