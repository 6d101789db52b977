package device

// Work is what a device is asked for at once: copies to it, launches, copies from it,
// in this order and after all before it.
type Work struct {
	Uploads   []Copy
	Launches  []*Launch
	Downloads []Copy
	// Again says that launches of these shapes are to be expected again, so that a
	// device may keep them as a graph.
	Again bool
}

// Copy is bytes of the host's and where they lie on the device.
type Copy struct {
	Device Ptr
	Host   []byte
}

// Batcher is a device that takes work as a whole.
type Batcher interface {
	// Start begins the work and returns; wait returns when it is done, with its
	// error. Until then nobody else uses the device, and what the work points to
	// stays as it is.
	Start(w *Work) (wait func() error)
}

// Start begins work on any device. One that is no Batcher gets a call for each
// part, and has done all of it when Start returns.
func Start(d Device, w *Work) (wait func() error) {
	if b, ok := d.(Batcher); ok {
		return b.Start(w)
	}
	err := InTurn(d, w)
	return func() error { return err }
}

// InTurn does work with a call for each part.
func InTurn(d Device, w *Work) error {
	for _, c := range w.Uploads {
		if err := d.Upload(c.Device, c.Host); err != nil {
			return err
		}
	}
	for _, l := range w.Launches {
		if err := d.Launch(l); err != nil {
			return err
		}
	}
	for _, c := range w.Downloads {
		if err := d.Download(c.Host, c.Device); err != nil {
			return err
		}
	}
	if len(w.Downloads) == 0 {
		return d.Sync()
	}
	return nil
}
