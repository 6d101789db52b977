package html

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/performance"
	cdpruntime "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// These tests open pages in a headless Chromium. They need no network: a page
// comes from a server of the test, and any other request is a fault.

// tab is one page in the browser, with what it complained about.
type tab struct {
	ctx context.Context
	t   *testing.T

	mu         sync.Mutex
	complaints []string
	requests   []string
}

// browser is started by the first test that needs it, and ended with the last.
var browser struct {
	once sync.Once
	ctx  context.Context
	err  error
	end  func()
}

func TestMain(m *testing.M) {
	code := m.Run()
	if browser.end != nil {
		browser.end()
	}
	os.Exit(code)
}

// openBrowser gives the browser, with an empty profile; it skips the test where
// there is none.
func openBrowser(t *testing.T) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a browser")
	}
	browser.once.Do(startBrowser)
	if errors.Is(browser.err, exec.ErrNotFound) && os.Getenv("SOFTBENCH_BROWSER") != "required" {
		t.Skip("no chromium in PATH; SOFTBENCH_BROWSER=required makes that an error")
	}
	if browser.err != nil {
		t.Fatal(browser.err)
	}
	return browser.ctx
}

func startBrowser() {
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, browser.err = exec.LookPath(name); browser.err == nil {
			break
		}
	}
	if browser.err != nil {
		return
	}
	profile, err := os.MkdirTemp("", "softbench-browser-")
	if err != nil {
		browser.err = err
		return
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(profile), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.NoFirstRun,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.WSURLReadTimeout(time.Minute))
	process, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(process)
	browser.ctx, browser.err = ctx, chromedp.Run(ctx)
	browser.end = func() {
		_ = chromedp.Cancel(ctx) // waits for the process
		cancel()
		stop()
		_ = os.RemoveAll(profile)
	}
}

// open shows a page at a size and waits for its script.
func open(t *testing.T, parent context.Context, text string, width int, theme string) *tab {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/favicon.ico" {
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(text))
	}))
	t.Cleanup(server.Close)
	ctx, cancel := chromedp.NewContext(parent)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)
	b := &tab{ctx: ctx, t: t}
	chromedp.ListenTarget(ctx, func(event any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch e := event.(type) {
		case *cdpruntime.EventExceptionThrown:
			b.complaints = append(b.complaints, e.ExceptionDetails.Error())
		case *cdpruntime.EventConsoleAPICalled:
			if e.Type == cdpruntime.APITypeError || e.Type == cdpruntime.APITypeWarning || e.Type == cdpruntime.APITypeAssert {
				b.complaints = append(b.complaints, fmt.Sprintf("console: %s", e.Args[0].Value))
			}
		case *log.EventEntryAdded:
			if e.Entry.Level == log.LevelError || e.Entry.Level == log.LevelWarning {
				b.complaints = append(b.complaints, e.Entry.Text)
			}
		case *network.EventRequestWillBeSent:
			if !strings.HasPrefix(e.Request.URL, server.URL) && !strings.HasPrefix(e.Request.URL, "data:") {
				b.requests = append(b.requests, e.Request.URL)
			}
		}
	})
	err := chromedp.Run(ctx, network.Enable(), log.Enable(), performance.Enable().WithTimeDomain(performance.EnableTimeDomainThreadTicks),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}),
		cdppage.BringToFront(), // a tab behind another draws no frames
		chromedp.EmulateViewport(int64(width), 900),
		chromedp.Navigate(server.URL),
		chromedp.WaitReady(`html[data-ready="yes"]`, chromedp.ByQuery))
	if err != nil {
		t.Fatalf("open: %v (%v)", err, b.complaints)
	}
	return b
}

