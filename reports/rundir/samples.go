package rundir

import (
	"context"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"github.com/softbench/softbench/internal/atomicfile"
	"github.com/softbench/softbench/reports/text"
)

// Sample is one row of samples.parquet: one request of one document. Columns
// that a kind of task does not have are null. Rows are ordered by task as run,
// document and request.
type Sample struct {
	Run     string `parquet:"run,dict"` // the manifest's Name, set by Finish; "" in files of earlier versions
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

	Unscored *string `parquet:"unscored,optional,dict"` // why there is no loglikelihood: empty, too_long or no_context

	// Of the document, the same in each of its rows.
	Correct      *bool `parquet:"correct,optional"` // acc
	CorrectNorm  *bool `parquet:"correct_norm,optional"`
	CorrectBytes *bool `parquet:"correct_bytes,optional"`

	// Of a rolling text.
	Words              *int64    `parquet:"words,optional"`
	Bytes              *int64    `parquet:"bytes,optional"`
	Windows            *int32    `parquet:"windows,optional"`
	PositionLikelihood []float64 `parquet:"position_loglikelihood,optional,list"` // by sixteenths of the context
	PositionTokens     []int32   `parquet:"position_tokens,optional,list"`

	// Of a passkey trial.
	Length    *int32   `parquet:"length,optional"`
	Depth     *float64 `parquet:"depth,optional"`
	Key       *int32   `parquet:"key,optional"`
	Generated *string  `parquet:"generated,optional"`
	RightText *bool    `parquet:"right_text,optional"`

	// Of a generated answer, which is Generated.
	Ended    *string   `parquet:"ended,optional,dict"`    // why: stop, end or length
	Targets  []string  `parquet:"targets,optional,list"`  // right answers
	Filters  []string  `parquet:"filters,optional,list"`  // names of the task's filters
	Filtered []string  `parquet:"filtered,optional,list"` // what each took
	Metrics  []string  `parquet:"metrics,optional,list"`  // names of the task's metrics
	Scores   []float64 `parquet:"scores,optional,list"`   // of each
}

// since are the columns that files of earlier schema versions do not have.
func (Sample) since() map[int][]string {
	return map[int][]string{2: {"unscored"}, 3: {"ended", "targets.list.element", "filters.list.element", "filtered.list.element", "metrics.list.element", "scores.list.element"}, 4: {"run"}}
}

// schemaKey is the file's metadata key of the schema version.
const schemaKey = "softbench.schema"

// writeSamples writes rows of the run of that name, as UTF-8.
func writeSamples(ctx context.Context, path, run string, rows []Sample) error {
	rows = slices.Clone(rows)
	for i := range rows {
		rows[i].Run = run
		rows[i].makeUTF8()
	}
	return writeParquet(ctx, path, rows)
}

// writeParquet writes rows; the same rows give the same bytes.
func writeParquet[T any](ctx context.Context, path string, rows []T) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		out := parquet.NewGenericWriter[T](w, schemaOf[T](),
			parquet.Compression(&zstd.Codec{}),
			parquet.MaxRowsPerRowGroup(rowGroup),
			parquet.CreatedBy("softbench", "schema", fmt.Sprint(Schema)),
			parquet.KeyValueMetadata(schemaKey, fmt.Sprint(Schema)))
		for group := range slices.Chunk(rows, rowGroup) {
			if err := ctx.Err(); err != nil {
				return err
			}
			if _, err := out.Write(group); err != nil {
				return err
			}
		}
		return out.Close()
	})
}

// rowGroup is how many rows are written in one go.
const rowGroup = 1 << 17

// makeUTF8 replaces bytes that are not UTF-8 by U+FFFD: readers of Parquet refuse
// the whole column else.
func (s *Sample) makeUTF8() {
	for _, p := range []*string{&s.Run, &s.Task, &s.Kind, &s.DocHash, &s.Cluster} {
		*p = strings.ToValidUTF8(*p, "\uFFFD")
	}
	for _, list := range []*[]string{&s.Targets, &s.Filtered} {
		for i, text := range *list {
			if !utf8.ValidString(text) {
				*list = slices.Clone(*list)
				(*list)[i] = strings.ToValidUTF8(text, "\uFFFD")
			}
		}
	}
	for _, p := range []**string{&s.Context, &s.Choice, &s.Continuation, &s.Generated} {
		if *p != nil && !utf8.ValidString(**p) {
			text := strings.ToValidUTF8(**p, "\uFFFD")
			*p = &text
		}
	}
}

// ReadSamples reads and checks a finished run's samples: the columns, that no
// request is there twice, that loglikelihoods are numbers.
func ReadSamples(ctx context.Context, dir string) ([]Sample, error) {
	return readSamples(ctx, dir, nil)
}

func readSamples(ctx context.Context, dir string, check func(*Sample) error) ([]Sample, error) {
	path := filepath.Join(dir, samplesName)
	rows, err := readParquet(ctx, path, check)
	if err != nil {
		return nil, err
	}
	if err := checkSamples(ctx, rows); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return rows, nil
}

func checkSamples(ctx context.Context, rows []Sample) error {
	seen := make(map[key]bool, len(rows))
	for i := range rows {
		if i&0xfff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		r := &rows[i]
		k := key{r.Task, int(r.DocID), int(r.Request)}
		if seen[k] {
			return fmt.Errorf("row %d: %v is there twice", i, text.Printable(k.String()))
		}
		seen[k] = true
		if r.LogLikelihood != nil {
			if err := checkLogLikelihood(*r.LogLikelihood, int(r.ContinuationTokens)); err != nil {
				return fmt.Errorf("row %d: %v: %w", i, text.Printable(k.String()), err)
			}
		}
		if r.Unscored != nil && r.LogLikelihood != nil {
			return fmt.Errorf("row %d: %v has a loglikelihood and is unscored", i, text.Printable(k.String()))
		}
		if len(r.PositionLikelihood) != len(r.PositionTokens) {
			return fmt.Errorf("row %d: %v: %d sums and %d counts by position", i, text.Printable(k.String()), len(r.PositionLikelihood), len(r.PositionTokens))
		}
		if len(r.Metrics) != len(r.Scores) || len(r.Filters) != len(r.Filtered) {
			return fmt.Errorf("row %d: %v: %d metrics with %d scores, %d filters with %d texts", i, text.Printable(k.String()), len(r.Metrics), len(r.Scores), len(r.Filters), len(r.Filtered))
		}
		for _, v := range r.Scores {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("row %d: %v: a score is %v", i, text.Printable(k.String()), v)
			}
		}
	}
	return nil
}
