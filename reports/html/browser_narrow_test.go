package html

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// On a phone the table of differences shows each difference with its interval and
// verdict before any scrolling, and names its task.
func TestNarrowTableShowsTheVerdict(t *testing.T) {
	b := open(t, openBrowser(t), write(t, twoRuns(t)), 380, "light")
	var rows []struct {
		Text  string
		Right float64
	}
	raw := eval[json.RawMessage](b, `[...document.querySelectorAll("#differences tbody tr")].map((tr) => {
  const cells = [...tr.children].filter((c) => c.getClientRects().length).slice(0, 3);
  return { text: cells.map((c) => c.innerText).join(" | "), right: cells[2].getBoundingClientRect().right };
})`)
	if err := json.Unmarshal(raw, &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) < 10 {
		t.Fatalf("%d rows", len(rows))
	}
	for i, r := range rows {
		if i == 0 && !strings.HasPrefix(r.Text, "arc_easy\nacc") {
			t.Errorf("the first row is %q, want its task in it", r.Text)
		}
		if !strings.Contains(r.Text, " to ") || !regexp.MustCompile(`(better|worse|~)$`).MatchString(r.Text) || r.Right > 380 {
			t.Errorf("row %d shows %q, to %.0f px", i, r.Text, r.Right)
		}
	}
	if eval[bool](b, `document.querySelector("#differences .scroll").scrollWidth <= 380`) {
		t.Error("the table is not wider than the window: the test looks at the wrong thing")
	}
}
