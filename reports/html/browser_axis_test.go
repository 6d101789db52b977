package html

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// The steps of a course stand on a logarithmic or a linear axis, as a button says; the choice stands in the
// address, saved drawings have it, and a course with step 0 leaves that out of the logarithmic one alone.
func TestStepAxisSwitch(t *testing.T) {
	b := open(t, openBrowser(t), write(t, courseOfRuns("a/step-0", "a/step-10", "a/step-100", "a/step-1000", "b/step-0", "b/step-10", "b/step-100", "b/step-1000")), 1280, "light")
	const seen = `[...new Set([...document.querySelectorAll("[data-axis]")].filter((d) => d.getClientRects().length).map((d) => d.dataset.axis))].join()`
	const places = `(() => {
  const svg = [...document.querySelectorAll("#course-0 .drawing svg")].find((s) => s.getClientRects().length);
  const at = (label) => { const t = [...svg.querySelectorAll("text")].find((t) => /^[\d\s]+$/.test(t.textContent) && t.textContent.replace(/\s/g, "") === label); return t ? t.getBoundingClientRect().x + t.getBoundingClientRect().width / 2 : null; };
  return ["0", "10", "100", "1000"].map(at);
})()`
	press := func() { eval[bool](b, `(document.querySelector(".axis button").click(), true)`) }
	names := func() []string {
		return eval[[]string](b, `[...new Set([...document.querySelectorAll("[data-axis] text")].filter((t) => t.getClientRects().length && t.textContent.startsWith("step")).map((t) => t.textContent))]`)
	}
	if got := eval[string](b, seen); got != "linear" {
		t.Fatalf("a course with step 0 begins on the axis %q", got)
	}
	if n := eval[int](b, `[...document.querySelectorAll(".axis button")].filter((e) => e.getClientRects().length).length`); n != 2 {
		t.Errorf("%d buttons, one for the scores and one for the diagnostics are wanted", n)
	}
	press()
	if got := eval[string](b, seen); got != "log" {
		t.Errorf("after the button the axis is %q", got)
	}
	if got := names(); len(got) != 1 || got[0] != "step, log axis without step 0" {
		t.Errorf("the logarithmic axis is called %q", got)
	}
	at := eval[[]*float64](b, places)
	if at[0] != nil || at[1] == nil || at[2] == nil || at[3] == nil {
		t.Fatalf("the places of 0, 10, 100, 1000 on the logarithmic axis: %v", at)
	}
	if one, two := *at[2]-*at[1], *at[3]-*at[2]; one < 20 || one/two < 0.9 || one/two > 1.1 {
		t.Errorf("a decade takes %g and %g", one, two)
	}
	// The number under the pointer is that of the point there, of which step 0 is none.
	tip := eval[string](b, `(() => {
  const svg = [...document.querySelectorAll("#course-0 .drawing svg")].find((s) => s.getClientRects().length);
  svg.scrollIntoView({ block: "center" });
  const p = svg.querySelector("path.stroke-paper").getBBox(), m = svg.getScreenCTM();
  const at = new DOMPoint(p.x + 3.2, svg.querySelector("path.stroke-paper").getAttribute("d").match(/^M[-\d.]+[ ,]([-\d.]+)/)[1]).matrixTransform(m);
  svg.dispatchEvent(new PointerEvent("pointermove", { clientX: at.x, clientY: at.y, bubbles: true }));
  return document.querySelector(".tip").textContent;
})()`)
	if !strings.Contains(tip, "step-10:") {
		t.Errorf("at the first point of the logarithmic axis the page says %q", tip)
	}
	if saved := eval[string](b, `document.querySelector('#course-0 .save summary').click(), new Promise((done) => setTimeout(() => done([...document.querySelectorAll("#course-0 .save button")].map((x) => x.textContent).join()), 50))`); saved != "SVG,PNG,PDF,CSV" {
		t.Errorf("the figure saves %q", saved)
	}
	hash := eval[string](b, `location.hash`)
	for _, width := range []int{390, 1600} {
		b.at(width, "dark")
		for _, c := range eval[[]string](b, crowded) {
			t.Errorf("at %d: %s", width, c)
		}
	}
	if err := chromedp.Run(b.ctx, chromedp.Reload()); err != nil {
		t.Fatal(err)
	}
	if got := eval[string](b, seen); got != "log" {
		t.Errorf("the address %s, opened again, has the axis %q", hash, got)
	}
	press()
	if got, now := eval[string](b, seen), eval[string](b, `location.hash`); got != "linear" || now != "" && now != "#" {
		t.Errorf("pressed again: %q, %s", got, now)
	}
	if got := names(); fmt.Sprint(got) != "[step]" {
		t.Errorf("the linear axis is called %q", got)
	}
	b.quiet()
}
