// Package stats compares two lists of measurements of the same documents.
//
// It owns the tests, intervals and sample sizes of paired comparisons and the
// rule of a gate. It must not know models, tasks, files or how a number is
// printed. Wilson intervals and the bootstrap of a single list are in
// tasks/stats, which this package builds upon.
//
// Every result carries its warnings. What is random is seeded: the same numbers
// in the same order give the same result everywhere. Swapping the two lists
// changes the signs of a difference and of its bounds and nothing else, to the
// last bit.
package stats
