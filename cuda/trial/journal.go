package trial

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// journal is where rows are kept, a line of JSON each, under a first line that says of
// what device and kernels.
type journal struct {
	file *os.File
	had  map[string]bool
}

// Outcomes is the journal's file in a folder.
const Outcomes = "checks.jsonl"

// keepIn opens a folder's journal. Rows of the same device and kernels are taken over,
// and their checks not tried again.
func (t *Trial) keepIn(folder string) error {
	t.kept = &journal{had: map[string]bool{}}
	if folder == "" {
		return nil
	}
	name := filepath.Join(folder, Outcomes)
	head, err := json.Marshal(map[string]string{"device": t.Device.Name, "kernels": t.Device.Image})
	if err != nil {
		return err
	}
	data, err := os.ReadFile(name)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	first, rest, _ := bytes.Cut(data, []byte("\n"))
	if len(data) > 0 && !bytes.Equal(first, head) {
		return fmt.Errorf("%s is of %s: name another folder, or remove it", name, first)
	}
	whole := len(first) + 1
	lines := bufio.NewScanner(bytes.NewReader(rest))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var r Row
		if json.Unmarshal(lines.Bytes(), &r) != nil {
			break // the line that was being written when the process ended
		}
		whole += len(lines.Bytes()) + 1
		t.Rows = append(t.Rows, r)
		t.kept.had[r.Name] = true
		if r.Status != OK && r.Status != Skipped {
			t.bad[r.Group]++
		}
		if r.Status == Hung {
			t.hangs[r.Group]++
		}
	}
	if t.kept.file, err = os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644); err != nil {
		return err
	}
	if len(data) == 0 {
		_, err = t.kept.file.Write(append(head, '\n'))
		return err
	}
	if err := t.kept.file.Truncate(int64(min(whole, len(data)))); err != nil {
		return err
	}
	_, err = t.kept.file.Seek(0, 2)
	return err
}

// had says whether a check's outcome was taken over.
func (t *Trial) had(name string) bool { return t.kept.had[name] }

func (j *journal) add(r Row) error {
	if j.file == nil {
		return nil
	}
	text, err := json.Marshal(r)
	if err == nil {
		_, err = j.file.Write(append(text, '\n'))
	}
	return err
}
