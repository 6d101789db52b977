"""Reference values for the statistics, from SciPy and statsmodels.

    python make_golden.py > golden.json

Bootstraps are compared draw for draw: this program has its own copy of the random
numbers (PCG-DXSM as Go's math/rand/v2 specifies it, seeded through SplitMix64) and
hands the resampled differences to scipy.stats.bootstrap for the interval.
"""

import json
import math
import platform
import types

import numpy as np
import scipy
import scipy.stats as st
import statsmodels
import statsmodels.api as sm
from scipy.optimize import brentq
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

M64, M128 = (1 << 64) - 1, (1 << 128) - 1
BLOCK = 128


def splitmix(state, x):
    """The next state and output, x mixed in before."""
    state = ((state ^ x) + 0x9E3779B97F4A7C15) & M64
    z = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & M64
    z = (z ^ z >> 27) * 0x94D049BB133111EB & M64
    return state, z ^ z >> 31


class PCG:
    MUL = 2549297995355413924 << 64 | 4865540595714422341
    INC = 6364136223846793005 << 64 | 1442695040888963407

    def __init__(self, seed, purpose, block):
        _, state = splitmix(seed, purpose)
        state, high = splitmix(state, block)
        _, low = splitmix(state, 0)
        self.state = high << 64 | low

    def next(self):
        self.state = (self.state * self.MUL + self.INC) & M128
        hi, lo = self.state >> 64, self.state & M64
        hi ^= hi >> 32
        hi = hi * 0xDA942042E4DD58B5 & M64
        hi ^= hi >> 48
        return hi * (lo | 1) & M64


