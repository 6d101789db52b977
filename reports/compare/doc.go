// Package compare sets two runs side by side: it pairs their documents, refuses
// runs that did not do the same, and says of every metric whether B is better or
// worse than A.
//
// It owns what is comparable, how documents are paired and what a comparison
// says. It must not know how a run came about, nor the formulas of a test: those
// are stats'. Nor does it know HTML; its table for a terminal shows
// nothing that is not in the Comparison.
package compare
