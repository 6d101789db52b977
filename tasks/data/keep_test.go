package data

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// Documents that take much are read twice, and are the same; an error ends the first reading, and
// a file that is another at the second is refused.
func TestKeep(t *testing.T) {
	want := []int{1, 2, 3, 4, 5}
	for size, times := range map[int]int{maxHeld / 5: 1, maxHeld / 4: 2, maxHeld * 2: 2} {
		read := 0
		got, files, err := Keep(func(each func(int) error) ([]File, error) {
			read++
			for _, v := range want {
				if err := each(v); err != nil {
					return nil, err
				}
			}
			return []File{{Path: "x", SHA256: "same"}}, nil
		}, func(*int) int { return size })
		if err != nil || !slices.Equal(got, want) || len(files) != 1 || read != times {
			t.Errorf("size %d: %v, %v, %v after %d readings, want %d", size, got, files, err, read, times)
		}
	}
	read := 0
	bad := errors.New("bad at its end")
	if _, _, err := Keep(func(each func(int) error) ([]File, error) {
		read++
		return nil, errors.Join(each(1), bad)
	}, func(*int) int { return 2 * maxHeld }); !errors.Is(err, bad) || read != 1 {
		t.Errorf("%v after %d readings", err, read)
	}
	sums := []string{"one", "two"}
	if _, _, err := Keep(func(each func(int) error) ([]File, error) {
		err := each(1)
		read++
		return []File{{Path: "x", SHA256: sums[read%2]}}, err
	}, func(*int) int { return 2 * maxHeld }); !errors.Is(err, errChanged) || !strings.HasPrefix(err.Error(), "x: ") {
		t.Errorf("a file that changed between the readings: %v", err)
	}
}

// White space is gone over quickly and does not end a file of documents, up to a document's size.
func TestBlank(t *testing.T) {
	blank := strings.Repeat("\n \t\r", 5000) // 20 kB, 5000 lines
	for name, text := range map[string]string{
		"a.jsonl": blank + `{"a":1}` + blank + `{"a":2}` + blank,
		"b.json":  blank + "[" + blank + `{"a":1}` + blank + "," + blank + `{"a":2}` + blank + "]" + blank,
		"c.json":  blank + "{\n" + blank + `"a":1}` + blank + `{"a":2}` + blank,
	} {
		var lines []int
		if err := readJSON(strings.NewReader(text), name, func(line int, v map[string]any) error {
			lines = append(lines, line)
			return nil
		}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		at := func(s string) int { return 1 + strings.Count(text[:strings.Index(text, s)], "\n") }
		if want := []int{at(`{`), at(`{"a":2}`)}; !slices.Equal(lines, want) {
			t.Errorf("%s: lines %v, want %v", name, lines, want)
		}
	}
	long := strings.Repeat(" \n", maxRow/2+1)
	for name, read := range map[string]func(string) error{
		"blank.jsonl": func(s string) error { return readJSON(strings.NewReader(s), "f", nothing) },
		"behind.jsonl": func(s string) error {
			return readJSON(strings.NewReader("{}\n"+s), "f", nothing)
		},
		"array.json": func(s string) error { return readJSON(strings.NewReader("["+s), "f", nothing) },
		"table.csv": func(s string) error {
			return readTable(strings.NewReader("a\n"+strings.ReplaceAll(s, " ", "\n")), "f", ',', nothing)
		},
	} {
		if err := read(long); !errors.Is(err, errBlank) || !strings.HasPrefix(err.Error(), "f:") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func nothing(int, map[string]any) error { return nil }
