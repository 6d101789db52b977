//go:build cuda && linux && (amd64 || arm64)

package driver

// #include <stdlib.h>
// #include "loader.h"
import "C"

import (
	"errors"
	"fmt"
	"slices"
	"unsafe"

	"gorgonia.org/cu"

	"github.com/softbench/softbench/cuda/device"
)

// Image is the kernels compiled for a range of compute capabilities.
type Image struct {
	Name string // "cubin sm_90a"
	// Min is the least compute capability that can load it, as 10·major+minor;
	// Max the greatest, 0 for any: PTX is compiled for later ones.
	Min, Max int
	// Hopper says that it has the kernels that only sm_90a runs, which take tensor maps.
	Hopper bool
	Data   []byte
}

// GPU is a device.Device on one GPU: one context, one stream, launches and
// copies in order.
type GPU struct {
	info     device.Info
	thread   *thread
	context  cu.CUContext
	stream   cu.Stream
	module   C.CUmodule
	kernels  map[string]*kernel
	memory   []cu.DevicePtr
	staging  unsafe.Pointer // pinned: stagingBytes for uploads, then as many for downloads
	uploaded cu.Event       // the last copy out of staging
	staged   int            // bytes of staging from which copies may be under way
	graphs   device.Graphs
	plain    bool // no graphs
	calls    int  // functions that the thread was given
	values   [64]C.uint64_t
	maps     *C.CUtensorMap // mostMaps, aligned as the driver asks
}

const mostMaps = 4 // of a launch

type kernel struct {
	function C.CUfunction
	shared   int // dynamic shared memory the driver was told to allow
}

// stagingBytes is the pinned memory that uploads pass through, and as much that
// results of work do: larger ones go in pieces.
const stagingBytes = 16 << 20

// Open takes device ordinal and loads the first image it can run. Images are
// tried in order.
func Open(ordinal int, images []Image) (*GPU, error) {
	n, err := Count()
	if err != nil {
		return nil, err
	}
	if ordinal < 0 || ordinal >= n {
		return nil, noDevice("device %d was asked for, the machine has %d", ordinal, n)
	}
	g := &GPU{thread: newThread(), kernels: map[string]*kernel{}}
	g.graphs.New = g.newGraph
	if err := g.thread.do(func() error { return g.open(ordinal, images) }); err != nil {
		_ = g.Close() // the error that matters is err
		return nil, err
	}
	return g, nil
}

func (g *GPU) open(ordinal int, images []Image) error {
	d, err := cu.GetDevice(ordinal)
	if err != nil {
		return fmt.Errorf("CUDA device %d: %w", ordinal, err)
	}
	if g.context, err = d.MakeContext(cu.SchedAuto); err != nil {
		return fmt.Errorf("CUDA device %d: context: %w", ordinal, err)
	}
	if err := cu.SetCurrentContext(g.context); err != nil {
		return fmt.Errorf("CUDA device %d: context: %w", ordinal, err)
	}
	if err := g.describe(d); err != nil {
		return fmt.Errorf("CUDA device %d: %w", ordinal, err)
	}
	if g.stream, err = cu.MakeStream(cu.NonBlocking); err != nil {
		return fmt.Errorf("CUDA stream: %w", err)
	}
	if g.uploaded, err = cu.MakeEvent(cu.DisableTiming); err != nil {
		return fmt.Errorf("CUDA event: %w", err)
	}
	if err := check("pinned memory", C.cuMemHostAlloc(&g.staging, 2*stagingBytes, 0)); err != nil {
		return err
	}
	g.maps = (*C.CUtensorMap)(C.aligned_alloc(64, mostMaps*C.sizeof_CUtensorMap))
	return g.load(images)
}

// describe fills in what is known of the device.
func (g *GPU) describe(d cu.Device) (err error) {
	i := &g.info
	if i.Name, err = d.Name(); err != nil {
		return err
	}
	for _, a := range []struct {
		to        *int
		attribute C.CUdevice_attribute
	}{
		{&i.Major, C.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR}, {&i.Minor, C.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR},
		{&i.SMs, C.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT}, {&i.ClockMHz, C.CU_DEVICE_ATTRIBUTE_CLOCK_RATE},
		{&i.MemoryMHz, C.CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE}, {&i.Shared, C.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN},
	} {
		if *a.to, err = d.Attribute(cu.DeviceAttribute(a.attribute)); err != nil {
			return err
		}
	}
	i.ClockMHz /= 1000
	i.MemoryMHz /= 1000
	i.Driver = cu.Version()
	i.Free, i.Total, err = cu.MemInfo()
	return err
}

