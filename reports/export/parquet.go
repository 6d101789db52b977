package export

import (
	"io"
	"math"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/text"
)

// parquetRow is a line of WriteCSV's table; what cannot be given is null.
type parquetRow struct {
	Run             string   `parquet:"run,dict"`
	Task            string   `parquet:"task,dict"`
	Metric          string   `parquet:"metric,dict"`
	N               int64    `parquet:"n"`
	Value           *float64 `parquet:"value,optional"`
	Stderr          *float64 `parquet:"stderr,optional"`
	Low             *float64 `parquet:"low,optional"`
	High            *float64 `parquet:"high,optional"`
	HigherIsBetter  *bool    `parquet:"higher_is_better,optional"`
	Clusters        *int64   `parquet:"clusters,optional"`
	ClusteredStderr *float64 `parquet:"stderr_clustered,optional"`
	Length          *int64   `parquet:"length,optional"` // of a passkey cell
	Depth           *float64 `parquet:"depth,optional"`
}

// WriteParquet writes the rows of WriteCSV as a Parquet file, with passkey cells' length and depth
// as columns. The same runs give the same bytes.
func WriteParquet(w io.Writer, sides []*compare.Side) error {
	out := parquet.NewGenericWriter[parquetRow](w, parquet.Compression(&zstd.Codec{}), parquet.CreatedBy("softbench", "export", "1"))
	for _, s := range sides {
		for _, n := range numbersOf(s) {
			row := parquetRow{
				Run: text.Printable(s.Name), Task: text.Printable(n.task), Metric: text.Printable(n.metric), N: int64(n.n),
				Value: known(n.value), Stderr: known(n.stderr), Low: known(n.low), High: known(n.high),
			}
			if n.directed {
				row.HigherIsBetter = &n.higherIsBetter
			}
			if n.clusters > 0 {
				clusters := int64(n.clusters)
				row.Clusters, row.ClusteredStderr = &clusters, known(n.clusteredStderr)
			}
			if c := n.cell; c != nil {
				length, depth := int64(c.Length), c.Depth
				row.Length, row.Depth = &length, &depth
			}
			if _, err := out.Write([]parquetRow{row}); err != nil {
				return err
			}
		}
	}
	return out.Close()
}

// known is a number where it is one.
func known(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}
