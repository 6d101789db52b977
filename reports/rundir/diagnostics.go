package rundir

import "path/filepath"

// Diagnostics are measures of the inside of a model over samples of text, all of
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

const diagnosticsName = "diagnostics.parquet"

// writeHeads writes rows.
func writeHeads(path string, rows []HeadRow) error { return writeParquet(path, rows) }

// ReadHeads reads a finished run's diagnostics.parquet.
func ReadHeads(dir string) ([]HeadRow, error) {
	return readParquet[HeadRow](filepath.Join(dir, diagnosticsName))
}
