package html

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const listed = `[...document.querySelectorAll("#flip-list > li h3")].map((h) => h.textContent)`

// choose sets a control as a reader would, and lets the page answer.
func (b *tab) choose(id, value string) {
	b.t.Helper()
	eval[bool](b, fmt.Sprintf(`(async () => {
  const e = document.getElementById(%q);
  e.value = %q;
  e.dispatchEvent(new Event(e.tagName === "INPUT" ? "input" : "change", { bubbles: true }));
  if (e.tagName === "INPUT") await new Promise((done) => setTimeout(done, 200)); // it waits for more
  return e.value === %q;
})()`, id, value, value))
}

func TestFilterAndPager(t *testing.T) {
	b := open(t, openBrowser(t), write(t, twoRuns(t)), 1400, "light")
	all := eval[[]string](b, listed)
	total := eval[int](b, `JSON.parse(document.getElementById("report").textContent).flips.total`)
	if len(all) != 20 || total <= 40 {
		t.Fatalf("%d documents listed of %d, want a page of 20 of more than 40", len(all), total)
	}
	if said := eval[string](b, `document.getElementById("f-count").textContent`); !strings.HasSuffix(said, fmt.Sprintf("of %d", total)) {
		t.Errorf("the page says %q, want %d in all", said, total)
	}

	// One page on, and back.
	eval[bool](b, `(document.getElementById("next").click(), true)`)
	if second := eval[[]string](b, listed); second[0] == all[0] {
		t.Error("the next page shows the same documents")
	}
	eval[bool](b, `(document.getElementById("prev").click(), true)`)
	if again := eval[[]string](b, listed); again[0] != all[0] {
		t.Error("back on the first page other documents are shown")
	}

	// Each filter leaves only what it should, and as many as the JSON has.
	for _, c := range []struct{ id, value, want, count string }{
		{"f-task", "piqa", "piqa · ", `f.task === "piqa"`},
		{"f-direction", "worse", "B lost it", `Object.values(f.changes).includes("worse")`},
		{"f-direction", "better", "B gained it", `Object.values(f.changes).includes("better")`},
		{"f-metric", "acc_norm", "acc_norm", `f.changes.acc_norm`},
	} {
		b.choose(c.id, c.value)
		got := eval[[]string](b, listed)
		if len(got) == 0 {
			t.Errorf("%s=%s: nothing listed", c.id, c.value)
		}
		for _, h := range got {
			if !strings.Contains(h, c.want) {
				t.Errorf("%s=%s lists %q", c.id, c.value, h)
			}
		}
		want := eval[int](b, `JSON.parse(document.getElementById("report").textContent).flips.shown.filter((f) => `+c.count+`).length`)
		if said := eval[string](b, `document.getElementById("f-count").textContent`); !strings.Contains(said, fmt.Sprintf("of %d", want)) {
			t.Errorf("%s=%s: the page says %q, want %d", c.id, c.value, said, want)
		}
		b.choose(c.id, "")
	}

	// Words, in any case, are found and marked.
	b.choose("f-text", "BIRCH")
	texts := eval[[]string](b, `[...document.querySelectorAll("#flip-list > li")].map((e) => e.textContent.toLowerCase())`)
	if len(texts) == 0 {
		t.Error("no document with the words searched for")
	}
	for _, text := range texts {
		if !strings.Contains(text, "birch") {
			t.Errorf("listed without the words: %.80q", text)
		}
	}
	if eval[int](b, `document.querySelectorAll("#flip-list mark").length`) < len(texts) {
		t.Error("the words searched for are not marked")
	}
	b.choose("f-text", "no document has this")
	if n := len(eval[[]string](b, listed)); n != 0 {
		t.Errorf("%d documents with words that none has", n)
	}
	b.choose("f-text", "")
	if back := eval[[]string](b, listed); len(back) != 20 || back[0] != all[0] {
		t.Error("without filters the list is not as it was")
	}
	b.quiet()
}

