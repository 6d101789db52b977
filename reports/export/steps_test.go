package export

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/rundir"
)

// course are three runs of one training and one that stands alone, with passkey and diagnostics.
func course(t *testing.T) (runs []At) {
	t.Helper()
	for i, s := range append(threeSides(t, "step-1000", "step-20", "step-300"), threeSides(t, "alone", "b", "c")[0]) {
		at := At{Side: s, Series: "step-*", Step: []int64{1000, 20, 300, 0}[i]}
		if i == 3 {
			at.Series = "alone"
		}
		s.Manifest.Passkey = []rundir.Cell{{Length: 512, Depth: 0.25, N: 10, Right: 7, Accuracy: 0.7, Low: 0.4, High: 0.9}}
		s.Manifest.Diagnostics = &rundir.Diagnostics{Samples: 4, SinkRate: 0.5, Kurtosis: rundir.Number(math.NaN()), Massive: 3}
		runs = append(runs, at)
	}
	return runs
}

type readEvent struct {
	wall    float64
	step    int64
	version string
	scalars map[string]float32
}

// readEvents reads an event file by the format's description, with every checksum computed bit by
// bit: nothing of the writer's.
func readEvents(t *testing.T, data []byte) (events []readEvent) {
	t.Helper()
	crc := func(b []byte) uint32 { // reflected polynomial 0x82f63b78
		c := ^uint32(0)
		for _, x := range b {
			c ^= uint32(x)
			for range 8 {
				if c&1 != 0 {
					c = c>>1 ^ 0x82f63b78
				} else {
					c >>= 1
				}
			}
		}
		c = ^c
		return (c>>15 | c<<17) + 0xa282ead8
	}
	for len(data) > 0 {
		n := binary.LittleEndian.Uint64(data)
		if crc(data[:8]) != binary.LittleEndian.Uint32(data[8:]) || crc(data[12:12+n]) != binary.LittleEndian.Uint32(data[12+n:]) {
			t.Fatal("a checksum is wrong")
		}
		e := readEvent{scalars: map[string]float32{}}
		fields(t, data[12:12+n], func(field protowire.Number, bits uint64, bytes []byte) {
			switch field {
			case 1:
				e.wall = math.Float64frombits(bits)
			case 2:
				e.step = int64(bits)
			case 3:
				e.version = string(bytes)
			case 5:
				fields(t, bytes, func(field protowire.Number, _ uint64, bytes []byte) {
					tag, value := "", float32(0)
					fields(t, bytes, func(field protowire.Number, bits uint64, bytes []byte) {
						if field == 1 {
							tag = string(bytes)
						} else {
							value = math.Float32frombits(uint32(bits))
						}
					})
					e.scalars[tag] = value
				})
			}
		})
		events, data = append(events, e), data[16+n:]
	}
	return events
}

func fields(t *testing.T, b []byte, visit func(field protowire.Number, bits uint64, bytes []byte)) {
	t.Helper()
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		b = b[n:]
		var bits uint64
		var bytes []byte
		switch kind {
		case protowire.VarintType:
			bits, n = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			bits, n = protowire.ConsumeFixed64(b)
		case protowire.Fixed32Type:
			var v uint32
			v, n = protowire.ConsumeFixed32(b)
			bits = uint64(v)
		case protowire.BytesType:
			bytes, n = protowire.ConsumeBytes(b)
		default:
			t.Fatalf("wire type %d", kind)
		}
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		visit(field, bits, bytes)
		b = b[n:]
	}
}

