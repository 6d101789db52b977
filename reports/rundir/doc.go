// Package rundir is a run on disk: a journal while it goes on, a manifest and
// the samples when it is done.
//
//	journal          every result as it came, one checked line each; gone when done
//	run.json         the manifest: what was run, on what, and the metrics
//	samples.parquet  one row for each document and request
//
// It owns these formats, their checks and what survives a crash. It must not
// know how results come about, nor what a metric means. docs/run-format.md
// documents the formats.
//
// A directory with run.json is a complete run; one with a journal alone is
// running where a process holds the journal's lock, else interrupted. Whatever
// Finish writes Open accepts, and nothing else: both run the same checks.
package rundir
