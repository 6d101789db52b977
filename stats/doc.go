// Package stats says how sure a measurement of documents is: of one list by
// itself, and of two lists over the same documents.
//
// It owns the errors and intervals of single metrics, the tests, intervals and
// sample sizes of paired comparisons, and the rule of a gate. It must not know
// models, tasks, files or how a number is printed.
//
// Every result carries its warnings. What is random is seeded: the same numbers
// in the same order give the same result everywhere. Swapping the two lists
// changes the signs of a difference and of its bounds and nothing else, to the
// last bit.
package stats
