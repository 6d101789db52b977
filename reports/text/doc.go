// Package text lays out tables for a terminal and writes numbers as people read them:
// grids, widths, wrapping, decimals, percentages. It knows no run and no metric; each
// table stays with its subject.
package text
