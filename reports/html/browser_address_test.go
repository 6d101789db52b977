package html

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// What is chosen stands in the address: opened anew, the page has the filters, the page of
// documents and what was folded open; a document's link shows it alone.
func TestTheAddressHasWhatIsChosen(t *testing.T) {
	b := open(t, openBrowser(t), write(t, twoRuns(t)), 1280, "light")
	b.choose("f-task", "piqa")
	b.choose("f-direction", "worse")
	eval[bool](b, `(async () => { document.querySelectorAll("main details:not(.save)")[1].open = true; await new Promise((done) => setTimeout(done, 200)); return true; })()`)
	hash := eval[string](b, `location.hash`)
	for _, want := range []string{"task=piqa", "direction=worse", "open=1"} {
		if !strings.Contains(hash, want) {
			t.Errorf("the address is %q, without %s", hash, want)
		}
	}
	before := eval[[]string](b, listed)
	reload := func() {
		t.Helper()
		if err := chromedp.Run(b.ctx, chromedp.Reload(), chromedp.WaitReady(`html[data-ready="yes"]`, chromedp.ByQuery)); err != nil {
			t.Fatal(err)
		}
	}
	reload()
	if after := eval[[]string](b, listed); len(before) == 0 || fmt.Sprint(before) != fmt.Sprint(after) {
		t.Errorf("opened anew the page lists %q, before %q", after, before)
	}
	if got := eval[string](b, `document.getElementById("f-task").value + " " + document.querySelectorAll("main details:not(.save)")[1].open`); got != "piqa true" {
		t.Errorf("opened anew: %s", got)
	}
	link := eval[string](b, `document.querySelectorAll("#flip-list h3 a")[2].getAttribute("href")`)
	name := eval[[]string](b, listed)[2]
	eval[bool](b, `(async () => { location.hash = `+fmt.Sprintf("%q", link)+`; await new Promise((done) => setTimeout(done, 300)); return true; })()`)
	for range 2 { // as followed, and as opened
		if got := eval[[]string](b, listed); len(got) != 1 || got[0] != name {
			t.Errorf("%s lists %q; want %q", link, got, name)
		}
		reload()
	}
	b.choose("f-task", "")
	if got := eval[[]string](b, listed); len(got) != 20 {
		t.Errorf("after another choice %d documents are listed", len(got))
	}
	b.quiet()
}
