package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/softbench/softbench/internal/rescue"
)

// heard returns what work returns, or the context's error as soon as the context ends:
// for what reads and shows, which not everywhere looks at one (a YAML file, a page).
// The work then goes on unheard until the process ends; files are written whole or not
// at all, so nothing is left half done.
func heard(ctx context.Context, work func() error) error {
	done := make(chan error, 1)
	go func() { done <- rescue.Try(work) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// savesByItself are the commands that keep what they have done when they are told to
// stop: they hear a context themselves.
var savesByItself = map[string]bool{"run": true, "compare": true, "stress": true, "serve": true, "train": true, "study": true, "world": true}

// hear lets every other command end as soon as it is told to.
func hear(cmd *cobra.Command) {
	if run := cmd.RunE; run != nil && !savesByItself[cmd.Name()] {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			return heard(cmd.Context(), func() error { return run(cmd, args) })
		}
	}
	for _, c := range cmd.Commands() {
		hear(c)
	}
}
