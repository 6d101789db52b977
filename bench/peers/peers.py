"""Softbench beside its peers: same checkpoint, documents, threads and dtype.

    python peers.py --data DIR --tokenizer DIR [--only tasks,lambada,...] [--limit N] [--rounds N]

README.md says what is compared and how. Every program is a process of its own;
the programs alternate, round by round. Scores are compared in every round, and a
contest whose scores differ gets no times.
"""

import argparse
import importlib.metadata
import json
import math
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time

import common
import worked
from common import FOUR, HERE, ROOT, median

CONTESTS = ["matmul", "start", "llama", "tasks", "lambada", "generation", "passkey"]
ON_CUDA = ["start", "tasks", "lambada", "generation", "passkey"]  # kernels are timed by cuda/peers.py


def parse():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--data", type=pathlib.Path, required=True, help="documents, as for softbench run --data")
    p.add_argument("--model", type=pathlib.Path, help="LLaMA checkpoint in bfloat16 (default: a random one of 340M is made)")
    p.add_argument("--tokenizer", type=pathlib.Path, help="tokenizer directory for the random checkpoint")
    p.add_argument("--work", type=pathlib.Path, help="directory to keep the checkpoint and its GGUF file in (default: none is kept)")
    p.add_argument("--softbench", type=pathlib.Path, help="binary to measure (default: it is built)")
    p.add_argument("--only", default=",".join(CONTESTS), help="contests, of " + ", ".join(CONTESTS))
    p.add_argument("--dtypes", default="bfloat16,float32")
    p.add_argument("--threads", type=int, default=os.cpu_count())
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--limit", type=int, default=0, help="first N documents of each task, 0 for all")
    p.add_argument("--batch-sizes", default="1,8,32,auto", help="of lm-eval; the fastest is used")
    p.add_argument("--pick-limit", type=int, default=10, help="documents of each task on which the batch size is picked")
    p.add_argument("--tokens", type=int, default=2048, help="length of the document of the llama contest")
    p.add_argument("--documents", type=int, default=64, help="documents of the generation contest")
    p.add_argument("--generation-batch-sizes", default="16,32", help="of lm-eval; the fastest is used")
    p.add_argument("--passkey-lengths", default="1024,2048,3072,4096")
    p.add_argument("--passkey-trials", type=int, default=1, help="keys in each cell")
    p.add_argument("--device", default="cpu", choices=["cpu", "cuda"], help="of softbench and of the Python programs")
    p.add_argument("--passkeys", type=pathlib.Path, help="binary of bench/peers/passkeys, for a machine without Go")
    p.add_argument("--json", type=pathlib.Path, help="file to write the results to")
    o = p.parse_args()
    o.only, o.dtypes = o.only.split(","), o.dtypes.split(",")
    unknown = [c for c in o.only if c not in CONTESTS] + [d for d in o.dtypes if d not in ("bfloat16", "float32")]
    if unknown:
        p.error(f"unknown: {', '.join(unknown)}")
    if not o.model and not o.tokenizer:
        p.error("give --model, or --tokenizer for a random model")
    if o.device == "cuda":
        o.only = [c for c in o.only if c in ON_CUDA]
        if not o.only:
            p.error(f"with --device cuda there are: {', '.join(ON_CUDA)}")
    return o


class Different(Exception):
    """Two programs' scores are not the same."""


