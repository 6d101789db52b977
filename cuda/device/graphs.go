package device

import "slices"

// Graph is launches, one after the other, that a device starts by one call.
type Graph interface {
	// Set gives node i the arguments of a launch of the same kernel and shape.
	Set(i int, l *Launch) error
	Launch() error
	Close() error
}

// MostGraphs is how many graphs are kept: of decoding, the numbers of sequences that
// were last under way.
const MostGraphs = 16

// Graphs keeps launches that come again as graphs: a list of kernels with their
// shapes gets one when it is seen for the second time, and arguments that differ
// are set in it. The one that was not used for longest makes room.
type Graphs struct {
	New  func(list []*Launch) (Graph, error)
	kept []*keptGraph // the one used last comes first
}

type keptGraph struct {
	list  []*Launch // with the graph's arguments; the caller's, which no one changes
	graph Graph     // nil: seen once
}

// Launch starts launches by their graph, and says whether there is one. Where there is
// not, it has started nothing.
func (g *Graphs) Launch(list []*Launch) (bool, error) {
	at := slices.IndexFunc(g.kept, func(k *keptGraph) bool { return slices.EqualFunc(k.list, list, sameShape) })
	if at < 0 {
		if len(g.kept) == MostGraphs {
			last := g.kept[MostGraphs-1]
			g.kept = g.kept[:MostGraphs-1]
			if err := last.close(); err != nil {
				return false, err
			}
		}
		g.kept = slices.Insert(g.kept, 0, &keptGraph{list: list})
		return false, nil
	}
	k := g.kept[at]
	copy(g.kept[1:at+1], g.kept[:at])
	g.kept[0] = k
	if k.graph == nil {
		made, err := g.New(list)
		if err != nil {
			return false, err
		}
		k.list, k.graph = list, made
	}
	for i, l := range list {
		if slices.Equal(l.Args, k.list[i].Args) {
			continue
		}
		if err := k.graph.Set(i, l); err != nil {
			return false, err
		}
	}
	k.list = list
	return true, k.graph.Launch()
}

func (k *keptGraph) close() error {
	if k.graph == nil {
		return nil
	}
	return k.graph.Close()
}

// Close gives all graphs back.
func (g *Graphs) Close() (err error) {
	for _, k := range g.kept {
		if e := k.close(); err == nil {
			err = e
		}
	}
	g.kept = nil
	return err
}

// sameShape says whether two launches differ in their arguments at most.
func sameShape(a, b *Launch) bool {
	return a.Kernel == b.Kernel && a.Grid == b.Grid && a.Block == b.Block && a.Shared == b.Shared && len(a.Args) == len(b.Args)
}

// Len is the number of graphs that are kept.
func (g *Graphs) Len() (n int) {
	for _, k := range g.kept {
		if k.graph != nil {
			n++
		}
	}
	return n
}
