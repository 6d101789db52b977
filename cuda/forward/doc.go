// Package forward is the engine's backend on a device: it lays out memory,
// turns a batch of ragged rows into tables (row positions, slots of keys and
// values, tiles of queries, extents of keys), and launches the kernels of one
// forward pass, layer after layer.
//
// It owns the planning and the launch descriptors, and is plain Go: with the
// sim package as its device the whole backend runs, and is tested, without a
// GPU. It must not know how a device is reached, nor tasks, prompts or text.
//
// What the tables may depend on and the numbers may not: batch size, order,
// sharing of prefixes, where keys happen to lie. Each row's keys are walked in
// absolute position order, in blocks that start at multiples of the key block
// from position 0; a row never meets another row's sums.
package forward
