//go:build cuda

package kernels

import (
	"bytes"
	"testing"
)

// TestImagesAreEmbedded: both unpack to what a driver takes.
func TestImagesAreEmbedded(t *testing.T) {
	list, err := Images()
	if err != nil || len(list) != 2 {
		t.Fatalf("%d images, %v", len(list), err)
	}
	if !bytes.HasPrefix(list[0].Data, []byte("\x7fELF")) {
		t.Error("the cubin is no ELF file")
	}
	if !bytes.Contains(list[1].Data, []byte("\n.version 7.0\n.target sm_80\n")) {
		t.Error("the PTX is not of version 7.0 for sm_80")
	}
}
