// Package metric says what each metric is, in one row: its name, direction, formula,
// weighting, unit, who has it, its column in a run and what lm-evaluation-harness calls it.
// Tasks compute from the row, runs keep, comparisons pair and test, gates, exports and pages
// show by it. It knows no task, model or file. A new metric is a row of Table.
package metric
