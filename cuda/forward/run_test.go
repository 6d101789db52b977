package forward_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/softbench/softbench/cuda/abi"
	"github.com/softbench/softbench/cuda/device"
	"github.com/softbench/softbench/cuda/forward"
	"github.com/softbench/softbench/cuda/sim"
	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/internal/randforest"
)

// streamed puts a model on a device that takes work as a whole.
func streamed(t *testing.T, m model, o forward.Options) (*engine.Model, *sim.Stream) {
	t.Helper()
	ck, dev := m.open(t), sim.NewStream(sim.New(reserve+memory).Hopper())
	b, err := forward.New(context.Background(), dev, ck, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil || dev.Alive != 0 {
			t.Errorf("%d graphs were not given back, error %v", dev.Alive, err)
		}
	})
	dev.Calls = 0 // those of loading
	return engine.New(b, ck.Config.Vocab), dev
}

// decodes is a forest of so many sequences that decode, of lengths by turns.
func decodes(n int, lengths ...int) *engine.Forest {
	f := &engine.Forest{}
	for i := range n {
		f.Nodes = append(f.Nodes, engine.Node{Parent: -1, Tokens: []int32{int32(i + 1), 7}, Generate: lengths[i%len(lengths)]})
	}
	return f
}

// TestOneCallABatch: the device's thread is given one thing to do for a batch, however
// many launches it has: RESULTS.md counts them by this formula.
func TestOneCallABatch(t *testing.T) {
	m := models()[7]
	device, dev := streamed(t, m, forward.Options{})
	layers := 2
	for _, c := range []struct {
		what     string
		forest   *engine.Forest
		batches  int64
		launches int
	}{
		// Embedding, 7 a layer (8 where no product rotates), the last norm's beginnings; the norm, the head, the merge.
		{"scored rows", &engine.Forest{Nodes: []engine.Node{{Parent: -1, Tokens: []int32{1, 2}, Scored: []engine.Scored{{Row: 0, Targets: []int32{3}}, {Row: 1, Targets: []int32{4, 5}}}}}}, 1, 1 + 7*layers + 1 + 3},
		// Two more gather the rows that leave the last layer.
		{"few scored rows", &engine.Forest{Nodes: []engine.Node{{Parent: -1, Tokens: []int32{1, 2}, Scored: []engine.Scored{{Row: 1, Targets: []int32{4, 5}}}}}}, 1, 1 + 7*layers + 3 + 3},
		{"decoding", decodes(3, 6), 6, 6*(1+7*layers+1+3) + 2},
	} {
		calls, launched := dev.Calls, total(dev)
		stats, err := device.Run(context.Background(), c.forest, engine.RunOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if stats.Batches != c.batches || int64(dev.Calls-calls) != c.batches || total(dev)-launched != c.launches {
			t.Errorf("%s: %d batches, %d calls, %d launches; want %d, as many, and %d", c.what, stats.Batches, dev.Calls-calls, total(dev)-launched, c.batches, c.launches)
		}
	}
}

func total(dev *sim.Stream) (n int) {
	for _, k := range dev.Launches() {
		n += k
	}
	return n
}

// TestGraphs: steps of decoding are graphs from the second of a shape on, one for each
// number of sequences; they change no bit, and no more than MostGraphs are kept.
func TestGraphs(t *testing.T) {
	for _, dt := range []kernel.Arithmetic{kernel.Float32, kernel.BFloat16} {
		m := models()[7]
		formats := forward.Options{Formats: kernel.FormatsOf(dt)}
		plain, _ := simulateOn(t, sim.New(reserve+memory).Hopper(), m.open(t), formats)
		graphed, dev := streamed(t, m, formats)
		same := func(what string, f *engine.Forest, o engine.RunOptions) {
			t.Helper()
			equal(t, fmt.Sprintf("%v, %s", dt, what), run(t, graphed, f, o), run(t, plain, f, o), func(node int) int { return node })
		}
		// Three sequences decode 7 tokens after the first, then two of them 4 more.
		same("two shapes", decodes(3, 12, 8, 12), engine.RunOptions{})
		if dev.Made != 2 || dev.Graphed != 6+3 {
			t.Errorf("%d graphs, launched %d times; want 2 and 9", dev.Made, dev.Graphed)
		}
		same("the same shapes", decodes(3, 12, 8, 12), engine.RunOptions{})
		if dev.Made != 2 || dev.Graphed != 9+7+4 {
			t.Errorf("once more: %d graphs, launched %d times; want 2 and 20", dev.Made, dev.Graphed)
		}
		for n := 4; n < 4+device.MostGraphs+3; n++ {
			same("many shapes", decodes(n, 4), engine.RunOptions{})
		}
		if dev.Made != 2+device.MostGraphs+3 || dev.Alive != device.MostGraphs {
			t.Errorf("%d graphs made, %d kept", dev.Made, dev.Alive)
		}
		// Steps of which some rows are of prompts, and others of sequences that share them.
		f := randforest.New(rand.New(rand.NewPCG(8, 7)), 12, 300, randforest.UpToThree)
		for _, size := range []int{1, 7, 4096} {
			same("a forest", f, engine.RunOptions{BatchTokens: size})
		}
	}
}

// preparing is a backend that tells of batches that are made ready.
type preparing struct {
	*forward.Backend
	prepared chan bool
}

func (p preparing) Prepare(b *engine.Batch) (engine.Prepared, error) {
	r, err := p.Backend.Prepare(b)
	p.prepared <- true
	return r, err
}

// TestAhead: while a batch is under way the next one is made ready, and what the one
// before gave is handed out, unless it decodes; numbers, their order and what is counted
// are those of one batch after the other.
func TestAhead(t *testing.T) {
	m := models()[0]
	ck := m.open(t)
	dev := sim.NewStream(sim.New(reserve + memory))
	b, err := forward.New(context.Background(), dev, ck, forward.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	const batches = 8
	scored := func(generate int) *engine.Forest {
		f := &engine.Forest{}
		for i := range batches {
			f.Nodes = append(f.Nodes, engine.Node{Parent: i - 1, Tokens: []int32{int32(i), 3}, Scored: []engine.Scored{{Row: 1, Targets: []int32{5}}}, Generate: generate})
		}
		return f
	}
	// Batch i does not begin before i+2 batches are ready, or all of them.
	p := preparing{b, make(chan bool, 3*batches)}
	begun, ready := 0, 0
	dev.Before = func(l *device.Launch) error {
		if begun++; l.Kernel != "sb_embed_f32" {
			begun--
			return nil
		}
		for ready < min(begun+1, batches) {
			select {
			case <-p.prepared:
				ready++
			case <-time.After(time.Minute):
				return fmt.Errorf("batch %d is under way, and no more than %d are ready", begun, ready)
			}
		}
		return nil
	}
	stats, err := engine.New(p, ck.Config.Vocab).Run(context.Background(), scored(0), engine.RunOptions{BatchTokens: 2})
	if err != nil || stats.Batches != batches || begun != batches {
		t.Fatalf("%d batches, %d begun: %v", stats.Batches, begun, err)
	}
	// One that decodes waits for the one before.
	begun, ready = 0, 0
	dev.Before = func(l *device.Launch) error {
		if l.Kernel == "sb_embed_f32" {
			if begun++; len(p.prepared) != begun {
				return fmt.Errorf("%d batches are ready as %d begins", len(p.prepared), begun)
			}
		}
		return nil
	}
	if _, err := engine.New(p, ck.Config.Vocab).Run(context.Background(), scored(2), engine.RunOptions{BatchTokens: 2}); err != nil {
		t.Fatal(err)
	}
	dev.Before = nil

	ahead := engine.New(b, ck.Config.Vocab)
	after := engine.New(struct{ engine.Backend }{b}, ck.Config.Vocab) // no Ahead
	f := randforest.New(rand.New(rand.NewPCG(3, 7)), 24, ck.Config.Vocab, randforest.UpToThree)
	for _, size := range []int{1, 5, 30, 4096} {
		want := run(t, after, f, engine.RunOptions{BatchTokens: size})
		equal(t, fmt.Sprintf("batches of %d", size), run(t, ahead, f, engine.RunOptions{BatchTokens: size}), want, func(node int) int { return node })
		x, err := after.Run(context.Background(), f, engine.RunOptions{BatchTokens: size})
		if err != nil {
			t.Fatal(err)
		}
		y, err := ahead.Run(context.Background(), f, engine.RunOptions{BatchTokens: size})
		if err != nil || x.Tokens != y.Tokens || x.Pairs != y.Pairs || x.Heads != y.Heads || x.Decoded.Rows != y.Decoded.Rows || y.Batches < x.Batches {
			t.Errorf("batches of %d: %+v, one after the other %+v: %v", size, y, x, err)
		}
		// No more memory than one batch after the other needs.
		equal(t, "memory bound", run(t, ahead, f, engine.RunOptions{BatchTokens: size, Memory: x.PeakKV}), want, func(node int) int { return node })
	}
	// An error of who gets the scores ends the run, with nothing under way.
	wrong := errors.New("no more, thank you")
	for at := range 4 {
		told := 0
		_, err := ahead.Run(context.Background(), f, engine.RunOptions{BatchTokens: 4, Score: func(int, int, engine.Score) error {
			if told++; told > 3*at {
				return wrong
			}
			return nil
		}})
		if !errors.Is(err, wrong) || told != 3*at+1 {
			t.Errorf("told %d scores: %v", told, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	_, err = ahead.Run(ctx, f, engine.RunOptions{BatchTokens: 4, Score: func(int, int, engine.Score) error { cancel(); return nil }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	// All memory came back: a run as before fits and is the same.
	equal(t, "afterwards", run(t, ahead, f, engine.RunOptions{}), run(t, after, f, engine.RunOptions{}), func(node int) int { return node })
}

// TestGraphArguments: launches of a shape that was seen get their own arguments, and a
// graph that does not take them is found.
func TestGraphArguments(t *testing.T) {
	dev := sim.NewStream(sim.New(1 << 20))
	p, err := dev.Alloc(1 << 16)
	if err != nil {
		t.Fatal(err)
	}
	words := make([]byte, 4096)
	for i := range words {
		words[i] = byte(i)
	}
	step := func(from, rows int) []byte {
		// Row 1 of 256 bytes each, by an index that the upload brings, to the second half.
		got := make([]byte, 256)
		w := &device.Work{
			Uploads:   []device.Copy{{Device: p, Host: words}, {Device: p + 8192, Host: []byte{byte(from), 0, 0, 0}}},
			Launches:  []*device.Launch{abi.Gather(p, p+8192, p+16384+device.Ptr(256*from), rows, 256)},
			Downloads: []device.Copy{{Device: p + 16384 + device.Ptr(256*from), Host: got}},
			Again:     true,
		}
		if err := dev.Start(w)(); err != nil {
			t.Fatal(err)
		}
		return got
	}
	for i, from := range []int{3, 3, 3, 5, 2} {
		if got := step(from, 1); string(got) != string(words[256*from:256*from+256]) {
			t.Errorf("step %d: %v", i, got[:4])
		}
	}
	if dev.Made != 1 || dev.Graphed != 4 || dev.Set != 2 {
		t.Errorf("%d graphs, launched %d times, %d nodes set; want 1, 4 and 2", dev.Made, dev.Graphed, dev.Set)
	}
	if err := dev.Close(); err != nil || dev.Alive != 0 {
		t.Errorf("%d graphs left, %v", dev.Alive, err)
	}
}
