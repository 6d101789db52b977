// Command gen writes the generated assembly files into a directory.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/softbench/softbench/internal/asmgen"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gen DIR")
		os.Exit(2)
	}
	for name, text := range asmgen.Files() {
		if err := os.WriteFile(filepath.Join(os.Args[1], name), text, 0o644); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}
