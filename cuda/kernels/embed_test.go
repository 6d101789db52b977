//go:build cuda

package kernels

import (
	"bytes"
	"testing"
)

// TestImagesAreEmbedded: all unpack to what a driver takes.
func TestImagesAreEmbedded(t *testing.T) {
	list, err := Images()
	if err != nil || len(list) != 3 {
		t.Fatalf("%d images, %v", len(list), err)
	}
	for _, im := range list[:2] {
		if !bytes.HasPrefix(im.Data, []byte("\x7fELF")) {
			t.Errorf("%s is no ELF file", im.Name)
		}
	}
	if !bytes.Contains(list[2].Data, []byte("\n.version 7.0\n.target sm_80\n")) {
		t.Error("the PTX is not of version 7.0 for sm_80")
	}
}
