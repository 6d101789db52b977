//go:build cuda && linux && (amd64 || arm64)

package driver

// #include "loader.h"
import "C"

import (
	"fmt"
	"unsafe"

	"gorgonia.org/cu"

	"github.com/softbench/softbench/cuda/device"
)

// Start implements device.Batcher: one function for the thread, whatever the work.
func (g *GPU) Start(w *device.Work) (wait func() error) {
	g.calls++
	return g.thread.start(func() error { return g.work(w) })
}

func (g *GPU) work(w *device.Work) error {
	for _, c := range w.Uploads {
		if err := g.upload(c.Device, c.Host); err != nil {
			return err
		}
	}
	if err := g.launchAll(w); err != nil {
		return err
	}
	return g.results(w.Downloads)
}

func (g *GPU) launchAll(w *device.Work) error {
	if w.Again && !g.plain && C.softbench_has_graphs() != 0 {
		if done, err := g.graphs.Launch(w.Launches); done || err != nil {
			return err
		}
	}
	for _, l := range w.Launches {
		if err := g.launch(l); err != nil {
			return err
		}
	}
	return nil
}

// results waits for all before and copies, by way of pinned memory, as many at a time
// as fit, which are waited for together.
func (g *GPU) results(list []device.Copy) error {
	pinned := unsafe.Slice((*byte)(unsafe.Add(g.staging, stagingBytes)), stagingBytes)
	from, used := 0, 0 // list[from:i] is under way
	settle := func(end int) error {
		if err := g.sync(); err != nil {
			return err
		}
		at := 0
		for _, c := range list[from:end] {
			at += copy(c.Host, pinned[at:])
		}
		from, used = end, 0
		return nil
	}
	for i, c := range list {
		if len(c.Host) > stagingBytes {
			return fmt.Errorf("download of %d bytes at once, at most %d: this is a fault of softbench", len(c.Host), stagingBytes)
		}
		if used+len(c.Host) > stagingBytes {
			if err := settle(i); err != nil {
				return err
			}
		}
		if len(c.Host) == 0 {
			continue
		}
		if err := cu.MemcpyDtoHAsync(unsafe.Pointer(&pinned[used]), cu.DevicePtr(c.Device), int64(len(c.Host)), g.stream); err != nil {
			return fmt.Errorf("download: %w", err)
		}
		used += len(c.Host)
	}
	return settle(len(list))
}

// WithoutGraphs starts every launch by itself.
func (g *GPU) WithoutGraphs() { g.plain = true }

// Calls is the number of times that the device's thread was given something to do.
func (g *GPU) Calls() int { return g.calls }

// graph is a CUDA graph of kernels, one after the other.
type graph struct {
	g     *GPU
	graph C.CUgraph
	exec  C.CUgraphExec
	nodes []C.CUgraphNode
}

func (g *GPU) newGraph(list []*device.Launch) (device.Graph, error) {
	x := &graph{g: g, nodes: make([]C.CUgraphNode, len(list))}
	if err := check("graph", C.cuGraphCreate(&x.graph, 0)); err != nil {
		return nil, err
	}
	for i, l := range list {
		k, matrices, err := g.ready(l)
		if err != nil {
			return nil, err
		}
		grid, block := dim(l.Grid), dim(l.Block)
		var before C.CUgraphNode
		if i > 0 {
			before = x.nodes[i-1]
		}
		code := C.softbench_graph_add(&x.nodes[i], x.graph, before, k.function, &grid[0], &block[0], C.uint(l.Shared), &g.values[0], C.int(len(l.Args)), matrices, g.maps)
		if err := check("graph: kernel "+l.Kernel, code); err != nil {
			return nil, err
		}
	}
	if err := check("graph", C.cuGraphInstantiateWithFlags(&x.exec, x.graph, 0)); err != nil {
		return nil, err
	}
	return x, nil
}

func (x *graph) Set(i int, l *device.Launch) error {
	k, matrices, err := x.g.ready(l)
	if err != nil {
		return err
	}
	grid, block := dim(l.Grid), dim(l.Block)
	code := C.softbench_graph_set(x.exec, x.nodes[i], k.function, &grid[0], &block[0], C.uint(l.Shared), &x.g.values[0], C.int(len(l.Args)), matrices, x.g.maps)
	return check("graph: kernel "+l.Kernel, code)
}

func (x *graph) Launch() error { return check("graph", C.cuGraphLaunch(x.exec, x.g.handle())) }

func (x *graph) Close() error {
	if err := check("graph", C.cuGraphExecDestroy(x.exec)); err != nil {
		return err
	}
	return check("graph", C.cuGraphDestroy(x.graph))
}
