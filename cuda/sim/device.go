package sim

import (
	"cmp"
	"fmt"
	"slices"
	"unsafe"

	"github.com/softbench/softbench/cuda/device"
)

// Device implements device.Device in the memory of this process.
type Device struct {
	info     device.Info
	next     device.Ptr
	memory   []part // by address
	parts    []part // by address; where there are some, accesses keep to one
	launches map[string]int
	// Before, where not nil, sees every launch before it runs.
	Before func(l *device.Launch) error
}

type part struct {
	at   device.Ptr
	n    int64
	data []byte // of memory, not of parts
}

// New makes a device with free bytes of memory.
func New(free int64) *Device {
	return &Device{
		info: device.Info{Name: "simulated device", Major: 8, SMs: 1, Total: free, Free: free, Shared: 227 << 10, Image: "simulated"},
		next: 1 << 40, launches: map[string]int{},
	}
}

// Hopper makes it a device that has the kernels of sm_90a too.
func (d *Device) Hopper() *Device {
	d.info.Hopper = true
	return d
}

func (d *Device) Info() device.Info { return d.info }

// Alloc implements device.Device. Every bit is set: NaN as float, bfloat16 and
// double, and -1, which no index is, as int.
func (d *Device) Alloc(bytes int64) (device.Ptr, error) {
	if bytes < 0 || bytes > d.info.Free {
		return 0, fmt.Errorf("%d MiB of memory wanted, %d MiB are free", bytes>>20, d.info.Free>>20)
	}
	d.info.Free -= bytes
	words := make([]uint64, (bytes+7)/8)
	for i := range words {
		words[i] = ^uint64(0)
	}
	p := part{at: d.next, n: bytes}
	if len(words) > 0 {
		p.data = unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), bytes)
	}
	d.memory = append(d.memory, p)
	d.next += device.Ptr(device.RoundUp(bytes) + 1<<20)
	return p.at, nil
}

// Part says that bytes from p on are one thing: an access that begins inside
// must end inside.
func (d *Device) Part(p device.Ptr, bytes int64) {
	at, _ := slices.BinarySearchFunc(d.parts, p, func(a part, p device.Ptr) int { return cmp.Compare(a.at, p) })
	d.parts = slices.Insert(d.parts, at, part{at: p, n: bytes})
}

// fault is an access outside memory; it becomes the launch's error.
type fault struct{ text string }

// bytes is n bytes at p.
func (d *Device) bytes(p device.Ptr, n int) []byte {
	if n == 0 {
		return nil
	}
	in := func(list []part) *part {
		at, found := slices.BinarySearchFunc(list, p, func(a part, p device.Ptr) int { return cmp.Compare(a.at, p) })
		if !found {
			at--
		}
		if at < 0 || n < 0 || int64(p-list[at].at)+int64(n) > list[at].n {
			panic(fault{fmt.Sprintf("access of %d bytes at %#x, outside memory or across parts of it", n, uint64(p))})
		}
		return &list[at]
	}
	if len(d.parts) > 0 {
		in(d.parts)
	}
	m := in(d.memory)
	return m.data[p-m.at:][:n]
}

// view is n elements at p.
func view[E int32 | float32 | float64 | uint16](d *Device, p device.Ptr, n int) []E {
	var e E
	size := int(unsafe.Sizeof(e))
	if int(p)%size != 0 {
		panic(fault{fmt.Sprintf("access at %#x, which is not aligned to %d bytes", uint64(p), size)})
	}
	b := d.bytes(p, n*size)
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*E)(unsafe.Pointer(&b[0])), n)
}

// guarded turns a fault into an error.
func guarded(what string, f func()) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case fault:
			err = fmt.Errorf("%s: %s", what, r.text)
		default:
			panic(r)
		}
	}()
	f()
	return nil
}

func (d *Device) Upload(dst device.Ptr, src []byte) error {
	return guarded("upload", func() { copy(d.bytes(dst, len(src)), src) })
}

func (d *Device) Download(dst []byte, src device.Ptr) error {
	return guarded("download", func() { copy(dst, d.bytes(src, len(dst))) })
}

func (d *Device) Sync() error { return nil }

func (d *Device) Close() error {
	d.memory, d.parts = nil, nil
	return nil
}

// Launches is the number of launches of each kernel.
func (d *Device) Launches() map[string]int { return d.launches }

// Launch implements device.Device: the blocks of the grid run one after the
// other.
func (d *Device) Launch(l *device.Launch) error {
	if d.Before != nil {
		if err := d.Before(l); err != nil {
			return err
		}
	}
	k, ok := kernels[l.Kernel]
	if !ok {
		return fmt.Errorf("kernel %s does not exist", l.Kernel)
	}
	if len(l.Args) != len(k.params) {
		return fmt.Errorf("kernel %s: %d arguments, want %d", l.Kernel, len(l.Args), len(k.params))
	}
	for i, a := range l.Args {
		if a.Kind != k.params[i] {
			return fmt.Errorf("kernel %s: argument %d is a %v, want a %v", l.Kernel, i, a.Kind, k.params[i])
		}
	}
	for i, a := range l.Args {
		if a.Kind == device.Boxes {
			if err := a.Matrix.Check(); err != nil || a.Ptr() != a.Matrix.Base {
				return fmt.Errorf("kernel %s: argument %d: %w", l.Kernel, i, err)
			}
		}
	}
	if l.Shared > d.info.Shared {
		return fmt.Errorf("kernel %s: %d bytes of shared memory, a block has %d", l.Kernel, l.Shared, d.info.Shared)
	}
	if l.Grid.X < 1 || l.Block.X < 1 || l.Grid.Y > 65535 || l.Grid.Z > 65535 || l.Block.X*max(1, l.Block.Y)*max(1, l.Block.Z) > 1024 {
		return fmt.Errorf("kernel %s: no device launches a grid of %v blocks of %v threads", l.Kernel, l.Grid, l.Block)
	}
	d.launches[l.Kernel]++
	return guarded("kernel "+l.Kernel, func() { k.run(d, l) })
}

// eachBlock calls f for the blocks of a grid of one or two dimensions.
func eachBlock(l *device.Launch, f func(x, y int)) {
	for y := range max(1, l.Grid.Y) {
		for x := range l.Grid.X {
			f(x, y)
		}
	}
}
