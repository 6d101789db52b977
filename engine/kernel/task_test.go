package kernel

import "testing"

// TestTaskColumns would break where a product were cut into tasks of which one
// thread gets more than its share, or into needlessly narrow ones.
func TestTaskColumns(t *testing.T) {
	set := Generic{} // panels of 8
	for _, c := range []struct{ n, threads, want int }{
		{1, 1, 8}, {8, 16, 8}, {24, 2, 8}, {1024, 1, 256}, {1024, 2, 128},
		{704, 2, 88}, // 88 panels: 11 for each of 8 tasks
		{2816, 2, 176}, {2816, 3, 192}, {32768, 2, 256}, {32768, 64, 128},
	} {
		if got := TaskColumns(set, c.n, c.threads); got != c.want {
			t.Errorf("%d columns on %d threads: tasks of %d, want %d", c.n, c.threads, got, c.want)
		}
	}
	for n := 1; n < 3000; n += 7 {
		for _, threads := range []int{1, 2, 3, 8, 48} {
			columns := TaskColumns(set, n, threads)
			if columns <= 0 || columns%8 != 0 || columns > taskColumns {
				t.Fatalf("%d columns on %d threads: tasks of %d", n, threads, columns)
			}
		}
	}
}
