//go:build !cuda || !linux || (!amd64 && !arm64)

package cuda

import (
	"context"
	"fmt"

	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
)

// Built says whether this build can use a GPU.
const Built = false

var errNotBuilt = fmt.Errorf("%w: this build has no CUDA; build it with cuda/build (cuda/README.md)", ErrNoDevice)

// Available returns nil where there is a device, else the reason why not.
func Available() error { return errNotBuilt }

// Open makes a backend that holds the checkpoint's weights on a GPU. The
// checkpoint may be closed afterwards.
func Open(context.Context, *checkpoint.Checkpoint, Options) (engine.Backend, error) {
	return nil, errNotBuilt
}

// DeviceName is the name of the device that Open takes.
func DeviceName() (string, error) { return "", errNotBuilt }
