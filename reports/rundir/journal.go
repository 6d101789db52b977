package rundir

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"strconv"

	"github.com/softbench/softbench/internal/regularfile"
	"github.com/softbench/softbench/lm/answer"
	"github.com/softbench/softbench/probe/observed"
)

// Record is one finished request, as the journal holds it: which it is, and the answer.
type Record struct {
	Task    string `json:"task"`
	Doc     int    `json:"doc"`
	Request int    `json:"request"`

	answer.Answer

	// Of diagnostics, whose "requests" are their samples: what was observed of one. Of the request
	// after the last sample, the attention maps' weights, in the order of the maps.
	Observed *observed.Sample `json:"observed,omitempty"`
	Maps     [][]float32      `json:"maps,omitempty"`
}

// key identifies a record.
type key struct {
	task         string
	doc, request int
}

func (k key) String() string {
	return fmt.Sprintf("%s document %d request %d", k.task, k.doc, k.request)
}

func (r *Record) key() key { return key{r.Task, r.Doc, r.Request} }

// check says what keeps a record from being a result.
func (r *Record) check() error {
	if r.Task == "" || min(r.Doc, r.Request) < 0 || max(r.Doc, r.Request) > math.MaxInt32 {
		return fmt.Errorf("%v: no such request", r.key())
	}
	if min(r.ContextTokens, r.ContinuationTokens, r.Truncated, r.Windows) < 0 {
		return fmt.Errorf("%v: a count is negative", r.key())
	}
	if err := checkLogLikelihood(r.LogLikelihood, r.ContinuationTokens); err != nil {
		return fmt.Errorf("%v: %w", r.key(), err)
	}
	if r.Unscored != "" && r.LogLikelihood != 0 {
		return fmt.Errorf("%v: it has a loglikelihood and is unscored", r.key())
	}
	for i, p := range r.ByPosition {
		if err := checkLogLikelihood(p.LogLikelihood, p.Tokens); err != nil || p.Tokens < 0 {
			return fmt.Errorf("%v: by_position %d is not a sum of loglikelihoods", r.key(), i)
		}
	}
	return nil
}

// slack is how far above zero rounding may lift one token's loglikelihood: the
// error of a float32 logit less a float32 log-sum-exp of the same size.
const slack = 1e-4

// checkLogLikelihood refuses what is not the logarithm of a probability of n
// tokens.
func checkLogLikelihood(ll float64, n int) error {
	switch {
	case math.IsNaN(ll) || math.IsInf(ll, 0):
		return fmt.Errorf("loglikelihood is %v: the model's logits are not finite", ll)
	case ll > slack*float64(max(n, 1)):
		return fmt.Errorf("loglikelihood is %v: above 0 it is none", ll)
	}
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendLine appends a journal line: eight hexadecimal digits of the CRC-32C of
// what follows the blank, a blank, and JSON.
func appendLine(b []byte, v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return b, err
	}
	b = fmt.Appendf(b, "%08x ", crc32.Checksum(text, castagnoli))
	return append(append(b, text...), '\n'), nil
}