def resamples(n, draws, seed):
    out = []
    for first in range(0, draws, BLOCK):
        rng = PCG(seed, 1, first // BLOCK)
        for _ in range(min(BLOCK, draws - first)):
            row = []
            while len(row) < n:
                bits = rng.next()
                for half in (bits & 0xFFFFFFFF, bits >> 32):
                    m = half * n
                    if m & 0xFFFFFFFF >= (1 << 32) % n and len(row) < n:
                        row.append(m >> 32)
            out.append(row)
    return np.array(out)


TRANSFORMS = {"share": lambda r: r, "perplexity": lambda r: np.exp(-r), "bits": lambda r: -r / math.log(2)}
SLOPES = {"share": lambda r: 1.0, "perplexity": lambda r: -np.exp(-r), "bits": lambda r: -1 / math.log(2)}


def expanded_tail(n, level):
    return st.norm.cdf(math.sqrt(n / (n - 1)) * st.t.ppf(level / 2, n - 1))


def ordered_sum(x):
    total = 0.0
    for v in x:
        total += v
    return total


def bootstrap_case(name, transform, a, b, w=None, clusters=None, draws=2000, seed=7, level=0.05):
    a, b = np.array(a), np.array(b)
    weights = np.ones(len(a)) if w is None else np.array(w)
    groups = np.arange(len(a)) if clusters is None else np.unique(clusters, return_inverse=True)[1]
    g = groups.max() + 1
    ua, ub, uw = (np.bincount(groups, x, g) for x in (a, b, weights))
    f = TRANSFORMS[transform]

    def statistic(i):
        i = np.asarray(i, dtype=int)
        return f(ub[i].sum() / uw[i].sum()) - f(ua[i].sum() / uw[i].sum())

    rows = resamples(g, draws, seed)
    distribution = np.array([statistic(r) for r in rows])
    observed = statistic(np.arange(g))
    # Draws that equal the observed difference but for rounding count as equal.
    distribution[np.abs(distribution - observed) < 1e-13] = observed
    previous = types.SimpleNamespace(bootstrap_distribution=distribution)
    out = {}
    for method in ("percentile", "BCa"):
        r = st.bootstrap((np.arange(g),), statistic, n_resamples=0, vectorized=False, method=method,
                         bootstrap_result=previous, confidence_level=1 - 2 * expanded_tail(g, level))
        out[method] = [r.confidence_interval.low, r.confidence_interval.high]
    # The ratio's standard error: weighted least squares of value/weight on a constant.
    ra, rb = ua.sum() / uw.sum(), ub.sum() / uw.sum()
    v = SLOPES[transform](rb) * b - SLOPES[transform](ra) * a
    fit = sm.WLS(v / weights, np.ones(len(v)), weights=weights)
    fit = fit.fit(cov_type="HC1") if clusters is None else fit.fit(cov_type="cluster", cov_kwds={"groups": groups})
    # A few draws to the bit, where the arithmetic is only additions and one division.
    exact = []
    if transform == "share":
        for r in rows[:3]:
            top = ordered_sum(ub[i] - ua[i] for i in r)
            bottom = ordered_sum(uw[i] for i in r)
            exact.append((top / bottom).hex())
    return {"name": name, "transform": transform, "a": a.tolist(), "b": b.tolist(),
            "weights": None if w is None else list(w), "clusters": clusters, "draws": draws, "seed": seed, "level": level,
            "value_a": float(f(ra)), "value_b": float(f(rb)), "difference": float(observed),
            "se": float(fit.bse[0]), "percentile": out["percentile"], "bca": out["BCa"], "first_draws": exact}


def net_pmf(n, b, c):
    """P(net = k) of n draws, k from -n to n, by repeated convolution of one draw."""
    one, out = np.array([b, n - b - c, c]) / n, np.array([1.0])
    for _ in range(n):
        out = np.convolve(out, one)
    return out


def tango(n, b, c, level):
    """Tango's score interval of (c - b)/n from its definition: the multinomial likelihood
    given the difference, maximised by itself, not by the paper's quadratic."""
    z = st.norm.ppf(1 - level / 2)

    def score(delta):
        # The cells are p and p + |delta|; the likelihood is concave in p.
        small, large, top = (b, c, (1 - abs(delta)) / 2) if delta > 0 else (c, b, (1 - abs(delta)) / 2)

        def slope(p):
            return small / p + large / (p + abs(delta)) - (n - b - c) / (top - p)

        low, high = 1e-18, top * (1 - 1e-14)
        p = brentq(slope, low, high, xtol=1e-300, rtol=1e-15) if slope(low) > 0 > slope(high) else 0.0 if slope(low) <= 0 else top
        return (c - b - n * delta) / math.sqrt(max(1e-300, n * (2 * p + abs(delta) - delta**2)))

    observed = (c - b) / n
    edge = 1e-13
    low = brentq(lambda d: score(d) - z, -1 + edge, observed - edge, xtol=1e-14) if observed > -1 + 1e-9 else -1.0
    high = brentq(lambda d: score(d) + z, observed + edge, 1 - edge, xtol=1e-14) if observed < 1 - 1e-9 else 1.0
    return [float(low), float(high)]


def binary_case(n, b, c, level):
    """b right in A alone, c in B alone."""
    pmf, k = net_pmf(n, b, c), np.arange(-n, n + 1)
    tail = expanded_tail(n, level)
    d = np.repeat([-1.0, 0.0, 1.0], [b, n - b - c, c]) - (c - b) / n
    z0 = st.norm.ppf(pmf[k < c - b].sum() + pmf[k == c - b].sum() / 2)
    acceleration = (d**3).sum() / (6 * (d**2).sum() ** 1.5) if d.any() else 0.0

    def bca(p):
        z = z0 + st.norm.ppf(p)
        return st.norm.cdf(z0 + z / (1 - acceleration * z))

    score = tango(n, b, c, 0.85 * level)  # stats/tango.go: cautious
    pi_low, pi_high = proportion_confint(c, b + c, alpha=level, method="beta")
    share = (b + c) / n
    exact = [(2 * pi_low - 1) * share, (2 * pi_high - 1) * share]
    below, above = np.cumsum(pmf), np.cumsum(pmf[::-1])[::-1]

    def interval(lower, upper):
        lo = k[np.argmax(below >= lower)] / n
        hi = k[len(k) - 1 - np.argmax(above[::-1] >= upper)] / n
        return [float(min(lo, exact[0], score[0])), float(max(hi, exact[1], score[1]))]

    return {"n": n, "only_a": b, "only_b": c, "level": level, "percentile": interval(tail, tail),
            "bca": interval(bca(tail), 1 - bca(1 - tail))}


def mcnemar_case(b, c):
    p = mcnemar([[0, b], [c, 0]], exact=True).pvalue if b + c else 1.0
    if b + c:
        assert math.isclose(p, st.binomtest(b, b + c).pvalue, rel_tol=1e-9)
    k, n = min(b, c), b + c
    mid = 1.0 if b == c else 2 * st.binom.cdf(k, n, 0.5) - st.binom.pmf(k, n, 0.5)
    return {"only_a": b, "only_b": c, "p": float(p), "mid_p": float(mid)}


def mcnemar_power(n, discordance, difference, level):
    m = np.arange(n + 1)
    # The greatest k with 2 P(X <= k) < level: one below the first that has not.
    k = st.binom.ppf(level / 2, m, 0.5).astype(int)
    k = np.where(2 * st.binom.cdf(k, m, 0.5) < level, k, k - 1)
    pi = (1 + difference / discordance) / 2
    reject = st.binom.cdf(k, m, pi) + st.binom.sf(m - k - 1, m, pi)
    return float((st.binom.pmf(m, n, discordance) * np.where(k >= 0, reject, 0)).sum())


def mde(n, discordance, level, power):
    return brentq(lambda d: mcnemar_power(n, max(d, discordance), d, level) - power, 1e-9, 1, xtol=1e-12)


def least_n(discordance, difference, level, power):
    n = 1
    while mcnemar_power(n, discordance, difference, level) < power:
        n += 1
    return n


def mean_case(values, clusters, level):
    fit = sm.OLS(values, np.ones(len(values)))
    if clusters is None:
        fit = fit.fit()
    else:
        fit = fit.fit(cov_type="cluster", cov_kwds={"groups": np.unique(clusters, return_inverse=True)[1]}, use_t=True)
    low, high = fit.conf_int(alpha=level)[0]
    return {"values": list(values), "clusters": clusters, "level": level, "mean": float(fit.params[0]),
            "se": float(fit.bse[0]), "low": float(low), "high": float(high)}


def sign_flip_case(d):
    r = st.permutation_test((d, np.zeros(len(d))), lambda x, y: np.mean(x - y), permutation_type="samples",
                            n_resamples=np.inf, vectorized=False)
    return {"differences": list(d), "p": float(r.pvalue)}


def main():
    rng = np.random.default_rng(20250420)
    out = {"made_with": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__,
                         "statsmodels": statsmodels.__version__}}

    out["mcnemar"] = [mcnemar_case(b, c) for b, c in
                      [(0, 0), (0, 1), (1, 0), (0, 5), (0, 6), (1, 8), (5, 5), (5, 6), (10, 25), (40, 61), (61, 40),
                       (300, 371), (600, 601), (3000, 3300), (20, 900), (12000, 12600), (0, 1100)]]
    out["wilson"] = [dict(k=k, n=n, level=level, interval=list(map(float, proportion_confint(k, n, level, "wilson"))))
                     for k, n, level in [(0, 10, 0.05), (10, 10, 0.05), (1, 3, 0.05), (337, 600, 0.05), (337, 600, 0.01), (9990, 10000, 0.1)]]
    out["clopper_pearson"] = [dict(k=k, n=n, level=level, interval=list(map(float, proportion_confint(k, n, level, "beta"))))
                              for k, n, level in [(0, 10, 0.05), (10, 10, 0.05), (1, 3, 0.05), (337, 600, 0.05), (337, 600, 0.01), (4990, 10000, 0.05)]]
    out["holm"] = [dict(p=p, adjusted=multipletests(p, method="holm")[1].tolist()) for p in
                   [[0.01, 0.04, 0.03, 0.005], [0.5], [0.02, 0.02, 0.02], [1, 1, 0.9], [0.001, 0.2, 0.04, 0.04, 0.8, 1e-9, 0.03]]]

    x = np.round(rng.normal(0.3, 1, 40), 6)
    labels = [f"page {i % 7 if i < 30 else 7}" for i in range(40)]
    right = (rng.random(60) < 0.7).astype(float)
    out["mean"] = [mean_case(x, None, 0.05), mean_case(x, labels, 0.05), mean_case(right, None, 0.1),
                   mean_case(right, [f"cell {i // 5:02d}" for i in range(60)], 0.05), mean_case(x[:2], None, 0.05)]

    skewed = np.round(rng.lognormal(0, 1, 13) - 1.2, 6)
    out["sign_flip"] = [sign_flip_case(d) for d in
                        (skewed, np.round(rng.normal(0.6, 1, 12), 6), np.array([1.0, 1, 1, -1, 2, 0, 3]), np.array([2.0, 2, 2, 2, 2, 2]))]

    n = 31
    words = rng.integers(20, 400, n).astype(float)
    ll_a = -np.round(words * rng.gamma(30, 0.1, n), 4)
    ll_b = np.round(ll_a * rng.normal(1.02, 0.03, n), 4)
    base = np.round(rng.normal(2, 1, 25), 5)
    after = np.round(base + rng.lognormal(-2, 1, 25) - 0.1, 5)
    source = [f"source {int(i):02d}" for i in rng.integers(0, 9, n)]
    hits_a, hits_b = (rng.random(48) < 0.6).astype(float), (rng.random(48) < 0.7).astype(float)
    cells = [f"{i // 4:02d}" for i in range(48)]
    out["bootstrap"] = [
        bootstrap_case("diagnostic", "share", base, after),
        bootstrap_case("word perplexity", "perplexity", ll_a, ll_b, words),
        bootstrap_case("bits per byte", "bits", ll_a, ll_b, words * 5),
        bootstrap_case("perplexity of documents", "perplexity", np.round(ll_a / words, 6), np.round(ll_b / words, 6)),
        bootstrap_case("weighted share", "share", base, after, np.round(rng.gamma(2, 1, 25), 4)),
        bootstrap_case("clustered perplexity", "perplexity", ll_a, ll_b, words, source, seed=11),
        bootstrap_case("clustered accuracy", "share", hits_a, hits_b, None, cells, seed=12, level=0.1),
    ]
    out["binary"] = [binary_case(*c) for c in
                     [(20, 1, 4, 0.05), (50, 4, 0, 0.05), (200, 10, 25, 0.05), (200, 25, 10, 0.05), (200, 12, 12, 0.05),
                      (300, 0, 1, 0.05), (400, 30, 60, 0.01), (600, 80, 90, 0.1), (60, 0, 60, 0.05), (60, 20, 40, 0.05)]]

    out["tango"] = [{"n": n, "only_a": b, "only_b": c, "level": level, "interval": tango(n, b, c, level)} for n, b, c, level in
                    [(20, 0, 0, 0.05), (50, 0, 1, 0.05), (50, 1, 0, 0.05), (21, 7, 1, 0.05), (160, 40, 20, 0.05), (200, 12, 12, 0.05),
                     (1000, 30, 41, 0.01), (60, 0, 59, 0.05), (300, 0, 3, 0.05), (10000, 300, 371, 0.05), (5, 2, 3, 0.1)]]

    power = [(100, 0.1, 0.05, 0.05), (500, 0.15, 0.05, 0.05), (500, 0.15, 0.0, 0.05), (2000, 0.1, 0.02, 0.05), (2000, 0.1, 0.02, 0.005), (300, 0.05, 0.05, 0.05), (5, 0.9, 0.9, 0.05)]
    out["mcnemar_power"] = [dict(n=n, discordance=s, difference=d, level=a, power=mcnemar_power(n, s, d, a)) for n, s, d, a in power]
    out["mcnemar_mde"] = [dict(n=n, discordance=s, level=a, mde=mde(n, s, a, 0.8)) for n, s, a in
                          [(100, 0.1, 0.05), (500, 0.15, 0.05), (2000, 0.1, 0.05), (2000, 0.1, 0.005), (500, 0.0, 0.05), (500, 0.004, 0.05), (1000, 1.0, 0.05)]]
    out["mcnemar_n"] = [dict(discordance=s, difference=d, level=0.05, n=least_n(s, d, 0.05, 0.8)) for s, d in [(0.2, 0.1), (0.1, 0.05), (0.1, 0.1)]]
    print(json.dumps(out, indent=1))


main()
