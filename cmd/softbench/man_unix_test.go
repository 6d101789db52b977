//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestManual: every command has a page with every flag, and no text of the help is lost
// to the markup that the pages are made from.
func TestManual(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man")
	if code, _, stderr := softbench(t, "man", dir); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	pages := 0
	var check func(cmd *cobra.Command)
	check = func(cmd *cobra.Command) {
		pages++
		page, err := os.ReadFile(filepath.Join(dir, strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".1"))
		if err != nil {
			t.Fatal(err)
		}
		said := plain(string(page))
		for _, text := range []string{cmd.Short, cmd.Long, cmd.Example} {
			if !strings.Contains(said, plain(text)) {
				t.Errorf("the page of %s lacks %q; it is\n%s", cmd.CommandPath(), text, page)
			}
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && (!strings.Contains(said, "--"+f.Name) || !strings.Contains(said, plain(f.Usage))) {
				t.Errorf("the page of %s lacks --%s: %s", cmd.CommandPath(), f.Name, f.Usage)
			}
		})
		for _, below := range cmd.Commands() {
			if below.IsAvailableCommand() {
				check(below)
			}
		}
	}
	check(newRoot(streams{}))
	files, err := os.ReadDir(dir)
	if err != nil || len(files) < pages {
		t.Errorf("%d pages for %d commands: %v", len(files), pages, err)
	}
}

// plain is text without the page's markup, quotes of flags' values, and spaces.
func plain(page string) string {
	page = strings.NewReplacer(`\\`, `\`, `\(en`, "-", `\-`, "-", `\&`, "", `\fB`, "", `\fI`, "", `\fP`, "", `\fR`, "", `\(cq`, "'", `\(aq`, "'", "`", "").Replace(page)
	var b strings.Builder
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, ".PP") || strings.HasPrefix(line, ".EX") || strings.HasPrefix(line, ".EE") {
			continue
		}
		b.WriteString(strings.Join(strings.Fields(line), ""))
	}
	return b.String()
}
