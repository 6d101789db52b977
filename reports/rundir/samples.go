package rundir

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"github.com/softbench/softbench/internal/atomicfile"
)

// Sample is one row of samples.parquet: one request of one document. Columns
// that a kind of task does not have are null. Rows are ordered by task as run,
// document and request.
type Sample struct {
	Task    string `parquet:"task,dict"`
	Kind    string `parquet:"kind,dict"` // multiple_choice, last_word, rolling_perplexity or passkey
	DocID   int32  `parquet:"doc_id"`
	DocHash string `parquet:"doc_hash,dict"`
	Cluster string `parquet:"cluster,dict"` // documents of one cluster are not independent; "": none
	Request int32  `parquet:"request"`

	Gold         *int32  `parquet:"gold,optional"` // index of the right request
	Context      *string `parquet:"context,optional,dict"`
	Choice       *string `parquet:"choice,optional"`       // what acc_norm measures the length of
	Continuation *string `parquet:"continuation,optional"` // what was scored

	LogLikelihood *float64 `parquet:"loglikelihood,optional"` // natural logarithm
	IsGreedy      *bool    `parquet:"is_greedy,optional"`

	ContextTokens      int32 `parquet:"context_tokens"`
	ContinuationTokens int32 `parquet:"continuation_tokens"` // of a rolling text: tokens scored
	Truncated          int32 `parquet:"truncated"`           // tokens cut off on the left

	// Of the document, the same in each of its rows.
	Correct      *bool `parquet:"correct,optional"` // acc
	CorrectNorm  *bool `parquet:"correct_norm,optional"`
	CorrectBytes *bool `parquet:"correct_bytes,optional"`

	// Of a rolling text.
	Words              *int64    `parquet:"words,optional"`
	Bytes              *int64    `parquet:"bytes,optional"`
	Windows            *int32    `parquet:"windows,optional"`
	PositionLikelihood []float64 `parquet:"position_loglikelihood,list"` // by sixteenths of the context
	PositionTokens     []int32   `parquet:"position_tokens,list"`

	// Of a passkey trial.
	Length    *int32   `parquet:"length,optional"`
	Depth     *float64 `parquet:"depth,optional"`
	Key       *int32   `parquet:"key,optional"`
	Generated *string  `parquet:"generated,optional"`
	RightText *bool    `parquet:"right_text,optional"`
}

// maxSamples bounds what a file may claim to hold.
const maxSamples = 1 << 28

// writeSamples writes rows; the same rows give the same bytes.
func writeSamples(path string, rows []Sample) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		out := parquet.NewGenericWriter[Sample](w,
			parquet.Compression(&zstd.Codec{}),
			parquet.MaxRowsPerRowGroup(1<<17),
			parquet.CreatedBy("softbench", "schema", fmt.Sprint(Schema)),
			parquet.KeyValueMetadata("softbench.schema", fmt.Sprint(Schema)))
		if _, err := out.Write(rows); err != nil {
			return err
		}
		return out.Close()
	})
}

// ReadSamples reads and checks a finished run's samples: its schema, that no
// request is there twice, that loglikelihoods are numbers.
func ReadSamples(dir string) (rows []Sample, err error) {
	path := filepath.Join(dir, samplesName)
	defer func() {
		if r := recover(); r != nil { // the Parquet reader's answer to some damaged files
			rows, err = nil, fmt.Errorf("%s: damaged or not a Parquet file: %v", path, r)
		}
	}()
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	pf, err := parquet.OpenFile(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: damaged or not a Parquet file: %w", path, err)
	}
	if v, ok := pf.Lookup("softbench.schema"); !ok || v != fmt.Sprint(Schema) {
		return nil, fmt.Errorf("%s: schema %q, this version of softbench reads %d: use the version that wrote it", path, v, Schema)
	}
	if pf.NumRows() < 0 || pf.NumRows() > maxSamples {
		return nil, fmt.Errorf("%s: %d rows cannot be", path, pf.NumRows())
	}
	in := parquet.NewGenericReader[Sample](pf)
	defer in.Close()
	rows = make([]Sample, pf.NumRows())
	for n := 0; n < len(rows); {
		k, err := in.Read(rows[n:])
		n += k
		if n < len(rows) && (err != nil || k == 0) {
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, fmt.Errorf("%s: damaged after row %d: %w", path, n, err)
		}
	}
	if err := checkSamples(rows); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return rows, nil
}

func checkSamples(rows []Sample) error {
	seen := make(map[key]bool, len(rows))
	for i := range rows {
		r := &rows[i]
		k := key{r.Task, int(r.DocID), int(r.Request)}
		if seen[k] {
			return fmt.Errorf("row %d: %s document %d request %d is there twice", i, r.Task, r.DocID, r.Request)
		}
		seen[k] = true
		if ll := r.LogLikelihood; ll != nil && (math.IsNaN(*ll) || math.IsInf(*ll, 1) || *ll > 0) {
			return fmt.Errorf("row %d: %s document %d request %d: loglikelihood %v is none", i, r.Task, r.DocID, r.Request, *ll)
		}
	}
	return nil
}
