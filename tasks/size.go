package tasks

import (
	"fmt"
	"os"
	"unsafe"

	"github.com/softbench/softbench/tasks/data"
)

// maxTexts bounds the texts of a task's documents that are kept, examples included, beyond maxTimes
// the bytes of the files read: a small file that unpacks to very much ends there.
const (
	maxTexts = 192 << 20
	maxTimes = 8
)

// textSize counts the texts that are kept.
type textSize struct {
	bytes, files int64
	file         string
}

func (s *textSize) add(doc *Doc, r data.Row) error {
	if r.File != s.file {
		s.file = r.File
		if info, err := os.Stat(r.File); err == nil {
			s.files += info.Size()
		}
	}
	last := ""
	for _, q := range doc.Requests {
		if q.Context != last { // the choices of a question share it
			s.bytes += int64(len(q.Context))
		}
		last = q.Context
		s.bytes += int64(len(q.Continuation) + len(q.Choice) + len(q.Text))
	}
	if limit := max(maxTexts, maxTimes*s.files); s.bytes > limit {
		return fmt.Errorf("%s: the prompts of the documents so far are more than %d MiB, too much for files of %d bytes; ask for fewer with --limit", r.Where(), limit>>20, s.files)
	}
	return nil
}

// memory is about how many bytes the document takes.
func (d *Doc) memory() int {
	n := int(unsafe.Sizeof(*d)) + len(d.Hash) + len(d.Cluster) + cap(d.Requests)*int(unsafe.Sizeof(Request{}))
	last := ""
	for i := range d.Requests {
		q := &d.Requests[i]
		if q.Context != last {
			n += len(q.Context)
		}
		last = q.Context
		n += len(q.Continuation) + len(q.Text)
	}
	for _, texts := range [][]string{d.Targets, d.Choices} {
		for _, s := range texts {
			n += len(s) + int(unsafe.Sizeof(s))
		}
	}
	return n
}