// The numbers that the script shows are the JSON's, like those of the page.
func TestListedNumbersAreInTheJSON(t *testing.T) {
	b := open(t, openBrowser(t), write(t, twoRuns(t)), 1400, "light")
	faults := eval[[]string](b, `(() => {
  const report = JSON.parse(document.getElementById("report").textContent);
  const out = [];
  const data = [...document.querySelectorAll("#flip-list data")];
  if (data.length < 50) out.push("only " + data.length + " numbers listed");
  for (const d of data) {
    const want = d.dataset.from.split("/").slice(1).reduce((n, k) => n[k], report);
    const got = Number(d.textContent.replace("\u2212", "-"));
    if (String(want) !== d.value || Math.abs(got - want) > 0.0051) out.push(d.dataset.from + ": " + d.textContent + ", the JSON has " + want);
  }
  for (const e of document.querySelectorAll("#flip-list td.a, #flip-list td.b")) {
    if (/[0-9]/.test(e.textContent) && !e.querySelector("data")) out.push("a score without its place: " + e.textContent);
  }
  return out;
})()`)
	for _, f := range faults {
		t.Error(f)
	}
}

// The answer marked for a run is the one its verdict was computed from.
func TestListedAnswersFitTheVerdict(t *testing.T) {
	for _, f := range findFlips(twoRuns(t).Runs[0].Samples, twoRuns(t).Runs[1].Samples, roomForFlips(2)).Shown {
		if f.Kind != "multiple_choice" {
			continue
		}
		for metric, change := range f.Changes {
			for k, o := range f.Options {
				right := int32(k) == *f.Gold
				for side, picked := range map[string][]string{"worse": o.A.Picked, "better": o.B.Picked} {
					// The run that is right picked the right option, and only that.
					if change == side && right != contains(picked, metric) {
						t.Errorf("%s document %d, %s: option %d of gold %d, picked %v", f.Task, f.DocID, metric, k, *f.Gold, picked)
					}
				}
			}
		}
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func TestThemeToggle(t *testing.T) {
	chromium := openBrowser(t)
	p := twoRuns(t)
	p.Library = library(t)
	page := write(t, p)
	const paper = `getComputedStyle(document.body).backgroundColor`
	// How many pixels of a chart are nearly black: its labels on light paper.
	const black = `(() => { const c = document.querySelector("#forest canvas"); const k = Object.assign(document.createElement("canvas"), { width: c.width, height: c.height }); const pen = k.getContext("2d", { willReadFrequently: true }); pen.drawImage(c, 0, 0); const d = pen.getImageData(0, 0, c.width, c.height).data; let n = 0; for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 200 && Math.max(d[i], d[i + 1], d[i + 2]) < 48) n++; return n; })()`
	for _, system := range []string{"light", "dark"} {
		b := open(t, chromium, page, 1400, system)
		eval[bool](b, drawAll)
		before, ink := eval[string](b, paper), eval[int](b, black)
		eval[bool](b, `(document.getElementById("theme").click(), true)`)
		eval[bool](b, drawAll)
		after, inkAfter := eval[string](b, paper), eval[int](b, black)
		if before == after {
			t.Errorf("%s: the toggle leaves the paper %s", system, before)
		}
		if system == "dark" {
			ink, inkAfter = inkAfter, ink
		}
		if ink < 50 || inkAfter > 5 {
			t.Errorf("%s: the charts have %d nearly black pixels on light paper and %d on dark", system, ink, inkAfter)
		}
		eval[bool](b, `(document.getElementById("theme").click(), true)`)
		if back := eval[string](b, paper); back != before {
			t.Errorf("%s: toggled twice the paper is %s, was %s", system, back, before)
		}
		b.quiet()
	}
}

// No text of a run may run, become an element, or ask for anything.
func TestHostileTextsInTheBrowser(t *testing.T) {
	chromium := openBrowser(t)
	p := hostilePage(t)
	if path := libraryIfAny(t); path.Inline != "" {
		p.Library = path
	}
	b := open(t, chromium, write(t, p), 1400, "light")
	eval[bool](b, drawAll)
	if n := eval[int](b, `document.querySelectorAll("img, main b, main script").length`); n != 0 {
		t.Errorf("%d elements came out of texts", n)
	}
	shown := eval[string](b, `document.querySelector("#flip-list .text").textContent`)
	for _, want := range []string{"</script><script>alert(1)</script>", "<img src=x onerror=\"alert(2)\">", "␀␛[31m", "{{.}} &amp; ${x}"} {
		if !strings.Contains(shown, want) {
			t.Errorf("the document is shown as %q, want %q in it", shown, want)
		}
	}
	if strings.ContainsAny(shown, "\x00\x1b\x7f\u009b\u202e\u2067") {
		t.Error("a control character is shown as it is")
	}
	b.choose("f-text", "<img src=x")
	if eval[int](b, `document.querySelectorAll("#flip-list mark").length`) == 0 {
		t.Error("markup is not found as text")
	}
	if n := eval[int](b, `document.querySelectorAll("#flip-list img").length`); n != 0 {
		t.Error("marking made elements out of a text")
	}
	b.quiet()
}

func libraryIfAny(t *testing.T) (lib Library) {
	t.Run("library", func(t *testing.T) { lib = library(t) })
	return lib
}

// By keyboard: the skip link comes first and works, every table that scrolls
// and every control can be reached, and what has the focus shows it.
func TestKeyboard(t *testing.T) {
	b := open(t, openBrowser(t), write(t, twoRuns(t)), 380, "light")
	press := func() {
		if err := chromedp.Run(b.ctx, chromedp.KeyEvent(kb.Tab)); err != nil {
			t.Fatal(err)
		}
	}
	press()
	if first := eval[string](b, `document.activeElement.className`); first != "skip" {
		t.Errorf("the first stop is %q, want the skip link", first)
	}
	if y := eval[float64](b, `document.activeElement.getBoundingClientRect().top`); y < 0 {
		t.Errorf("the skip link has the focus and stands at %.0f", y)
	}
	if err := chromedp.Run(b.ctx, chromedp.KeyEvent(kb.Enter)); err != nil {
		t.Fatal(err)
	}
	if id := eval[string](b, `document.activeElement.id`); id != "main" {
		t.Errorf("the skip link leads to %q", id)
	}
	eval[bool](b, `(() => {
  document.activeElement.blur();
  window.seen = new Set();
  window.bare = [];
  document.addEventListener("focusin", ({ target: e }) => {
    window.seen.add(e);
    if (e.id !== "main" && getComputedStyle(e).outlineStyle === "none") window.bare.push(e.outerHTML.slice(0, 80));
  });
  return true;
})()`)
	for range 120 {
		press()
	}
	for _, e := range eval[[]string](b, `window.bare`) {
		t.Errorf("no outline on %s", e)
	}
	if n := eval[int](b, `window.seen.size`); n < 30 {
		t.Errorf("only %d stops: the test looks at the wrong thing", n)
	}
	missed := eval[[]string](b, `[...document.querySelectorAll(".scroll, button, select, input, summary")].filter((e) => e.getBoundingClientRect().width > 0 && !e.closest("li") && !e.closest("details:not([open]) > :not(summary)") && !e.disabled && !window.seen.has(e)).map((e) => e.outerHTML.slice(0, 80))`)
	for _, e := range missed {
		t.Errorf("the keyboard does not reach %s", e)
	}
}

// For screen readers: landmarks, one first heading, no level left out, a name
// for each chart, box, table and control, headers with a scope.
func TestStructureForScreenReaders(t *testing.T) {
	chromium := openBrowser(t)
	for name, p := range map[string]Page{"one": {Runs: twoRuns(t).Runs[:1]}, "two": twoRuns(t), "six": manyRuns(t, 6, 40)} {
		b := open(t, chromium, write(t, p), 1400, "light")
		faults := eval[[]string](b, `(() => {
  const out = [], say = (e, what) => out.push(what + ": " + e.outerHTML.slice(0, 100));
  const all = (s) => [...document.querySelectorAll(s)];
  for (const s of ["header", "main", "nav[aria-label]", "footer", "h1"]) if (all(s).length !== 1) out.push(all(s).length + " of " + s);
  let level = 0;
  for (const h of all("h1, h2, h3, h4")) { const l = +h.tagName[1]; if (l > level + 1) say(h, "a heading's level is left out"); level = l; }
  const named = (e) => e.getAttribute("aria-label") || (e.getAttribute("aria-labelledby") || "").split(" ").some((id) => id && document.getElementById(id)?.textContent.trim());
  for (const e of all('[role="img"], [role="region"], section')) if (!named(e)) say(e, "no name");
  for (const e of all("figure")) if (!e.querySelector("figcaption")?.textContent.trim()) say(e, "no caption");
  for (const e of all("select, input")) if (!e.labels.length) say(e, "no label");
  for (const e of all("th")) if (!e.scope) say(e, "no scope");
  for (const e of all("table")) if (!e.caption && !named(e) && !named(e.closest("[role=region]") || e)) say(e, "no caption");
  for (const e of all("svg")) if (e.getAttribute("aria-hidden") !== "true" && !named(e)) say(e, "no name");
  const ids = all("[id]").map((e) => e.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) out.push("two of id " + id);
  for (const a of all('a[href^="#"]')) {
    // A document's link has what is chosen in it: TestTheAddressHasWhatIsChosen.
    const doc = new URLSearchParams(a.hash.slice(1)).get("doc");
    if (!document.getElementById(a.hash.slice(1)) && !(doc && JSON.parse(document.getElementById("report").textContent).flips.shown.some((f) => f.task + "/" + f.doc_id === doc))) say(a, "leads nowhere");
  }
  if (document.documentElement.lang !== "en" || !document.title) out.push("no language or title");
  return out;
})()`)
		for _, f := range faults {
			t.Errorf("%s: %s", name, f)
		}
	}
}

// Text must stand out from its ground: 4.5 to 1, in both themes (WCAG 2.1, 1.4.3).
func TestContrast(t *testing.T) {
	chromium := openBrowser(t)
	page := write(t, twoRuns(t))
	b := open(t, chromium, page, 1400, "light")
	for _, theme := range []string{"light", "dark"} {
		b.at(1400, theme)
		faults := eval[[]string](b, `(() => {
  // Any colour that CSS computes to, as red, green, blue and opacity.
  const pen = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  const rgb = (s) => { pen.clearRect(0, 0, 1, 1); pen.fillStyle = s; pen.fillRect(0, 0, 1, 1); return pen.getImageData(0, 0, 1, 1).data; };
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c; } return [255, 255, 255]; };
  const out = new Set();
  let n = 0;
  for (const e of document.querySelectorAll("header *, main *, footer *")) {
    if (![...e.childNodes].some((c) => c.nodeType === 3 && c.data.trim()) || e.matches(".again, option") || !e.getClientRects().length) continue;
    const s = getComputedStyle(e), ink = rgb(e.namespaceURI.endsWith("svg") ? s.fill : s.color);
    const [a, z] = [light(ink), light(ground(e))].sort((x, y) => y - x);
    n++;
    const ratio = (a + 0.05) / (z + 0.05);
    if (ratio < 4.5) out.add(e.tagName + "." + (e.getAttribute("class") || "") + " " + ratio.toFixed(2) + " " + e.textContent.slice(0, 30));
  }
  if (n < 300) out.add("only " + n + " texts");
  return [...out];
})()`)
		for _, f := range faults {
			t.Errorf("%s: %s", theme, f)
		}
	}
}

// On paper: drawings instead of canvases, dark ink on white, no controls.
func TestPrinted(t *testing.T) {
	chromium := openBrowser(t)
	p := twoRuns(t)
	p.Library = library(t)
	b := open(t, chromium, write(t, p), 1400, "dark")
	eval[bool](b, drawAll)
	if err := chromedp.Run(b.ctx, emulation.SetEmulatedMedia().WithMedia("print")); err != nil {
		t.Fatal(err)
	}
	if paper := eval[string](b, `getComputedStyle(document.body).backgroundColor`); paper != "rgb(255, 255, 255)" {
		t.Errorf("the paper is %s", paper)
	}
	if n := eval[int](b, `[...document.querySelectorAll(".chart, nav, .controls, #theme")].filter((e) => e.getClientRects().length).length`); n != 0 {
		t.Errorf("%d canvases or controls are printed", n)
	}
	if n := eval[int](b, `[...document.querySelectorAll("figure svg, figure table.map")].filter((e) => e.getClientRects().length).length`); n < 14 {
		t.Errorf("only %d drawings are printed", n)
	}
	b.screenshot("print")
}

// A page of ten runs of ten thousand documents opens within three seconds of its thread's own
// time: other work on the machine is not the page's.
func TestLargePageOpens(t *testing.T) {
	chromium := openBrowser(t)
	p := largePage(t)
	p.Library = libraryIfAny(t)
	page := write(t, p)
	b := open(t, chromium, page, 1400, "light")
	took := b.took()
	t.Logf("%.1f MB open in %v", float64(len(page))/1e6, took.Round(time.Millisecond))
	if took > 3*time.Second {
		t.Errorf("open in %v, want at most 3 s", took)
	}
	if n := len(eval[[]string](b, listed)); n != 20 {
		t.Errorf("%d documents listed, want a page of 20", n)
	}
	eval[bool](b, `(() => { const end = performance.now() + 1000; while (performance.now() < end); return true; })()`)
	if after := b.took(); after < took+time.Second/10 {
		t.Errorf("busy for a second more the page took %v, before %v: the measure sees nothing", after, took)
	}
	b.quiet()
}
