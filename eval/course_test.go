package eval

import (
	"bytes"
	"path/filepath"
	"slices"
	"testing"
)

// TestCourse: the second checkpoint of a course reads no documents and encodes no text anew,
// though its files are others, and both runs are to the byte those of checkpoints that stand alone;
// so they are where the ids have no room.
func TestCourse(t *testing.T) {
	o := goldenRun(t, goldenSuites(t)...)
	o.Out = filepath.Join(t.TempDir(), "alone")
	mustRun(t, o)
	samples, manifest, files := outcome(t, o.Out)
	for _, room := range []int{encodingBytes, 2000} {
		together := NewCourse()
		for i := range 2 {
			one := o
			one.Course, one.Out = together, filepath.Join(t.TempDir(), "run")
			before := 0
			if together.encodings != nil {
				before = len(together.encodings.ids)
				together.encodings.left = min(together.encodings.left, room)
			}
			mustRun(t, one)
			if gotSamples, gotManifest, gotFiles := outcome(t, one.Out); !bytes.Equal(gotSamples, samples) || gotManifest != manifest || gotFiles != files {
				t.Errorf("run %d of a course differs from one that stands alone", i)
			}
			after := len(together.encodings.ids)
			if i == 0 && after < 100 || i == 1 && after != before {
				t.Errorf("run %d: %d texts were encoded before, %d after", i, before, after)
			}
		}
		if len(together.works) != 1 {
			t.Errorf("documents were read %d times", len(together.works))
		}
	}
	// Within its bound, whatever is asked.
	o.Out = ""
	m, _, err := prepare(t.Context(), &o)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	together := NewCourse()
	r := together.remember(m.Tokenizer).(remembering)
	r.known.left = 500
	for _, text := range []string{"one two three", "four", "five", "six", "seven", "eight", "one two three"} {
		if got, want := r.Encode(text, true), m.Tokenizer.Encode(text, true); !slices.Equal(got, want) {
			t.Errorf("%q is %v, want %v", text, got, want)
		}
	}
	if r.known.left < 0 || len(r.known.ids) > 4 || len(r.known.ids) < 3 {
		t.Errorf("%d texts are kept, %d bytes are left of 500", len(r.known.ids), r.known.left)
	}
}
