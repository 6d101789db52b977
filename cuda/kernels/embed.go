//go:build cuda

package kernels

import "embed"

//go:embed image
var files embed.FS

// Image is the kernels compiled for a range of compute capabilities.
type Image struct {
	Name string // the target
	// Min is the least compute capability that can load it, as 10·major+minor;
	// Max the greatest, 0 for any.
	Min, Max int
	Data     []byte
}

// Images returns what was compiled, best first; none where nothing was.
func Images() []Image {
	var list []Image
	for _, im := range []Image{
		{Name: "sm_90a cubin", Min: 90, Max: 90},
		{Name: "sm_80 ptx", Min: 80},
	} {
		data, err := files.ReadFile("image/" + map[int]string{90: "sm_90a.cubin", 80: "sm_80.ptx"}[im.Min])
		if err == nil {
			im.Data = data
			list = append(list, im)
		}
	}
	return list
}
