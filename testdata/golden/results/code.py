"""What tasks of the mill compute of documents and answers."""

from sklearn.metrics import f1_score


def short(dataset):
    return dataset.filter(lambda doc: len(doc["question"]) < 60)


def macro(items):
    golds, preds = zip(*items)
    return f1_score(golds, preds, average="macro")


def ranked(doc, results):
    scores = [r[0] for r in results]
    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    rank = order.index(doc["right"])
    return {"rank": rank, "first": int(rank == 0)}


def overlap(references, predictions):
    said = set(predictions[0].lower().split())
    right = set(references[0].lower().split())
    return len(said & right) / max(1, len(said | right))


def judged(doc, results):
    said = results[0].strip()
    right = said.lower() == doc["said_judged"].strip().lower()
    return {"em": 1.0 if right else 0.0, "share": (len(said), sum(c == "e" for c in said))}


def share(items):
    lengths, es = zip(*items)
    return sum(es) / max(1, sum(lengths))
