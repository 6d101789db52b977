package rundir

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"
)

// Record is one finished request, as the journal holds it.
type Record struct {
	Task    string `json:"task"`
	Doc     int    `json:"doc"`
	Request int    `json:"request"`

	LogLikelihood      float64 `json:"loglikelihood"`
	Greedy             bool    `json:"greedy,omitempty"`
	ContextTokens      int     `json:"context_tokens,omitempty"`
	ContinuationTokens int     `json:"continuation_tokens,omitempty"`
	Truncated          int     `json:"truncated,omitempty"`

	// Of a rolling text.
	Windows    int        `json:"windows,omitempty"`
	ByPosition []Position `json:"by_position,omitempty"`

	// Of a passkey trial.
	Generated []int32 `json:"generated,omitempty"`
}

// Position is a sum of loglikelihoods of Tokens tokens at like places in the
// model's context.
type Position struct {
	LogLikelihood float64 `json:"loglikelihood"`
	Tokens        int     `json:"tokens"`
}

// key identifies a record.
type key struct {
	task         string
	doc, request int
}

func (r *Record) key() key { return key{r.Task, r.Doc, r.Request} }

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
	if crc32.Checksum(line[9:], castagnoli) != uint32(sum) {
		return errors.New("wrong checksum")
	}
	d := json.NewDecoder(bytes.NewReader(line[9:]))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

// header is the journal's first line.
type header struct {
	Schema   int      `json:"schema"`
	Settings Settings `json:"settings"`
}

// errTorn: the journal's very first line is not whole.
var errTorn = errors.New("the journal's first line is not whole")

// readJournal reads a journal. size is the length up to which it is whole: a
// last line that was being written when the run died is left out. Damage before
// the last line is an error that names the line.
func readJournal(r io.Reader) (h header, records []Record, size int64, err error) {
	in := bufio.NewReaderSize(r, 1<<16)
	seen := map[key]int{}
	var damage error
	for number := 1; ; number++ {
		line, readErr := in.ReadBytes('\n')
		if readErr != nil && readErr != io.EOF {
			return h, nil, 0, readErr
		}
		if len(line) == 0 {
			break
		}
		if damage != nil {
			return h, nil, 0, damage // something follows the damaged line
		}
		whole := line[len(line)-1] == '\n'
		line = bytes.TrimSuffix(line, []byte("\n"))
		var bad error
		var rec Record
		if number == 1 {
			bad = parseLine(line, &h)
		} else {
			bad = parseLine(line, &rec)
		}
		if bad == nil && !whole {
			bad = errors.New("no end of line")
		}
		if bad != nil {
			damage = fmt.Errorf("line %d is damaged (%w), and lines follow it: the file was changed since the run", number, bad)
			if number == 1 && !whole {
				return h, nil, 0, errTorn
			}
			continue
		}
		size += int64(len(line)) + 1
		if number == 1 {
			if h.Schema != Schema {
				return h, nil, 0, fmt.Errorf("line 1: schema %d, this version of softbench reads %d", h.Schema, Schema)
			}
			continue
		}
		if first, twice := seen[rec.key()]; twice {
			return h, nil, 0, fmt.Errorf("line %d repeats line %d: %s document %d request %d", number, first, rec.Task, rec.Doc, rec.Request)
		}
		seen[rec.key()] = number
		records = append(records, rec)
	}
	if size == 0 {
		return h, nil, 0, errTorn
	}
	return h, records, size, nil
}