class Bench:
    def __init__(self, o, scratch):
        self.o, self.scratch, self.number = o, scratch, 0
        self.work = o.work or scratch
        self.work.mkdir(parents=True, exist_ok=True)
        t = str(o.threads)
        self.env = dict(os.environ, OMP_NUM_THREADS=t, MKL_NUM_THREADS=t, GOMAXPROCS=t, PYTHONDONTWRITEBYTECODE="1")
        self.rows = []
        self.softbench = o.softbench or self.build()
        self.model = o.model or self.random_model()

    def build(self):
        path = self.scratch / "softbench"
        subprocess.run(["go", "build", "-o", path, "./cmd/softbench"], cwd=ROOT, check=True)
        return path

    def random_model(self):
        path = self.work / "random-340m"
        if not (path / "config.json").exists():
            subprocess.run(["go", "run", "./internal/randmodel/mk", "-preset", "340m", "-type", "llama", "-seed", "1", "-dtype",
                            "bfloat16", "-tokenizer", self.o.tokenizer.resolve(), "-out", path.resolve()], cwd=ROOT, check=True)
        return path

    def path(self, suffix=""):
        self.number += 1
        return self.scratch / f"{self.number}{suffix}"

    def process(self, command, stdin=None):
        """Run a command; its output and its wall and processor seconds."""
        before, start = os.times(), time.perf_counter()
        done = subprocess.run([str(c) for c in command], env=self.env, input=stdin, capture_output=True, text=True)
        wall, after = time.perf_counter() - start, os.times()
        if done.returncode:
            raise SystemExit(f"{' '.join(str(c) for c in command)}\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
        cpu = after.children_user - before.children_user + after.children_system - before.children_system
        return done.stdout, dict(seconds=wall, cpu=cpu)

    def worker(self, script, **arguments):
        """Run one of our Python programs; its answer, with the whole process's seconds."""
        out = self.path(".json")
        arguments.update(out=str(out), threads=self.o.threads, device=self.o.device, scratch=str(self.scratch / "hub"))
        _, took = self.process([sys.executable, HERE / script, json.dumps(arguments)])
        return dict(json.loads(out.read_text()), process_seconds=took["seconds"], process_cpu=took["cpu"])

    # The programs.

    def run(self, suites, dtype, limit=0, *more):
        """softbench run: its samples, and the seconds of the whole process."""
        import pyarrow.parquet

        out = self.path()
        _, took = self.process([self.softbench, "run", *suites, "--model", self.model, "--data", self.o.data, "--out", out,
                                "--dtype", dtype, "--threads", self.o.threads, "--limit", limit, "--device", self.o.device, *more])
        return pyarrow.parquet.read_table(out / "samples.parquet").to_pylist(), took

    def score_softbench(self, tasks, dtype, limit):
        samples, took = self.run(tasks, dtype, limit)
        took["scores"] = {f"{s['task']}/{s['doc_id']}/{s['request']}": [s["loglikelihood"], s["is_greedy"]] for s in samples}
        took["tokens"] = {f"{s['task']}/{s['doc_id']}/{s['request']}": s["continuation_tokens"] for s in samples}
        right = {(s["task"], s["doc_id"]): s["correct"] for s in samples}
        took["acc"] = {t: [sum(v for (task, _), v in right.items() if task == t) / n, n]
                       for t in tasks for n in [sum(task == t for task, _ in right)]}
        return took

    def score_lmeval(self, tasks, dtype, limit, batch_size):
        return self.worker("run_lmeval.py", model=str(self.model), data=str(self.o.data), tasks=tasks, dtype=dtype, limit=limit,
                           batch_size=batch_size)

    def bench(self, dtype, tokens, seconds, rounds=1, model=None):
        text, _ = self.process([self.softbench, "bench", "--json", "--dtype", dtype, "--threads", self.o.threads, "--rounds", rounds,
                                   "--tokens", tokens, "--seconds", seconds, *(["--model", model] if model else [])])
        return json.loads(text)

    # The contests.

    def row(self, what, peer, ours, theirs, unit, note="", bests=None, **more):
        """One line of the table; ours and theirs are lists, a round each, and bests what they are without disturbance."""
        rate = unit.endswith("/s")  # more is better
        a, b = median(ours), median(theirs)
        x, y = bests or (ours, theirs)
        best = max(x) / max(y) if rate else min(y) / min(x)
        r = dict(what=what, peer=peer, unit=unit, softbench=a, other=b, ratio=a / b if rate else b / a, ratio_of_bests=best,
                 softbench_rounds=ours, other_rounds=theirs, note=note, **more)
        self.rows.append(r)
        print(show(r), flush=True)

    def failed(self, what, peer, why):
        self.rows.append(dict(what=what, peer=peer, failed=str(why)))
        print(f"{what} against {peer}: NOT TIMED: {why}", flush=True)

    def matmul(self):
        for dtype in self.o.dtypes:
            ours, theirs = [], []
            for _ in range(self.o.rounds):
                gemm = self.bench(dtype, 8, 4, 10)["gemm"]
                ours.append({f"{g['inputs']}x{g['outputs']}": g for g in gemm})
                theirs.append(self.worker("run_matmul.py", dtype=dtype, seconds=0.5))
            for shape in ours[0]:
                both = {k: ([r[shape][k] for r in ours], [r[shape][k] for r in theirs]) for k in ("median", "best")}
                self.row(f"matmul {dtype} {common.ROWS} x {shape}", "torch", *both["median"], "GFLOP/s", bests=both["best"],
                         of_peak=median(r[shape]["of_peak"] for r in ours))

    def start(self):
        """From the process's start to one scored request; the checkpoint is in the page cache after the first round."""
        line = json.dumps(dict(context="The sky is", continuation=" blue")) + "\n"
        ours, theirs = [], []
        for i in range(self.o.rounds + 1):
            _, a = self.process([self.softbench, "score", self.model, "--threads", self.o.threads, "--device", self.o.device], line)
            b = self.score_lmeval(["piqa"], "bfloat16", 1, 1)
            if i:
                ours.append(a["seconds"])
                theirs.append(b["process_seconds"])
        self.row("start to first score, bfloat16", "lm-eval (one document)", ours, theirs, "s", "whole processes")

    def llama(self):
        file = self.work / "model.gguf"
        if not file.exists():
            self.worker("write_gguf.py", model=str(self.model), gguf=str(file))
        requests = [("The sky is", " blue and the grass is green, as the old man used to say"), ("Question: who?\nAnswer:", " nobody")]
        text = "".join(json.dumps(dict(context=c, continuation=r)) + "\n" for c, r in requests)
        scored, _ = self.process([self.softbench, "score", self.model, "--dtype", "float32"], text)
        mine = [json.loads(x) for x in scored.splitlines()]
        ids = []
        for c, r in requests:
            whole, context = self.tokenize(c + r), self.tokenize(c)
            ids.append((whole[:len(context)], whole[len(context):]))
        ours, theirs, cpu, worst = [], [], ([], []), 0
        for _ in range(self.o.rounds):
            p = [p for p in self.bench("bfloat16", self.o.tokens, 0.1, model=self.model)["prefill"] if p["scored"] == 1][0]
            t = self.worker("run_llamacpp.py", gguf=str(file), tokens=self.o.tokens, repeat=1, requests=ids)
            for a, b in zip(mine, t["scores"]):
                worst = max(worst, abs(a["loglikelihood"] - b) / a["tokens"])
            ours.append(p["tokens_per_second"])
            theirs.append(t["rate"])
            cpu[0].append(p["cpu_seconds"])
            cpu[1].append(t["cpu"])
        if worst > 0.02:
            return self.failed("prefill bfloat16", "llama.cpp", f"scores differ by {worst:.3g} a token")
        what, note = f"prefill bfloat16, {self.o.tokens} tokens", f"scores within {worst:.2g} a token of ours in float32"
        self.row(what, "llama.cpp BF16", ours, theirs, "tokens/s", note)
        self.row(what, "llama.cpp BF16", *cpu, "CPU s", note)

    def tokenize(self, text):
        out, _ = self.process([self.softbench, "tokenize", self.model, "--text", text, "--json"])
        return json.loads(out)["ids"]

    def tasks(self):
        self.harness("four tasks", FOUR)

    def lambada(self):
        self.harness("lambada_openai", ["lambada_openai"])

    def harness(self, what, tasks):
        o = self.o
        try:
            check_float32(self.score_softbench(tasks, "float32", o.pick_limit), self.score_lmeval(tasks, "float32", o.pick_limit, 8))
        except Different as d:
            return self.failed(what, "lm-eval", d)
        reference = self.score_softbench(tasks, "float32", o.limit) if "bfloat16" in o.dtypes else None
        for dtype in o.dtypes:
            tried = {}
            for size in o.batch_sizes.split(","):
                size = int(size) if size.isdigit() else size
                tried[size] = self.score_lmeval(tasks, dtype, o.pick_limit, size)["seconds"]
            best = min(tried, key=tried.get)
            ours, theirs = [], []
            try:
                for _ in range(o.rounds):
                    ours.append(self.score_softbench(tasks, dtype, o.limit))
                    theirs.append(self.score_lmeval(tasks, dtype, o.limit, best))
                    if dtype == "float32":
                        note = check_float32(ours[-1], theirs[-1])
                    else:
                        note = check_bfloat16(ours[-1], theirs[-1], reference)
            except Different as d:
                self.failed(f"{what} {dtype}", "lm-eval", d)
                continue
            documents = sum(n for _, n in ours[0]["acc"].values())
            self.both(f"{what} {dtype}, {documents} documents", f"lm-eval, batch {best}", ours, theirs, note,
                      batch_sizes={str(k): v for k, v in tried.items()})

    def generation(self):
        """gsm8k-shaped answers of 64 tokens, five worked examples drawn for each document, so that prompts share nothing."""
        o, tokens = self.o, 64
        directory = self.scratch / "worked"
        directory.mkdir()
        task = worked.write(directory.resolve(), o.documents, tokens)
        check = min(8, o.documents)
        same = self.texts(self.generate(task, "float32", check), self.generate_lmeval(task, "float32", check, check))
        if same != check:
            return self.failed("generation", "lm-eval", f"{same} of {check} texts are equal in float32")
        for dtype in o.dtypes:
            tried = {int(n): self.generate_lmeval(task, dtype, o.documents, int(n)) for n in o.generation_batch_sizes.split(",")}
            best = min(tried, key=lambda n: tried[n]["cpu"])
            ours, theirs = [], [tried[best]]
            for i in range(o.rounds):
                ours.append(self.generate(task, dtype, o.documents))
                if i:
                    theirs.append(self.generate_lmeval(task, dtype, o.documents, best))
            self.both(f"generation {dtype}, {o.documents} documents, {tokens} tokens", f"lm-eval, batch {best}", ours, theirs,
                      f"{check} of {check} texts equal in float32, {self.texts(ours[0], theirs[0])} of {o.documents} in {dtype}",
                      batch_sizes={str(n): r["cpu"] for n, r in tried.items()})

    def generate(self, task, dtype, limit):
        samples, took = self.run([task], dtype, limit)
        took["texts"] = {str(s["doc_id"]): [s["context"], s["generated"]] for s in samples}
        return took

    def generate_lmeval(self, task, dtype, limit, batch_size):
        return self.worker("run_generation.py", model=str(self.model), task=str(task), dtype=dtype, limit=limit, batch_size=batch_size)

    @staticmethod
    def texts(ours, theirs):
        """How many answers are equal; prompts must be."""
        a, b = ours["texts"], theirs["texts"]
        if a.keys() != b.keys() or any(a[k][0] != b[k][0] for k in a):
            raise SystemExit("generation: the prompts are not the same")
        return sum(a[k][1] == b[k][1] for k in a)

    def both(self, what, peer, ours, theirs, note, **more):
        """A row of wall seconds and one of processor seconds, which others on the machine disturb less."""
        for unit, key in (("s", "seconds"), ("CPU s", "cpu")):
            self.row(what, peer, [x[key] for x in ours], [x[key] for x in theirs], unit, note,
                     other_process=median(x["process_" + key] for x in theirs), **more)

    def passkey(self):
        lengths = [int(n) for n in self.o.passkey_lengths.split(",")]
        try:
            self.passkeys("float32", lengths[:1], check=True)
        except Different as d:
            return self.failed("passkey", "transformers", d)
        for dtype in self.o.dtypes:
            ours, theirs = [], []
            for _ in range(self.o.rounds):
                a, b, same = self.passkeys(dtype, lengths, check=False)
                ours.append(a)
                theirs.append(b)
            self.both(f"passkey {dtype}, {lengths[0]} to {lengths[-1]} tokens, 5 depths, {self.o.passkey_trials} keys",
                      "transformers, KV cache", ours, theirs, f"{same} answers equal")

    def passkeys(self, dtype, lengths, check):
        suite = self.path(".yaml")
        suite.write_text(f"name: grid\ndescription: the grid of this contest\npasskey:\n  lengths: {lengths}\n"
                         f"  depths: [0, 0.25, 0.5, 0.75, 1]\n  trials: {self.o.passkey_trials}\n  seed: 1\n")
        prompts = self.path(".json")
        program = [self.o.passkeys.resolve()] if self.o.passkeys else ["go", "run", "./bench/peers/passkeys"]
        prompts.write_text(subprocess.run([*program, self.model.resolve(), suite.resolve()], cwd=ROOT,
                                          check=True, capture_output=True, text=True).stdout)
        samples, ours = self.run([suite], dtype, 0, "--max-length", max(lengths) + 64)
        theirs = self.worker("run_passkey.py", model=str(self.model), prompts=str(prompts), dtype=dtype)
        mine = [s["generated"] for s in samples]
        assert len(mine) == len(theirs["generated"]), (len(mine), len(theirs["generated"]))
        same = sum(a.strip() == b.strip() for a, b in zip(mine, theirs["generated"]))
        if check and same != len(mine):
            raise Different(f"{same} of {len(mine)} answers equal in float32: {mine[:2]} and {theirs['generated'][:2]}")
        return ours, theirs, f"{same} of {len(mine)}"


def pairs(a, b):
    """The loglikelihoods of the same requests, and their numbers of tokens."""
    if a["scores"].keys() != b["scores"].keys():
        raise Different(f"{len(a['scores'])} and {len(b['scores'])} requests are not the same ones")
    if not a["scores"]:
        raise Different("there are no scores")
    return [(a["scores"][k][0], b["scores"][k][0], a["tokens"][k]) for k in a["scores"]]


def check_float32(ours, theirs):
    worst = max(abs(x - y) for x, y, _ in pairs(ours, theirs))
    if not worst <= 1e-3:
        raise Different(f"a loglikelihood differs by {worst:.3g} in float32")
    return f"loglikelihoods within {worst:.1g}"


def check_bfloat16(ours, theirs, reference):
    """Each against float32, a token on average; and accuracies within a standard error."""
    mean = lambda p: sum(abs(x - y) / n for x, y, n in p) / len(p)  # noqa: E731
    mine = mean(pairs(reference, ours))
    other = mean(pairs(reference, theirs))
    if not mine <= 0.02:
        raise Different(f"bfloat16 is {mine:.3g} a token from float32")
    for task, (acc, n) in ours["acc"].items():
        expected = theirs["acc"][task][0]
        stderr = math.sqrt(max(expected * (1 - expected), 1 / n) / max(n - 1, 1))
        if abs(acc - expected) > stderr:
            raise Different(f"{task}: acc {acc:.4f} and {expected:.4f}, a standard error is {stderr:.4f}")
    return f"from float32 a token: ours {mine:.2g}, theirs {other:.2g}"


def show(r):
    if "failed" in r:
        return f"{r['what']:<66} {r['peer']:<24} not timed: {r['failed']}"
    number = lambda x: f"{x:,.0f}" if x >= 100 else f"{x:.3g}"  # noqa: E731
    return (f"{r['what']:<66} {r['peer']:<24} {number(r['softbench']):>8} {number(r['other']):>8} {r['unit']:<9} "
            f"{r['ratio']:5.2f}x {r['ratio_of_bests']:5.2f}x  {r['note']}")


def git(*arguments):
    """What git says of the sources, or nothing where there are none."""
    try:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    except FileNotFoundError:
        return ""


def version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def machine(b):
    r = b.bench("bfloat16", 8, 0.5)
    commit, dirty = git("rev-parse", "--short=12", "HEAD") or "unknown", bool(git("status", "--porcelain", "--untracked-files=no"))
    versions = {m: version(m) for m in ("torch", "transformers", "lm-eval", "llama-cpp-python")}
    gpu = __import__("torch").cuda.get_device_name() if b.o.device == "cuda" else None
    return dict(cpu=r["cpu"], gpu=gpu, system=platform.platform(), isa=r["isa"], softbench=r["softbench"], commit=commit + ("+" if dirty else ""),
                peaks=r["peaks"], versions=versions)


def main():
    o = parse()
    with tempfile.TemporaryDirectory(prefix="peers-") as scratch:
        b = Bench(o, pathlib.Path(scratch))
        result = dict(machine=machine(b), threads=o.threads, rounds=o.rounds, device=o.device, arguments=sys.argv[1:], load=[os.getloadavg()[0]])
        print(f"{result['machine']['cpu']}, {o.threads} threads, device {o.device}, {result['machine']['isa']}, commit {result['machine']['commit']}, "
              f"{o.rounds} rounds, load before {result['load'][0]:.1f}", flush=True)
        for contest in CONTESTS:
            if contest in o.only:
                getattr(b, contest)()
        result["load"].append(os.getloadavg()[0])
        result["rows"] = b.rows
    print(f"\n{'what':<66} {'peer':<24} {'ours':>8} {'theirs':>8} {'':<9} ratio of medians and of bests, above 1 where softbench is faster")
    for r in b.rows:
        print(show(r))
    if o.json:
        o.json.write_text(json.dumps(result, indent=1) + "\n")
    if any("failed" in r for r in b.rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