// An event file is read back: a series' runs by step, each number under its tag, nothing that is
// not finite.
func TestTensorBoard(t *testing.T) {
	runs := course(t)
	files := TensorBoard(runs)
	if len(files) != 2 || files[0].Series != "step-*" || files[1].Series != "alone" || files[0].Name != "events.out.tfevents.1767323106.softbench" {
		t.Fatalf("%+v", files)
	}
	events := readEvents(t, files[0].Data)
	if len(events) != 4 || events[0].version != "brain.Event:2" || len(events[0].scalars) != 0 || events[0].wall != events[1].wall {
		t.Fatalf("%+v", events)
	}
	for i, step := range []int64{20, 300, 1000} {
		e := events[1+i]
		at := slices.IndexFunc(runs, func(r At) bool { return r.Step == step })
		if e.step != step || e.wall != 1767323106.000007 {
			t.Errorf("step %d at %v, want %d", e.step, e.wall, step)
		}
		for _, n := range numbersOf(runs[at].Side) {
			if got, ok := e.scalars[n.task+"/"+n.metric]; ok != finite(n.value) || ok && got != float32(n.value) {
				t.Errorf("step %d: %s/%s is %v, want %v", step, n.task, n.metric, got, n.value)
			}
		}
		if e.scalars["passkey/acc@512@0.25"] != 0.7 || e.scalars["passkey/acc@512@0.25_low"] != 0.4 || e.scalars["diagnostics/sink_rate"] != 0.5 || e.scalars["diagnostics/massive"] != 3 {
			t.Errorf("%v", e.scalars)
		}
		if _, ok := e.scalars["diagnostics/kurtosis"]; ok {
			t.Error("a number that is none is there")
		}
	}
	if again := TensorBoard(runs); string(again[0].Data) != string(files[0].Data) {
		t.Error("the same runs make another file")
	}
}

// Each line is an object with a number under each name, as the table has it.
func TestJSONLines(t *testing.T) {
	runs := course(t)
	text := written(t, func(b *strings.Builder) error { return WriteJSONLines(b, runs) })
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) != 4 {
		t.Fatalf("%s", text)
	}
	runs = []At{runs[1], runs[2], runs[0], runs[3]} // by steps: a tracker takes no step below the last
	allowed := regexp.MustCompile(`^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$`)
	for i, l := range lines {
		var got map[string]any
		if err := json.Unmarshal([]byte(l), &got); err != nil {
			t.Fatal(err)
		}
		if got["passkey/acc_512_0.25"] != 0.7 || got["passkey/acc_512_0.25_low"] != 0.4 {
			t.Errorf("the passkey cell is not there: %v", got)
		}
		for name := range got {
			if strings.Contains(name, "/") && !allowed.MatchString(name) {
				t.Errorf("MLflow refuses the name %q", name)
			}
		}
		if got["run"] != runs[i].Side.Name || got["series"] != runs[i].Series || got["_step"] != float64(runs[i].Step) || got["_timestamp"] != 1767323106.0 {
			t.Errorf("%v", got)
		}
		for _, n := range numbersOf(runs[i].Side) {
			value, ok := got[n.task+"/"+plainName(n.metric)]
			if ok != finite(n.value) || ok && value != n.value {
				t.Errorf("%s/%s is %v, want %v", n.task, n.metric, value, n.value)
			}
		}
	}
	hostileSide := &compare.Side{Name: "a\nb\"", Tasks: []compare.Task{}}
	if text := written(t, func(b *strings.Builder) error { return WriteJSONLines(b, []At{{Side: hostileSide, Series: "x"}}) }); strings.Count(text, "\n") != 1 || !json.Valid([]byte(text)) {
		t.Errorf("%q", text)
	}
}

// The table of lines has passkey cells and diagnostics behind the tasks' metrics.
func TestCSVHasCellsAndDiagnostics(t *testing.T) {
	text := written(t, func(b *strings.Builder) error { return WriteCSV(b, []*compare.Side{course(t)[3].Side}) })
	for _, want := range []string{"alone,passkey,acc@512@0.25,10,0.7,,0.4,0.9,true,,\n", "alone,diagnostics,sink_rate,4,0.5,,,,,,\n", "alone,diagnostics,kurtosis,4,,,,,,,\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}