// parseLine checks a line, without its end, and decodes it.
func parseLine(line []byte, v any) error {
	if len(line) < 10 || line[8] != ' ' {
		return errors.New("no checksum")
	}
	sum, err := strconv.ParseUint(string(line[:8]), 16, 32)
	if err != nil {
		return errors.New("no checksum")
	}
	text := line[9:]
	if crc32.Checksum(text, castagnoli) != uint32(sum) {
		return errors.New("wrong checksum")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if d.InputOffset() != int64(len(text)) {
		return errors.New("more than one value")
	}
	return nil
}

// header is the journal's first line.
type header struct {
	Journal  string   `json:"journal"`        // journalOf
	Schema   int      `json:"schema"`         // JournalSchema
	Part     string   `json:"part,omitempty"` // number/of, such as 2/3; "": the whole run
	Settings Settings `json:"settings"`
	Plan     *Plan    `json:"plan,omitempty"`
}

// JournalSchema is the version of a journal, which changes more often than what a
// finished run leaves: a journal of another one is refused, but for version 4, which is
// gone on with: it has no plan and no results of whole tasks. Parts of version 3 were
// every n-th document.
const JournalSchema = 5

// readableJournal says whether this version of softbench goes on with a journal's schema.
func readableJournal(schema int) bool { return schema == 4 || schema == JournalSchema }

const (
	journalOf   = "softbench"
	headerStart = `{"journal":"` + journalOf + `",` // what follows the first checksum
	maxLine     = 64 << 20                          // bytes
)

// errTorn: the journal's first line was being written when the run died.
var errTorn = errors.New("the journal's first line is not whole")

// tornHeader says whether a file's whole content is the beginning of a journal's
// first line, or the zeros that a power failure can leave of it: then nothing
// was done yet, and nothing else is lost with it.
func tornHeader(b []byte) bool {
	if len(bytes.Trim(b, "\x00")) == 0 {
		return true
	}
	for i := range min(len(b), 8) {
		if c := b[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	if len(b) <= 8 {
		return true
	}
	rest, want := b[8:], " "+headerStart
	n := min(len(rest), len(want))
	return string(rest[:n]) == want[:n]
}

// readLine reads a line without its end; whole is false where the file ends
// first. At the end of the file it returns io.EOF.
func readLine(in *bufio.Reader) (line []byte, whole bool, err error) {
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return line[:len(line)-1], true, nil
		case len(line) > maxLine:
			return nil, false, fmt.Errorf("a line of more than %d bytes", maxLine)
		case errors.Is(err, bufio.ErrBufferFull):
		case err == io.EOF && len(line) > 0:
			return line, false, nil
		default:
			return nil, false, err
		}
	}
}

// damaged says that a line is, and others follow it.
func damaged(number int, why error) error {
	return fmt.Errorf("line %d is damaged (%w), and lines follow it: the file was changed since the run", number, why)
}

// readHeader reads a journal's first line, of size bytes with its end; errTorn where
// it was being written when the run died.
func readHeader(in *bufio.Reader) (h header, size int64, err error) {
	line, whole, err := readLine(in)
	if err == io.EOF {
		return h, 0, errTorn
	}
	if err != nil {
		return h, 0, fmt.Errorf("line 1: %w", err)
	}
	bad := parseLine(line, &h)
	if bad == nil && !whole {
		bad = errors.New("no end of line")
	}
	if bad != nil {
		if !tornHeader(line) {
			return h, 0, fmt.Errorf("line 1 is damaged (%w), or the file is not a journal of softbench", bad)
		}
		if _, err := in.Peek(1); err == nil {
			return h, 0, damaged(1, bad)
		}
		return h, 0, errTorn
	}
	if h.Journal != journalOf || !readableJournal(h.Schema) {
		return h, 0, fmt.Errorf("line 1: a journal of %q with schema %d, this version of softbench goes on with %d: use the version that wrote it", h.Journal, h.Schema, JournalSchema)
	}
	if err := h.Plan.check(); err != nil {
		return h, 0, fmt.Errorf("line 1: %w", err)
	}
	return h, int64(len(line)) + 1, nil
}

// journalText is what a journal holds.
type journalText struct {
	header
	records []Record
	whole   []Whole
	size    int64 // up to which it is whole
}

// line is a line of a journal after the first: a record, or the results of a whole task.
type line struct {
	Record
	Whole *Whole `json:"whole,omitempty"`
}

// readJournal reads a journal. A last line that was being written when the run died is
// left out. Damage before the last line is an error that names the line.
func readJournal(ctx context.Context, r io.Reader) (*journalText, error) {
	in := bufio.NewReaderSize(regularfile.Reader(ctx, r), 1<<16)
	var j journalText
	var err error
	if j.header, j.size, err = readHeader(in); err != nil {
		return nil, err
	}
	seen := map[key]int{}
	var damage error
	for number := 2; ; number++ {
		text, whole, err := readLine(in)
		if err == io.EOF {
			return &j, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if damage != nil {
			return nil, damage // something follows the damaged line
		}
		var l line
		bad := parseLine(text, &l)
		if bad == nil {
			bad = l.check()
		}
		if bad == nil && !whole {
			bad = errors.New("no end of line")
		}
		if bad != nil {
			damage = damaged(number, bad)
			continue
		}
		j.size += int64(len(text)) + 1
		if l.Whole != nil {
			j.whole = append(j.whole, *l.Whole)
			continue
		}
		if first, twice := seen[l.key()]; twice {
			return nil, fmt.Errorf("line %d repeats line %d: %v", number, first, l.key())
		}
		seen[l.key()] = number
		j.records = append(j.records, l.Record)
	}
}

// check says what keeps a line from being one of a journal.
func (l *line) check() error {
	if l.Whole != nil {
		return l.Whole.check()
	}
	return l.Record.check()
}
