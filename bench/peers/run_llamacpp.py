"""Worker: llama.cpp on token ids: prefill speed, and scores to check it by."""

import ctypes
import math

import llama_cpp
import numpy

import common

a = common.arguments()


class Model:
    def __init__(self):
        llama_cpp.llama_log_set(quiet, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        self.model = llama_cpp.llama_model_load_from_file(a["gguf"].encode(), llama_cpp.llama_model_default_params())
        assert self.model, "llama.cpp does not load the file"
        p = llama_cpp.llama_context_default_params()
        p.n_ctx = p.n_batch = max(2048, a["tokens"])
        p.n_ubatch = 512
        p.n_threads = p.n_threads_batch = a["threads"]
        self.context = llama_cpp.llama_init_from_model(self.model, p)
        assert self.context, "llama.cpp makes no context"
        self.vocab = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self.model))

    def run(self, ids, every):
        """Decode ids from an empty context; logits of every position, or of the last."""
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self.context), True)
        batch = llama_cpp.llama_batch_init(len(ids), 0, 1)
        batch.n_tokens = len(ids)
        for i, t in enumerate(ids):
            batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.seq_id[i][0] = t, i, 1, 0
            batch.logits[i] = every or i == len(ids) - 1
        status = llama_cpp.llama_decode(self.context, batch)
        assert status == 0, f"llama_decode: {status}"
        llama_cpp.llama_synchronize(self.context)
        llama_cpp.llama_batch_free(batch)

    def loglikelihood(self, context, continuation):
        ids = context + continuation
        self.run(ids[:-1], True)
        total = 0.0
        for i, target in enumerate(continuation, len(context) - 1):
            row = llama_cpp.llama_get_logits_ith(self.context, i)
            x = numpy.ctypeslib.as_array(row, (self.vocab,)).astype(numpy.float64)
            total += x[target] - x.max() - math.log(numpy.exp(x - x.max()).sum())
        return total


@llama_cpp.llama_log_callback
def quiet(level, text, data):
    pass


def main():
    model = Model()
    scores = [model.loglikelihood(c, r) for c, r in a["requests"]]
    ids = [(i * 7919 + 13) % model.vocab for i in range(a["tokens"])]
    model.run(ids, False)
    with common.Clock() as clock:
        for _ in range(a["repeat"]):
            model.run(ids, False)
    common.answer(a["out"], dict(rate=len(ids) * a["repeat"] / clock.wall, cpu=clock.cpu / a["repeat"], scores=scores))


main()
