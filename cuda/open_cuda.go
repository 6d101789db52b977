//go:build cuda && linux && (amd64 || arm64)

package cuda

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/softbench/softbench/cuda/driver"
	"github.com/softbench/softbench/cuda/forward"
	"github.com/softbench/softbench/cuda/kernels"
	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
)

// Built says whether this build can use a GPU.
const Built = true

// Available returns nil where there is a device, else the reason why not.
func Available() error {
	_, err := driver.Count()
	return noDevice(err)
}

// noDevice makes the driver's ErrNoDevice this package's.
func noDevice(err error) error {
	if err != nil && errors.Is(err, driver.ErrNoDevice) {
		return fmt.Errorf("%w%s", ErrNoDevice, err.Error()[len(driver.ErrNoDevice.Error()):])
	}
	return err
}

// Open makes a backend that holds the checkpoint's weights on a GPU. The
// checkpoint may be closed afterwards.
func Open(ctx context.Context, ck *checkpoint.Checkpoint, o Options) (engine.Backend, error) {
	gpu, err := OpenGPU(o.Ordinal)
	if err != nil {
		return nil, err
	}
	b, err := forward.New(ctx, gpu, ck, forward.Options{Formats: o.Formats, Memory: o.Memory})
	if err != nil {
		return nil, err
	}
	return b, nil
}

// variable is the environment's choice of how a GPU is used, words divided by commas:
// mma takes none of the kernels that only sm_90a runs, no-graphs starts every launch by
// itself.
const variable = "SOFTBENCH_CUDA"

// OpenGPU takes a device and loads the kernels that suit it, and SOFTBENCH_CUDA.
func OpenGPU(ordinal int) (*driver.GPU, error) {
	mma, plain := false, false
	for word := range strings.SplitSeq(os.Getenv(variable), ",") {
		switch word {
		case "":
		case "mma":
			mma = true
		case "no-graphs":
			plain = true
		default:
			return nil, fmt.Errorf("%s has %q: it may have mma and no-graphs, divided by a comma", variable, word)
		}
	}
	list, err := images()
	if err != nil {
		return nil, err
	}
	gpu, err := driver.Open(ordinal, list)
	if err != nil {
		return nil, noDevice(err)
	}
	if mma {
		gpu.WithoutHopper()
	}
	if plain {
		gpu.WithoutGraphs()
	}
	return gpu, nil
}

// images names each image by its target and contents: results of different
// kernels may differ in their last bits and are never mixed.
func images() (list []driver.Image, err error) {
	found, err := kernels.Images()
	for _, im := range found {
		sum := sha256.Sum256(im.Data)
		list = append(list, driver.Image{Name: fmt.Sprintf("%s %x", im.Name, sum[:4]), Min: im.Min, Max: im.Max, Hopper: im.Hopper, Data: im.Data})
	}
	return list, err
}

// DeviceName is the name of the device that Open takes.
func DeviceName() (string, error) {
	name, err := driver.Name(0)
	return name, noDevice(err)
}
