// Package gate holds a run against a baseline: a small JSON file with a run's
// results by document and, for each metric, how much worse a new run may be.
//
// It owns the baseline's and the policy's format, what makes a run unfit to be
// judged, and how a decision is reported to a CI system. The rule itself and its
// statistics are stats'. It must not know commands or exit codes.
package gate
