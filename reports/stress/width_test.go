package stress

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rivo/uniseg"
)

// TestTableFits: of two models and of three, at 80 cells and fewer, no line is wider than the terminal; scores, what
// is kept, KL and differences are always there, and their intervals at 80.
func TestTableFits(t *testing.T) {
	models := twoModels(t, 0.3, 0.75)
	third := models[1]
	third.Name = "another-model-with-a-long-name-340M"
	for _, some := range [][]Runs{models, append(models, third)} {
		r, err := Summarise(some, Options{Draws: 200})
		if err != nil {
			t.Fatal(err)
		}
		if len(some) == 3 && len(r.Claims) < 2 {
			t.Fatalf("%d claims of three models", len(r.Claims))
		}
		for width := 50; width < 150; width++ {
			t.Run(fmt.Sprint(len(some), " models, ", width), func(t *testing.T) {
				shown := tableText(r, width)
				for _, l := range strings.Split(shown, "\n") {
					if got := uniseg.StringWidth(l); got > width {
						t.Errorf("a line of %d: %q", got, l)
					}
				}
				for _, want := range []string{"score", "kept", "KL", "B - A", "rtn:2:64", third.Name} {
					if !strings.Contains(shown, want) && (want != third.Name || len(some) == 3) {
						t.Errorf("no %s in\n%s", want, shown)
					}
				}
				if width >= 80 && strings.Count(shown, "interval") < 3 { // of the score, of what is kept, of the difference
					t.Errorf("the intervals are left out:\n%s", shown)
				}
			})
		}
	}
}
