package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/softbench/softbench/internal/atomicfile"
	"github.com/softbench/softbench/reports/figure"
	"github.com/softbench/softbench/reports/html"
)

// figureOptions say which figures to write, and where.
type figureOptions struct {
	dir   string
	width string // of a column or a page
}

// writeFigures writes the charts of the runs' page.
func (o *exportOptions) writeFigures(ctx context.Context) error {
	formats := figure.Formats
	if o.format != "" {
		formats = strings.Split(o.format, ",")
	}
	for i, f := range formats {
		if !slices.Contains(figure.Formats, f) {
			return fmt.Errorf("--format %s: figures are written as %s", o.format, strings.Join(figure.Formats, ", "))
		}
		if slices.Contains(formats[:i], f) {
			return fmt.Errorf("--format %s: %s is there twice", o.format, f)
		}
	}
	var width figure.Width
	switch o.figures.width {
	case "", "column":
		width = figure.Column
	case "page":
		width = figure.Page
	default:
		return fmt.Errorf("--width %s: want column or page", o.figures.width)
	}
	if o.out != "" {
		return errors.New("--output names one file, and figures are several: --figures DIR is where they go")
	}
	if o.options.Intersect && len(o.runs) == 1 {
		return errors.New("--intersect is about what two runs share, and one is given")
	}
	page, err := openPage(ctx, o.io, o.runs, o.base, o.options)
	if err != nil {
		return err
	}
	figures, err := html.Figures(page)
	if err != nil {
		return err
	}
	if len(figures) == 0 {
		return errors.New("the runs have nothing that is drawn: no score, passkey grid, perplexity by position or diagnostics")
	}
	if err := atomicfile.MkdirAll(o.figures.dir, 0o777); err != nil {
		return err
	}
	for _, f := range figures {
		if lost := figure.Lost(f.Chart, width); len(lost) > 0 && (slices.Contains(formats, "pdf") || slices.Contains(formats, "png")) {
			fmt.Fprintf(o.io.err, "note: %s: the type of PDF and PNG has no %s: empty boxes stand for them (SVG has them in the reader's typeface)\n", f.ID, oneLine(string(lost)))
		}
		for _, format := range formats {
			if err := ctx.Err(); err != nil {
				return err
			}
			path := filepath.Join(o.figures.dir, f.ID+"."+format)
			if err := atomicfile.Output(ctx, path, func(w io.Writer) error { return figure.Write(w, f.Chart, format, f.Caption, width) }); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintf(o.io.out, "%s  %s\n", f.ID, oneLine(f.Caption)); err != nil {
			return err
		}
	}
	return nil
}