// load takes the first image that the device can run.
func (g *GPU) load(images []Image) error {
	capability := 10*g.info.Major + g.info.Minor
	if len(images) == 0 {
		return errors.New("this build holds no compiled kernels: run cuda/kernels/build and build again, or use --device cpu")
	}
	var reasons []error
	for _, im := range images {
		if capability < im.Min || im.Max > 0 && capability > im.Max {
			continue
		}
		if im.Hopper && C.softbench_has_matrices() == 0 {
			reasons = append(reasons, fmt.Errorf("%s: the driver has no cuTensorMapEncodeTiled, which came with CUDA 12.0", im.Name))
			continue
		}
		image := C.CBytes(append(slices.Clone(im.Data), 0))
		log := make([]byte, 4096)
		code := C.softbench_load_module(&g.module, image, (*C.char)(unsafe.Pointer(&log[0])), C.uint(len(log)-1))
		C.free(image)
		if code == C.CUDA_SUCCESS {
			g.info.Image, g.info.Hopper = im.Name, im.Hopper
			return nil
		}
		reasons = append(reasons, fmt.Errorf("%s: %s %s", im.Name, describe(code), firstLine(log)))
	}
	if len(reasons) == 0 {
		return fmt.Errorf("%s has compute capability %d.%d: softbench's kernels need 8.0 or later; use --device cpu", g.info.Name, g.info.Major, g.info.Minor)
	}
	return fmt.Errorf("%s cannot load the kernels: %w; a newer driver may help, or use --device cpu", g.info.Name, errors.Join(reasons...))
}

func firstLine(log []byte) string {
	if i := slices.IndexFunc(log, func(b byte) bool { return b == 0 || b == '\n' }); i >= 0 {
		log = log[:i]
	}
	return string(log)
}

func (g *GPU) Info() device.Info { return g.info }

// WithoutHopper has backends take none of the kernels that only sm_90a runs.
func (g *GPU) WithoutHopper() {
	if g.info.Hopper {
		g.info.Hopper = false
		g.info.Image += " by mma.sync" // a run by these is not mixed with one by the others
	}
}

