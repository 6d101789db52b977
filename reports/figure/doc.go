// Package figure makes files of a chart's scene for papers: SVG, PNG and PDF of a column's
// width, with 8 pt type, and CSV of its numbers. It knows no run, metric or page, and uses
// no program but itself: glyphs are those of the Go font, which stands in the binary.
package figure