// at shows the page in a window of another width and in a theme.
func (b *tab) at(width int, theme string) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx,
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}),
		chromedp.EmulateViewport(int64(width), 900)); err != nil {
		b.t.Fatal(err)
	}
	eval[bool](b, `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
}

// took is how much of a processor's time the page took since it was opened, whatever else the
// machine does.
func (b *tab) took() (d time.Duration) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, chromedp.ActionFunc(func(ctx context.Context) error {
		all, err := performance.GetMetrics().Do(ctx)
		for _, m := range all {
			if m.Name == "TaskDuration" {
				d = time.Duration(m.Value * float64(time.Second))
			}
		}
		return err
	})); err != nil || d == 0 {
		b.t.Fatalf("the page took %v: %v", d, err)
	}
	return d
}

// eval runs an expression in the page.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	var v T
	if err := chromedp.Run(b.ctx, chromedp.Evaluate(expression, &v, func(p *cdpruntime.EvaluateParams) *cdpruntime.EvaluateParams {
		return p.WithAwaitPromise(true)
	})); err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// quiet fails where the page complained or asked for something.
func (b *tab) quiet() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.complaints {
		b.t.Errorf("the page complained: %s", c)
	}
	for _, r := range b.requests {
		b.t.Errorf("the page asked for %s", r)
	}
}

// screenshot keeps what the page looks like, for people, where asked for.
func (b *tab) screenshot(name string) {
	b.t.Helper()
	dir := os.Getenv("SOFTBENCH_SCREENSHOTS")
	if dir == "" {
		return
	}
	var png []byte
	if err := chromedp.Run(b.ctx, chromedp.FullScreenshot(&png, 100)); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// themes are those that a page is tried in: the comparison in both at each
// width, the others in one.
func themes(name string, width int) []string {
	switch {
	case name == "two":
		return []string{"light", "dark"}
	case (name == "one") == (width < 1000):
		return []string{"light"}
	}
	return []string{"dark"}
}

// library is the ECharts given for the test; it skips where there is none.
func library(t *testing.T) Library {
	t.Helper()
	path := os.Getenv("SOFTBENCH_ECHARTS")
	if path == "" {
		t.Skip("SOFTBENCH_ECHARTS does not name an echarts.min.js: the interactive charts are not tried")
	}
	lib, err := OpenLibrary(path)
	if err != nil {
		t.Fatal(err)
	}
	return lib
}

// drawAll scrolls through the page, so that every chart comes near the window.
const drawAll = `(async () => {
  for (let y = 0; y < document.documentElement.scrollHeight; y += 1400) {
    scrollTo(0, y);
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 30)));
  }
  scrollTo(0, 0);
  await new Promise((done) => setTimeout(done, 100));
  return true;
})()`

// ink counts, for each chart, the pixels that are not the canvas's background,
// and those in colour: axes and labels are grey, marks are not, but for
// differences that may be chance, whose grey is their own.
const inkOfCharts = `[...document.querySelectorAll("figure")].filter((f) => f.querySelector(".chart")).map((f) => {
  const canvas = f.querySelector(".chart canvas");
  const out = { id: f.id, drawn: f.classList.contains("drawn"), pixels: 0, marks: 0 };
  const style = getComputedStyle(document.documentElement);
  const noise = parseInt(style.getPropertyValue("--noise").trim().slice(1), 16), shade = parseInt(style.getPropertyValue("--paper-shade").trim().slice(1), 16);
  const near = (r, g, b, c) => Math.abs(r - (c >> 16)) + Math.abs(g - ((c >> 8) & 255)) + Math.abs(b - (c & 255)) < 12;
  if (!canvas || !canvas.width || !canvas.height) return out;
  const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
  const pen = copy.getContext("2d", { willReadFrequently: true });
  pen.drawImage(canvas, 0, 0);
  const d = pen.getImageData(0, 0, canvas.width, canvas.height).data;
  for (let i = 0; i < d.length; i += 4) {
    if (d[i + 3] < 128) continue;
    out.pixels++;
    const [r, g, b] = [d[i], d[i + 1], d[i + 2]];
    if (Math.max(r, g, b) - Math.min(r, g, b) > 40 || near(r, g, b, noise) || near(r, g, b, shade)) out.marks++;
  }
  return out;
})`

type chartInk struct {
	ID     string
	Drawn  bool
	Pixels int
	Marks  int
}

func TestChartsReallyDraw(t *testing.T) {
	chromium := openBrowser(t)
	lib := library(t)
	two, many := twoRuns(t), manyRuns(t, 6, 60)
	two.Library, many.Library = lib, lib
	one := Page{Runs: two.Runs[:1], Library: lib}
	for _, c := range []struct {
		name   string
		page   Page
		charts int // at least
	}{{"one", one, 5}, {"two", two, 14}, {"six", many, 18}} {
		text := write(t, c.page)
		for _, width := range []int{380, 1400} {
			for _, theme := range themes(c.name, width) {
				name := fmt.Sprintf("%s-%d-%s", c.name, width, theme)
				t.Run(name, func(t *testing.T) {
					b := open(t, chromium, text, width, theme)
					eval[bool](b, drawAll)
					charts := eval[[]chartInk](b, inkOfCharts)
					if len(charts) < c.charts {
						t.Errorf("%d charts, want at least %d", len(charts), c.charts)
					}
					for _, chart := range charts {
						// An axis with its labels alone has few pixels in the ink of its marks.
						if !chart.Drawn || chart.Pixels < 500 || chart.Marks < 30 {
							t.Errorf("chart %s: drawn %v, %d pixels, %d of them of its marks", chart.ID, chart.Drawn, chart.Pixels, chart.Marks)
						}
					}
					if wide := eval[int](b, `document.documentElement.scrollWidth`); wide > width {
						t.Errorf("the page is %d px wide in a window of %d", wide, width)
					}
					b.quiet()
					b.screenshot(name)
				})
			}
		}
	}
}

// The pixel count must tell a chart from an empty one.
func TestPixelCountSeesAnEmptyChart(t *testing.T) {
	chromium := openBrowser(t)
	p := twoRuns(t)
	p.Library = library(t)
	b := open(t, chromium, write(t, p), 1400, "light")
	eval[bool](b, drawAll)
	eval[bool](b, `(() => { const c = document.querySelector("#forest canvas"); c.width = c.width; return true; })()`)
	for _, chart := range eval[[]chartInk](b, inkOfCharts) {
		if chart.ID == "forest" && chart.Pixels != 0 {
			t.Errorf("a canvas that was cleared has %d pixels", chart.Pixels)
		}
	}
}

// checkFigures wants at least so many figures, each with a table beside it.
func checkFigures(b *tab, width, least int) {
	b.t.Helper()
	checkDrawings(b, width, least)
	for _, id := range eval[[]string](b, `[...document.querySelectorAll("figure")].filter((f) => !f.closest("section").querySelector("table")).map((f) => f.id)`) {
		b.t.Errorf("figure %s has no table beside it", id)
	}
}

// checkDrawings wants at least so many figures, each with one drawing to be seen
// that has marks, and nothing wider than the window.
func checkDrawings(b *tab, width, least int) {
	b.t.Helper()
	var drawings []struct {
		ID            string
		Shown         int
		Width, Height float64
		Marks         int
		Colour        string
	}
	raw := eval[json.RawMessage](b, `[...document.querySelectorAll("figure")].map((f) => {
  const shown = [...f.querySelectorAll("svg, table.map")].filter((e) => e.getBoundingClientRect().width > 0);
  const e = shown[0], box = e ? e.getBoundingClientRect() : { width: 0, height: 0 };
  const marks = e ? [...e.querySelectorAll("path, td")].filter((m) => { const r = m.getBoundingClientRect(); return r.width > 0 || r.height > 0; }) : [];
  const text = e && e.querySelector("text");
  const parts = (m) => m.localName === "path" ? m.getAttribute("d").split("M").length - 1 : 1; // a map's path has all cells of a shade
  return { id: f.id, shown: shown.length, width: box.width, height: box.height, marks: marks.reduce((n, m) => n + parts(m), 0), colour: text ? getComputedStyle(text).fill : "map" };
})`)
	if err := json.Unmarshal(raw, &drawings); err != nil {
		b.t.Fatal(err)
	}
	if len(drawings) < least {
		b.t.Errorf("only %d figures", len(drawings))
	}
	for _, d := range drawings {
		if d.Shown != 1 || d.Width < 150 || d.Height < 40 || d.Marks < 4 {
			b.t.Errorf("figure %s: %d drawings shown, %.0f by %.0f px, %d marks", d.ID, d.Shown, d.Width, d.Height, d.Marks)
		}
		if d.Width > float64(width) {
			b.t.Errorf("figure %s is %.0f px wide in a window of %d", d.ID, d.Width, width)
		}
		if d.Colour == "rgb(0, 0, 0)" {
			b.t.Errorf("figure %s: text in black, not in the theme's ink", d.ID)
		}
	}
	if wide := eval[int](b, `document.documentElement.scrollWidth`); wide > width {
		b.t.Errorf("the page is %d px wide in a window of %d", wide, width)
	}
}