func (g *GPU) Alloc(bytes int64) (device.Ptr, error) {
	var p cu.DevicePtr
	err := g.do(func() (err error) {
		p, err = cu.MemAlloc(bytes)
		if err == nil {
			g.memory = append(g.memory, p)
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("%d MiB of GPU memory: %w", bytes>>20, err)
	}
	return device.Ptr(p), nil
}

func (g *GPU) Upload(dst device.Ptr, src []byte) error {
	return g.do(func() error { return g.upload(dst, src) })
}

// do runs f on the device's thread.
func (g *GPU) do(f func() error) error {
	g.calls++
	return g.thread.do(f)
}

// upload copies by way of pinned memory, so that it need not wait for the launches
// before it.
func (g *GPU) upload(dst device.Ptr, src []byte) error {
	for len(src) > 0 {
		if g.staged == stagingBytes {
			if err := g.uploaded.Synchronize(); err != nil {
				return fmt.Errorf("upload: %w", err)
			}
			g.staged = 0
		}
		from := unsafe.Add(g.staging, g.staged)
		n := copy(unsafe.Slice((*byte)(from), stagingBytes-g.staged), src)
		if err := cu.MemcpyHtoDAsync(cu.DevicePtr(dst), from, int64(n), g.stream); err != nil {
			return fmt.Errorf("upload: %w", err)
		}
		if err := g.uploaded.Record(g.stream); err != nil {
			return fmt.Errorf("upload: %w", err)
		}
		g.staged = min(stagingBytes, (g.staged+n+device.Align-1)/device.Align*device.Align)
		src, dst = src[n:], dst+device.Ptr(n)
	}
	return nil
}

func (g *GPU) Download(dst []byte, src device.Ptr) error {
	if len(dst) == 0 {
		return g.Sync()
	}
	return g.do(func() error {
		if err := g.sync(); err != nil {
			return err
		}
		if err := cu.MemcpyDtoH(unsafe.Pointer(&dst[0]), cu.DevicePtr(src), int64(len(dst))); err != nil {
			return fmt.Errorf("download: %w", err)
		}
		return nil
	})
}

func (g *GPU) Launch(l *device.Launch) error {
	return g.do(func() error { return g.launch(l) })
}

func (g *GPU) launch(l *device.Launch) error {
	k, matrices, err := g.ready(l)
	if err != nil {
		return err
	}
	grid, block := dim(l.Grid), dim(l.Block)
	return check("kernel "+l.Kernel, C.softbench_launch(k.function, &grid[0], &block[0], C.uint(l.Shared), g.handle(), &g.values[0], C.int(len(l.Args)), matrices, g.maps))
}

// ready finds a launch's kernel, allows it its shared memory and fills in its
// arguments; matrices says which of them are maps.
func (g *GPU) ready(l *device.Launch) (k *kernel, matrices C.uint64_t, err error) {
	if k, err = g.kernel(l.Kernel); err != nil {
		return nil, 0, err
	}
	if l.Shared > 48<<10 && l.Shared > k.shared {
		if l.Shared > g.info.Shared {
			return nil, 0, fmt.Errorf("kernel %s wants %d KiB of shared memory, %s has %d KiB a block", l.Kernel, l.Shared>>10, g.info.Name, g.info.Shared>>10)
		}
		if err := check("kernel "+l.Kernel+": shared memory", C.cuFuncSetAttribute(k.function, C.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, C.int(l.Shared))); err != nil {
			return nil, 0, err
		}
		k.shared = l.Shared
	}
	if len(l.Args) > len(g.values) {
		return nil, 0, fmt.Errorf("kernel %s: %d arguments, at most %d", l.Kernel, len(l.Args), len(g.values))
	}
	if matrices, err = g.arguments(l); err != nil {
		return nil, 0, fmt.Errorf("kernel %s: %w", l.Kernel, err)
	}
	return k, matrices, nil
}

// arguments fills in values and maps, and says which arguments are maps.
func (g *GPU) arguments(l *device.Launch) (matrices C.uint64_t, err error) {
	maps := unsafe.Slice(g.maps, mostMaps)
	n := 0
	for i, a := range l.Args {
		g.values[i] = C.uint64_t(a.Bits)
		if a.Kind != device.Boxes {
			continue
		}
		m := a.Matrix
		if err := m.Check(); err != nil {
			return 0, err
		}
		if n == mostMaps {
			return 0, fmt.Errorf("more than %d matrices", mostMaps)
		}
		code := C.softbench_matrix(&maps[n], C.CUdeviceptr(m.Base), C.uint64_t(m.Rows), C.uint64_t(m.Columns), C.uint32_t(m.BoxRows), C.uint32_t(m.BoxColumns))
		if err := check(fmt.Sprintf("tensor map of %d x %d", m.Rows, m.Columns), code); err != nil {
			return 0, err
		}
		matrices |= 1 << i
		n++
	}
	return matrices, nil
}

func dim(d device.Dim) [3]C.uint {
	return [3]C.uint{C.uint(max(1, d.X)), C.uint(max(1, d.Y)), C.uint(max(1, d.Z))}
}

// handle is the stream as this package's C code knows it.
func (g *GPU) handle() C.CUstream { return *(*C.CUstream)(unsafe.Pointer(&g.stream)) }

// kernel looks a kernel up in the loaded image, once.
func (g *GPU) kernel(name string) (*kernel, error) {
	if k := g.kernels[name]; k != nil {
		return k, nil
	}
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	k := &kernel{}
	if err := check("kernel "+name+" of "+g.info.Image, C.cuModuleGetFunction(&k.function, g.module, text)); err != nil {
		return nil, err
	}
	g.kernels[name] = k
	return k, nil
}

func (g *GPU) Sync() error { return g.do(g.sync) }

// sync waits for everything.
func (g *GPU) sync() error {
	if err := g.stream.Synchronize(); err != nil {
		return fmt.Errorf("the GPU failed: %w", err)
	}
	g.staged = 0
	return nil
}

// Time returns the milliseconds that the launches of f took on the device.
func (g *GPU) Time(f func() error) (ms float64, err error) {
	var from, to cu.Event
	if err := g.do(func() (err error) {
		if from, err = cu.MakeEvent(cu.DefaultEvent); err != nil {
			return err
		}
		if to, err = cu.MakeEvent(cu.DefaultEvent); err != nil {
			return err
		}
		return from.Record(g.stream)
	}); err != nil {
		return 0, fmt.Errorf("timing: %w", err)
	}
	if err := f(); err != nil {
		return 0, err
	}
	err = g.do(func() (err error) {
		if err = to.Record(g.stream); err != nil {
			return err
		}
		if err = to.Synchronize(); err != nil {
			return err
		}
		ms, err = from.Elapsed(to)
		return errors.Join(err, cu.DestroyEvent(&from), cu.DestroyEvent(&to))
	})
	if err != nil {
		return 0, fmt.Errorf("timing: %w", err)
	}
	return ms, nil
}

// Close implements device.Device: the context goes with all that is in it.
func (g *GPU) Close() error {
	err := g.thread.do(func() error {
		if g.context == (cu.CUContext{}) {
			return nil
		}
		err := g.graphs.Close()
		if g.staging != nil {
			C.cuMemFreeHost(g.staging)
		}
		C.free(unsafe.Pointer(g.maps))
		return errors.Join(err, g.context.Destroy())
	})
	g.thread.stop()
	return err
}
