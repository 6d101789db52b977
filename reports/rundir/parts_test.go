package rundir

import (
	"context"
	"testing"
)

// TestParts: a journal says which part of a run it holds, and is not gone on with as another;
// as the whole run it is, and the other way round.
func TestParts(t *testing.T) {
	dir := t.TempDir()
	begin := func(part string) error {
		w, _, err := ResumePart(context.Background(), dir, part, someSettings(), nil)
		if err == nil {
			err = w.Close()
		}
		return err
	}
	if err := begin("2/3"); err != nil {
		t.Fatal(err)
	}
	if _, part, _, err := Begun(context.Background(), dir); part != "2/3" || err != nil {
		t.Errorf("part %q, %v", part, err)
	}
	for _, part := range []string{"1/3", "2/4"} {
		oneLine(t, begin(part), dir, "holds part 2/3 of this run, not "+part)
	}
	for _, part := range []string{"2/3", ""} {
		if err := begin(part); err != nil {
			t.Error(err)
		}
	}
}
