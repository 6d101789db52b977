// Package chart describes a chart once and draws it twice: as SVG, which needs no script,
// and as the options of an interactive chart of ECharts.
//
//	Lines    series over a common axis, with marks, intervals or bands
//	Forest   a row for each estimate with its interval, around a reference
//	Heat     a grid of cells by shade
//
// A description is plain series, labels and units: the package knows no run, metric or
// page. Colours are names of the page's style (see Inks), so that one drawing serves the
// light and the dark theme and paper. A new chart is a description with the methods of
// Chart, and a row in the test's list of all.
package chart
