package rundir

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/softbench/softbench/lm/answer"
	"github.com/softbench/softbench/probe/observed"
)

// TestFormatIsDocumented: docs/run-format.md names every column and JSON field in
// the section of its table, and the schema's version.
func TestFormatIsDocumented(t *testing.T) {
	text := string(readAll(t, filepath.Join("..", "..", "docs", "run-format.md")))
	if !strings.Contains(text, fmt.Sprintf("schema version **%d**", Schema)) {
		t.Errorf("the version %d is not documented", Schema)
	}
	sections := map[string]string{}
	for _, s := range strings.Split("\n"+text, "\n#")[1:] {
		title, body, _ := strings.Cut(s, "\n")
		sections[strings.TrimLeft(title, "# ")] = body
	}
	where := map[reflect.Type]string{
		reflect.TypeFor[Sample](): "samples.parquet", reflect.TypeFor[HeadRow](): "diagnostics.parquet",
		reflect.TypeFor[DiagnosticsSample](): "diagnostics_samples.parquet", reflect.TypeFor[MapRow](): "attention_maps.parquet",
		reflect.TypeFor[header](): "journal", reflect.TypeFor[Plan](): "plan", reflect.TypeFor[PlannedPart](): "planned parts", reflect.TypeFor[line](): "results of a whole task", reflect.TypeFor[Whole](): "results of a whole task", reflect.TypeFor[Record](): "journal", reflect.TypeFor[answer.Answer](): "journal", reflect.TypeFor[answer.Position](): "journal",
		reflect.TypeFor[observed.Sample](): "observations", reflect.TypeFor[observed.Layer](): "observed layers",
		reflect.TypeFor[divergenceHeader](): "divergences", reflect.TypeFor[DivergenceRecord](): "divergences",
		reflect.TypeFor[Run](): "run.json", reflect.TypeFor[Model](): "model", reflect.TypeFor[Quantised](): "quantised", reflect.TypeFor[Calibration](): "calibration", reflect.TypeFor[Settings](): "settings",
		reflect.TypeFor[TaskSettings](): "task settings", reflect.TypeFor[PasskeySettings](): "passkey settings",
		reflect.TypeFor[PromptSettings](): "prompt settings", reflect.TypeFor[GenerationSettings](): "generation settings",
		reflect.TypeFor[DiagnosticsSettings](): "diagnostics settings", reflect.TypeFor[TaskResult](): "tasks",
		reflect.TypeFor[GroupResult](): "groups", reflect.TypeFor[GroupMetric](): "group metrics",
		reflect.TypeFor[Metric](): "metrics", reflect.TypeFor[Cell](): "passkey", reflect.TypeFor[Diagnostics](): "diagnostics",
		reflect.TypeFor[DiagnosticsLayer](): "diagnostics by layer", reflect.TypeFor[Tokens](): "tokens",
		reflect.TypeFor[Process](): "process", reflect.TypeFor[File](): "files", reflect.TypeFor[Written](): "files written",
	}
	seen := map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			walk(typ.Elem())
			return
		case reflect.Struct:
		default:
			return
		}
		if seen[typ] || typ == reflect.TypeFor[time.Time]() {
			return
		}
		seen[typ] = true
		title, ok := where[typ]
		body, there := sections[title]
		if !ok || !there {
			t.Errorf("%v has no section in docs/run-format.md", typ)
			return
		}
		for i := range typ.NumField() {
			f := typ.Field(i)
			if f.Anonymous { // its fields stand among these
				walk(f.Type)
				continue
			}
			tag := f.Tag.Get("json") + f.Tag.Get("parquet")
			name, _, _ := strings.Cut(tag, ",")
			if name == "" || !strings.Contains(body, "`"+name+"`") {
				t.Errorf("%v.%s: section %q does not name %q", typ, f.Name, title, name)
			}
			walk(f.Type)
		}
	}
	for _, v := range []any{Run{}, header{}, line{}, divergenceHeader{}, DivergenceRecord{}, Sample{}, HeadRow{}, DiagnosticsSample{}, MapRow{}} {
		walk(reflect.TypeOf(v))
	}
	if len(seen) != len(where) {
		t.Errorf("%d types were found, the test knows %d", len(seen), len(where))
	}
}

// golden compares with a file below testdata. SOFTBENCH_UPDATE=1 writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("SOFTBENCH_UPDATE") != "" {
		if err := os.MkdirAll("testdata", 0o777); err != nil {
			t.Fatal(err)
		}
		overwrite(t, path, []byte(got))
	}
	if want := string(readAll(t, path)); got != want {
		t.Errorf("%s differs:\n%s\nwant\n%s", path, got, want)
	}
}

// TestManifestText pins run.json's form: readers elsewhere depend on it.
func TestManifestText(t *testing.T) {
	r := pinnedRun()
	text, err := r.encode()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "run.json", string(text))
	back, err := parseManifest(text)
	if err != nil {
		t.Fatal(err)
	}
	again, err := back.encode()
	if err != nil || string(again) != string(text) {
		t.Errorf("read and written again it is\n%s", again)
	}
}

// TestTableText pins the table that people see.
func TestTableText(t *testing.T) {
	var b strings.Builder
	if err := WriteTable(&b, pinnedRun()); err != nil {
		t.Fatal(err)
	}
	golden(t, "table.txt", b.String())
}
