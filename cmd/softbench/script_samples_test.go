package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/parquet-go/parquet-go"

	"github.com/softbench/softbench/reports/rundir"
)

// spoilSamples rewrites a run's samples.parquet with one fault, and its hash in
// run.json, so that only the fault itself can be found: twice, split, nan, schema,
// none.
func spoilSamples(dir, fault string) error {
	rows, err := rundir.ReadSamples(context.Background(), dir)
	if err != nil {
		return err
	}
	schema := "2"
	switch fault {
	case "twice":
		rows = append(rows, rows[0])
	case "split":
		rows[0], rows[len(rows)-1] = rows[len(rows)-1], rows[0]
	case "nan":
		nan := math.NaN()
		rows[0].LogLikelihood = &nan
	case "schema":
		schema = "9"
	case "none":
	default:
		return fmt.Errorf("no fault %q", fault)
	}
	var out bytes.Buffer
	w := parquet.NewGenericWriter[rundir.Sample](&out, parquet.KeyValueMetadata("softbench.schema", schema))
	if _, err := w.Write(rows); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return replaceSamples(dir, out.Bytes())
}

// replaceSamples puts another samples.parquet into a run, and its hash in run.json.
func replaceSamples(dir string, with []byte) error {
	path := filepath.Join(dir, "samples.parquet")
	before, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	manifest := filepath.Join(dir, "run.json")
	text, err := os.ReadFile(manifest)
	if err != nil {
		return err
	}
	was, is := hashOf(before), hashOf(with)
	if !bytes.Contains(text, []byte(was)) {
		return fmt.Errorf("%s does not hold the hash of the samples", manifest)
	}
	text, err = rundir.Sign(bytes.ReplaceAll(text, []byte(was), []byte(is)))
	if err != nil {
		return err
	}
	if err := os.WriteFile(manifest, text, 0o666); err != nil {
		return err
	}
	return os.WriteFile(path, with, 0o666)
}

func hashOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
