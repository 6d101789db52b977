package sim

import (
	"fmt"
	"slices"

	"github.com/softbench/softbench/cuda/device"
)

// Stream is a simulated device that takes work as a whole, as a GPU's driver thread
// does, and does it while the caller goes on: by the race detector, a caller that
// touches what work under way uses is found. Launches that come again are graphs.
type Stream struct {
	*Device
	Calls, Graphed, Set int // calls to the device; of graphs, launches and nodes whose arguments were set
	Made, Alive         int // graphs
	graphs              device.Graphs
}

// NewStream makes a stream of a device.
func NewStream(d *Device) *Stream {
	s := &Stream{Device: d}
	s.graphs.New = s.newGraph
	return s
}

// Start implements device.Batcher.
func (s *Stream) Start(w *device.Work) (wait func() error) {
	s.Calls++
	done := make(chan error, 1)
	go func() { done <- s.do(w) }()
	return func() error { return <-done }
}

func (s *Stream) do(w *device.Work) error {
	rest := *w
	if w.Again {
		if err := device.InTurn(s.Device, &device.Work{Uploads: w.Uploads}); err != nil {
			return err
		}
		rest.Uploads = nil
		graphed, err := s.graphs.Launch(w.Launches)
		if err != nil {
			return err
		}
		if graphed {
			s.Graphed++
			rest.Launches = nil
		}
	}
	return device.InTurn(s.Device, &rest)
}

// Upload, Download, Launch and Sync are calls of their own.
func (s *Stream) Upload(dst device.Ptr, src []byte) error {
	s.Calls++
	return s.Device.Upload(dst, src)
}

func (s *Stream) Download(dst []byte, src device.Ptr) error {
	s.Calls++
	return s.Device.Download(dst, src)
}

func (s *Stream) Launch(l *device.Launch) error {
	s.Calls++
	return s.Device.Launch(l)
}

func (s *Stream) Sync() error {
	s.Calls++
	return s.Device.Sync()
}

// Close gives the graphs back, and the device.
func (s *Stream) Close() error {
	if err := s.graphs.Close(); err != nil {
		return err
	}
	return s.Device.Close()
}

// graph is launches as they were when it was made or they were set.
type graph struct {
	s     *Stream
	nodes []device.Launch
}

func (s *Stream) newGraph(list []*device.Launch) (device.Graph, error) {
	g := &graph{s: s}
	for _, l := range list {
		node := *l
		node.Args = slices.Clone(l.Args)
		g.nodes = append(g.nodes, node)
	}
	s.Made++
	s.Alive++
	return g, nil
}

func (g *graph) Set(i int, l *device.Launch) error {
	n := &g.nodes[i]
	if n.Kernel != l.Kernel || n.Grid != l.Grid || n.Block != l.Block || n.Shared != l.Shared {
		return fmt.Errorf("node %d is %s of %v blocks: %s of %v is another shape", i, n.Kernel, n.Grid, l.Kernel, l.Grid)
	}
	n.Args = slices.Clone(l.Args)
	g.s.Set++
	return nil
}

func (g *graph) Launch() error {
	for i := range g.nodes {
		if err := g.s.Device.Launch(&g.nodes[i]); err != nil {
			return err
		}
	}
	return nil
}

func (g *graph) Close() error {
	g.s.Alive--
	return nil
}
