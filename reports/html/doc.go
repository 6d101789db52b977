// Package html writes a report: one self-contained page about one run, the
// difference of two, or the course of more.
//
// It owns how results look: the page's document (its numbers as JSON), its
// tables and drawings, its style and its script. It must not compute a
// statistic of a comparison, nor know how a run came about. Every number it
// shows stands in the JSON that the page carries.
//
// The page loads nothing but, where the caller wants it, the ECharts library;
// without it the tables and the drawings remain.
package html
