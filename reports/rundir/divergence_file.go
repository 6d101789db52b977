package rundir

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/softbench/softbench/internal/atomicfile"
	"github.com/softbench/softbench/internal/regularfile"
)

// The files of a directory of divergences: the one that grows, and its name when it is whole.
const (
	DivergenceName = "divergence" // of a whole one
	growingName    = "divergence.part"
)

// divergenceSchema is the version of a file of divergences.
const divergenceSchema = 3

// divergenceHeader is the first line of a file of divergences.
type divergenceHeader struct {
	Divergence string   `json:"divergence"` // journalOf
	Schema     int      `json:"schema"`
	First      Settings `json:"first"`
	Other      Settings `json:"other"`
}

// DivergenceWriter is a file of divergences that grows. Only one process at a time writes it.
type DivergenceWriter struct {
	w    Writer // of whose journal nothing is used but the file
	done map[key]DivergenceRecord
}

// OpenDivergences begins the file in dir, or goes on with it: of two runs with these settings.
// Where it is whole, all its records are returned and there is no writer.
func OpenDivergences(ctx context.Context, dir string, first, other Settings) (*DivergenceWriter, []DivergenceRecord, error) {
	head := divergenceHeader{journalOf, divergenceSchema, first, other}
	if records, err := ReadDivergences(ctx, dir, first, other); err == nil {
		return nil, records, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	if err := atomicfile.MkdirAll(dir, 0o777); err != nil {
		return nil, nil, fmt.Errorf("cannot keep the divergences: %w", err)
	}
	path := filepath.Join(dir, growingName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot keep the divergences: %w", err)
	}
	d := &DivergenceWriter{w: Writer{dir: dir, journal: f}, done: map[key]DivergenceRecord{}}
	if d.w.release, err = lock(dir, f); err == nil {
		err = d.goOn(ctx, f, head)
	}
	if err != nil {
		d.Close()
		return nil, nil, err
	}
	return d, nil, nil
}

// goOn reads what an earlier process left and cuts off a last line that is not whole.
func (d *DivergenceWriter) goOn(ctx context.Context, f *os.File, head divergenceHeader) error {
	records, size, err := readDivergences(ctx, f, head)
	if err != nil {
		return fmt.Errorf("%s: %w", f.Name(), err)
	}
	if size == 0 {
		line, err := appendLine(nil, head)
		if err != nil {
			return err
		}
		if err := f.Truncate(0); err != nil {
			return fmt.Errorf("cannot keep the divergences: %w", err)
		}
		return d.w.first(line)
	}
	if err := f.Truncate(size); err != nil {
		return fmt.Errorf("cannot keep the divergences: %w", err)
	}
	d.w.size, d.w.synced = size, size
	for _, r := range records {
		d.done[r.key()] = r
	}
	return nil
}

// Done says whether the file has a request's record.
func (d *DivergenceWriter) Done(task string, doc, request int) bool {
	_, ok := d.done[key{task, doc, request}]
	return ok
}

// Add takes a record; Sync makes it safe.
func (d *DivergenceWriter) Add(r DivergenceRecord) error {
	if d.w.failed != nil {
		return d.w.failed
	}
	err := r.check()
	if err == nil {
		d.w.buffer, err = appendLine(d.w.buffer, r)
	}
	if err == nil {
		d.done[r.key()] = r
	}
	return err
}

// Flush hands what was added to the system.
func (d *DivergenceWriter) Flush() error { return d.w.Flush() }

// Sync waits until what was added is on the disk.
func (d *DivergenceWriter) Sync() error {
	if err := d.w.Flush(); err != nil || d.w.synced == d.w.size {
		return err
	}
	if err := d.w.journal.Sync(); err != nil {
		return d.w.fail(err, d.w.synced)
	}
	d.w.synced = d.w.size
	return nil
}

// Finish says that the file is whole.
func (d *DivergenceWriter) Finish() error {
	if err := d.Sync(); err != nil {
		return err
	}
	if err := d.Close(); err != nil { // an open file cannot be renamed everywhere
		return fmt.Errorf("cannot keep the divergences: %w", err)
	}
	if err := os.Rename(filepath.Join(d.w.dir, growingName), filepath.Join(d.w.dir, DivergenceName)); err != nil {
		return fmt.Errorf("cannot keep the divergences: %w", err)
	}
	syncDirectory(d.w.dir)
	return nil
}

// Close lets go of the file.
func (d *DivergenceWriter) Close() error { return d.w.Close() }

// ReadDivergences reads a whole file of divergences of two runs with these settings; it is
// fs.ErrNotExist where there is none.
func ReadDivergences(ctx context.Context, dir string, first, other Settings) ([]DivergenceRecord, error) {
	f, err := regularfile.Open(filepath.Join(dir, DivergenceName))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	records, size, err := readDivergences(ctx, f, divergenceHeader{journalOf, divergenceSchema, first, other})
	if err == nil && size == 0 {
		err = errTorn
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	return records, nil
}

// DivergencesIn reads a whole file of divergences with the settings of its two runs, whichever they
// are. It is fs.ErrNotExist where there is none, and ErrGrowing where one is not whole.
func DivergencesIn(ctx context.Context, dir string) (first, other Settings, records []DivergenceRecord, err error) {
	f, err := regularfile.Open(filepath.Join(dir, DivergenceName))
	if errors.Is(err, fs.ErrNotExist) {
		if _, growing := os.Stat(filepath.Join(dir, growingName)); growing == nil {
			err = ErrGrowing
		}
	}
	if err != nil {
		return first, other, nil, err
	}
	defer f.Close()
	line, whole, err := readLine(bufio.NewReader(regularfile.Reader(ctx, f)))
	var head divergenceHeader
	switch {
	case err == nil && !whole, err == io.EOF:
		err = errTorn
	case err == nil:
		err = parseLine(line, &head)
	}
	if err == nil && (head.Divergence != journalOf || head.Schema != divergenceSchema) {
		err = fmt.Errorf("divergences of %q with schema %d, this version of softbench reads %d: measure them again", head.Divergence, head.Schema, divergenceSchema)
	}
	if err != nil {
		return first, other, nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	records, err = ReadDivergences(ctx, dir, head.First, head.Other)
	return head.First, head.Other, records, err
}

// ErrGrowing: the divergences of two runs are not all there yet.
var ErrGrowing = errors.New("the divergences are not whole: the command that measures them goes on with them")

// readDivergences reads records up to size, where the file ends or a last line is not whole.
// Damage before the last line is an error that names the line.
func readDivergences(ctx context.Context, f io.Reader, head divergenceHeader) (records []DivergenceRecord, size int64, err error) {
	want, err := json.Marshal(head)
	if err != nil {
		return nil, 0, err
	}
	in := bufio.NewReaderSize(regularfile.Reader(ctx, f), 1<<16)
	var damage error
	for number := 1; ; number++ {
		line, whole, err := readLine(in)
		if err == io.EOF {
			return records, size, nil
		}
		if ctx.Err() != nil {
			return nil, 0, ctx.Err()
		}
		if err == nil {
			err = damage // a line follows the damaged one
		}
		if err != nil {
			return nil, 0, err
		}
		var rec DivergenceRecord
		var bad error
		if number == 1 {
			var got divergenceHeader
			if bad = parseLine(line, &got); bad == nil {
				if text, _ := json.Marshal(got); string(text) != string(want) {
					return nil, 0, errors.New("it holds the divergences of other runs: remove it, or choose another directory")
				}
			}
		} else if bad = parseLine(line, &rec); bad == nil {
			bad = rec.check()
		}
		if bad == nil && !whole {
			bad = errors.New("no end of line")
		}
		if bad != nil {
			damage = fmt.Errorf("line %d is damaged (%w), and lines follow it: the file was changed since it was written", number, bad)
			continue
		}
		if size += int64(len(line)) + 1; number > 1 {
			records = append(records, rec)
		}
	}
}
