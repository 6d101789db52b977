package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"

	"github.com/softbench/softbench/internal/atomicfile"
)

type manOptions struct {
	command *cobra.Command
	dir     string
}

// newMan is for those who make packages: deploy/release puts the pages beside the program.
func newMan(_ streams, run work[manOptions]) *cobra.Command {
	return &cobra.Command{
		Use:                   "man DIRECTORY",
		Short:                 "Write the manual's pages, one for each command",
		Long:                  `Writes a page for man(1) of every command, softbench.1, softbench-run.1 and so on, into a directory that it makes.`,
		Example:               `  softbench man /usr/local/share/man/man1`,
		Args:                  oneArg("the directory for the pages"),
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(&manOptions{cmd.Root(), args[0]}, cmd.Context())
		},
	}
}

func (o *manOptions) execute(ctx context.Context) error {
	if err := os.MkdirAll(o.dir, 0o777); err != nil {
		return fmt.Errorf("the manual: %w", err)
	}
	header := doc.GenManHeader{Section: "1", Source: "softbench " + version(), Manual: "Softbench's manual", Date: built()}
	return writePages(ctx, o.command, o.dir, header)
}

// writePages writes the page of a command and of those below it.
func writePages(ctx context.Context, cmd *cobra.Command, dir string, header doc.GenManHeader) error {
	cmd.DisableAutoGenTag = true
	name := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
	header.Title = strings.ToUpper(name)
	escape(cmd)
	err := atomicfile.Output(ctx, filepath.Join(dir, name+".1"), func(w io.Writer) error { return doc.GenMan(cmd, &header, w) })
	if err != nil {
		return err
	}
	for _, below := range cmd.Commands() {
		if !below.IsAvailableCommand() {
			continue
		}
		if err := writePages(ctx, below, dir, header); err != nil {
			return err
		}
	}
	return nil
}

// escape keeps the help's texts from being read as Markdown, which the pages are made
// from: a pattern's stars are not emphasis.
func escape(cmd *cobra.Command) {
	text := strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "<", `\<`)
	cmd.Short, cmd.Long = text.Replace(cmd.Short), text.Replace(cmd.Long)
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) { f.Usage = text.Replace(f.Usage) })
}

// built is the time of the commit that the program was built from, nil where Go did not
// record one: the same program writes the same pages.
func built() *time.Time {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.time" {
			if t, err := time.Parse(time.RFC3339, s.Value); err == nil {
				return &t
			}
		}
	}
	return nil
}
