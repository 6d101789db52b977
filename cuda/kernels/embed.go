//go:build cuda

package kernels

import (
	"compress/gzip"
	"embed"
	"io"
)

//go:embed image/*.gz
var files embed.FS

// Image is the kernels compiled for a range of compute capabilities.
type Image struct {
	Name string // the target
	// Min is the least compute capability that can load it, as 10·major+minor;
	// Max the greatest, 0 for any.
	Min, Max int
	// Hopper says that it has the kernels that only sm_90a runs.
	Hopper bool
	Data   []byte
}

// Images returns what was compiled, best first.
func Images() ([]Image, error) {
	list := []Image{{Name: "sm_90a.cubin", Min: 90, Max: 90, Hopper: true}, {Name: "sm_80.cubin", Min: 80, Max: 89}, {Name: "sm_80.ptx", Min: 80}}
	for i := range list {
		f, err := files.Open("image/" + list[i].Name + ".gz")
		if err != nil {
			return nil, err
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			return nil, err
		}
		if list[i].Data, err = io.ReadAll(z); err != nil {
			return nil, err
		}
	}
	return list, nil
}
