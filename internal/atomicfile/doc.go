// Package atomicfile writes an output whole or not at all, into whatever its name
// stands for: a new file, a file that keeps its mode and owner, the target of a
// symbolic link, a device, a pipe or an open descriptor such as /dev/stdout.
//
// It owns how an output takes its name, and the temporary files that this needs. It
// must not know what is written.
package atomicfile
