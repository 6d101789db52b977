// Package regularfile opens what must be a file: never a FIFO, a device, a socket
// or a directory, which would be waited for, be read without an end or give no
// content.
//
// It owns the opening, the bound on the size and the hearing of a context while
// reading. It must not know what the file means.
package regularfile
