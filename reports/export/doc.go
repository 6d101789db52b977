// Package export writes runs as tables for other tools and for papers: CSV,
// Markdown and LaTeX. Files in lm-evaluation-harness's format are reports/lmeval's.
//
// It owns the tables and that no name can break out of them. It must not know
// statistics: its marks are reports/compare's verdicts.
package export
