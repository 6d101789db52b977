//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package safetensors

type mapping struct{ data []byte }

func mapFile(path string) (*mapping, error) {
	f, size, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := readWhole(f, path, size)
	if err != nil {
		return nil, err
	}
	return &mapping{data: data}, nil
}

func (m *mapping) close() error {
	m.data = nil
	return nil
}

func (m *mapping) drop(offset, n int) {}

// What is read whole stays as it was read.
func (m *mapping) unchanged(string) error { return nil }

func (m *mapping) inPlace(string) error { return nil }
