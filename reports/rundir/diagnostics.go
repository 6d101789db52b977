package rundir

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/parquet-go/parquet-go"
)

// Diagnostics are measures of a model over samples of text, all of
// Length tokens. Shares are in [0, 1].
type Diagnostics struct {
	Task         string             `json:"task"`
	Samples      int                `json:"samples"`
	Length       int                `json:"length"`
	Threshold    float64            `json:"threshold"`
	SinkRate     Number             `json:"sink_rate"`     // share of (sample, layer, head) whose mean weight on the first token exceeds Threshold
	Sparsity     Number             `json:"sparsity"`      // share of the causal triangle with weight exactly 0
	NearSparsity Number             `json:"near_sparsity"` // with weight at most 1e-5
	DeadHeads    Number             `json:"dead_heads"`    // share of heads without any weight anywhere
	Mass         Number             `json:"mass"`          // mean sum of a query's weights
	Kurtosis     Number             `json:"kurtosis"`      // of the residual stream, pooled over layers; 3 for a Gaussian
	Min          Number             `json:"min"`           // of the residual stream
	Max          Number             `json:"max"`
	Massive      int64              `json:"massive"` // activations above 100 and 1000 medians
	Layers       []DiagnosticsLayer `json:"layers"`
}

// DiagnosticsLayer is one layer of Diagnostics; head measures are means over its
// heads.
type DiagnosticsLayer struct {
	Layer     int    `json:"layer"`
	SinkRate  Number `json:"sink_rate"`
	Sparsity  Number `json:"sparsity"`
	DeadHeads Number `json:"dead_heads"`
	Mass      Number `json:"mass"`
	Kurtosis  Number `json:"kurtosis"`
	Min       Number `json:"min"`
	Max       Number `json:"max"`
	Massive   int64  `json:"massive"`
}

// HeadRow is one row of diagnostics.parquet: one head.
type HeadRow struct {
	Layer        int32     `parquet:"layer"`
	Head         int32     `parquet:"head"`
	SinkShare    float64   `parquet:"sink_share"` // of the samples
	Sparsity     float64   `parquet:"sparsity"`
	NearSparsity float64   `parquet:"near_sparsity"`
	Dead         bool      `parquet:"dead"`
	Silent       float64   `parquet:"silent"`         // share of queries without any weight
	Mass         float64   `parquet:"mass"`           // mean sum of a query's weights
	MassSeen     []int32   `parquet:"mass_seen,list"` // lower bounds, powers of two, of the numbers of keys a query sees
	MassMean     []float64 `parquet:"mass_mean,list"` // mean sum of weights over such queries
}

// DiagnosticsSample is one row of diagnostics_samples.parquet: one sample of text, over
// the whole model. It is what a comparison of two runs pairs.
type DiagnosticsSample struct {
	Sample       int32   `parquet:"sample"`        // from 0
	DocID        int32   `parquet:"doc_id"`        // of the document that it is cut from
	DocHash      string  `parquet:"doc_hash,dict"` // "" in runs of schema version 1, which do not say
	Cluster      string  `parquet:"cluster,dict"`  // samples of one cluster are not independent
	SinkRate     float64 `parquet:"sink_rate"`     // share of heads
	Sparsity     float64 `parquet:"sparsity"`      // pooled over heads
	NearSparsity float64 `parquet:"near_sparsity"` // pooled over heads
	DeadHeads    float64 `parquet:"dead_heads"`    // share of heads, in this sample
	Mass         float64 `parquet:"mass"`          // mean over heads and queries
	Kurtosis     float64 `parquet:"kurtosis"`      // pooled over layers
}

// since are the columns that files of earlier schema versions do not have.
func (DiagnosticsSample) since() map[int][]string {
	return map[int][]string{2: {"doc_id", "doc_hash", "cluster"}}
}

// MapRow is one row of attention_maps.parquet: one head's weights on a text.
type MapRow struct {
	Layer   int32     `parquet:"layer"`
	Head    int32     `parquet:"head"`
	Tokens  []string  `parquet:"tokens,list"`
	Weights []float32 `parquet:"weights,list"` // rows of the lower triangle, one after the other
}

// schemaOf is the schema of a file's rows. Its name in the file is the type's, of those that have
// kept theirs.
func schemaOf[T any]() *parquet.Schema {
	s := parquet.SchemaOf(*new(T))
	if _, ok := any(*new(T)).(DiagnosticsSample); ok {
		return parquet.NewSchema("InsideRow", s)
	}
	return s
}

// DiagnosticsRows is what diagnostics leave beside the manifest; a run without them has
// none of it.
type DiagnosticsRows struct {
	Heads   []HeadRow
	Samples []DiagnosticsSample
	Maps    []MapRow
}

const (
	diagnosticsName        = "diagnostics.parquet"
	diagnosticsSamplesName = "diagnostics_samples.parquet"
	mapsName               = "attention_maps.parquet"
)

// tables are the files of Diagnostics that has something to put there.
func (in *DiagnosticsRows) tables() []table {
	var out []table
	if in.Heads != nil {
		out = append(out, table{diagnosticsName, len(in.Heads), func(ctx context.Context, path string) error { return writeParquet(ctx, path, in.Heads) }})
	}
	if in.Samples != nil {
		out = append(out, table{diagnosticsSamplesName, len(in.Samples), func(ctx context.Context, path string) error { return writeParquet(ctx, path, in.Samples) }})
	}
	if in.Maps != nil {
		out = append(out, table{mapsName, len(in.Maps), func(ctx context.Context, path string) error { return writeParquet(ctx, path, in.Maps) }})
	}
	return out
}

// table is a Parquet file to write.
type table struct {
	name  string
	rows  int
	write func(ctx context.Context, path string) error
}

// ReadDiagnosticsSamples reads a finished run's diagnostics_samples.parquet.
func ReadDiagnosticsSamples(ctx context.Context, dir string) ([]DiagnosticsSample, error) {
	rows, err := readParquet[DiagnosticsSample](ctx, filepath.Join(dir, diagnosticsSamplesName), nil)
	if err != nil {
		return nil, err
	}
	for i, r := range rows {
		if int(r.Sample) != i {
			return nil, fmt.Errorf("%s: row %d is of sample %d", filepath.Join(dir, diagnosticsSamplesName), i, r.Sample)
		}
	}
	return rows, nil
}

// ReadMaps reads a finished run's attention_maps.parquet.
func ReadMaps(ctx context.Context, dir string) ([]MapRow, error) {
	path := filepath.Join(dir, mapsName)
	rows, err := readParquet[MapRow](ctx, path, nil)
	if err != nil {
		return nil, err
	}
	for i, r := range rows {
		if n := len(r.Tokens); len(r.Weights) != n*(n+1)/2 {
			return nil, fmt.Errorf("%s: row %d has %d weights for %d tokens, want %d", path, i, len(r.Weights), n, n*(n+1)/2)
		}
	}
	return rows, nil
}

// HasMaps reports whether the run wrote attention maps.
func (r *Run) HasMaps() bool { return r.wrote(mapsName) }

// HasDiagnosticsSamples reports whether the run wrote its diagnostics by sample.
func (r *Run) HasDiagnosticsSamples() bool { return r.wrote(diagnosticsSamplesName) }

func (r *Run) wrote(name string) bool {
	return slices.ContainsFunc(r.Process.Written, func(w Written) bool { return w.Name == name })
}

// ReadHeads reads a finished run's diagnostics.parquet.
func ReadHeads(ctx context.Context, dir string) ([]HeadRow, error) {
	return readParquet[HeadRow](ctx, filepath.Join(dir, diagnosticsName), nil)
}
