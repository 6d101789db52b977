// Package lmeval reads and writes what lm-evaluation-harness leaves on disk:
// results_<date>.json, and samples_<task>_<date>.jsonl for each task, which it
// writes with --log_samples.
//
// It owns these formats, as version 0.4.13 writes them and older ones that differ
// in details. It must not know what is done with a result: pairing and statistics
// are reports/compare's.
package lmeval
