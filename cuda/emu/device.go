package emu

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"

	"github.com/softbench/softbench/cuda/device"
)

// Manner is how the emulation uses the freedom that a GPU has: any mix of the
// flags. Results must not depend on it.
type Manner int

// Freedoms.
const (
	Backwards Manner = 1 << iota // threads take turns from the last on
	Eager                        // asynchronous copies happen when issued, else when waited for
	Mixed                        // another order every turn
)

// Uneven lets a warp go on until it must wait for others, else all warps go on
// step by step.
const Uneven Manner = 32

// Faults of every kernel, for tests of what finds them.
const (
	NoBarriers Manner = 8 << iota // no thread waits for the others
	NoWaits                       // copies that are only begun
)

// Build compiles the emulation from the folder with the kernels' sources, with
// g++, into the file named.
func Build(kernels, file string) error {
	cmd := exec.Command("g++", "-std=c++17", "-O2", "-march=native", "-ffp-contract=off", "-DSB_EMULATE", "-Wall", "-Werror", "-Wno-unknown-pragmas",
		"-x", "c++", kernels+"/emu/emu.cpp", "-o", file)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("g++: %w\n%s", err, out)
	}
	return nil
}

// Device implements device.Device by a process of its own.
type Device struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	w      *bufio.Writer
	stderr bytes.Buffer
	failed error
	free   int64
	plain  bool
}

// Open starts a process of the file that Build made, with so many bytes of memory.
func Open(file string, manner Manner, free int64) (*Device, error) {
	d := &Device{cmd: exec.Command(file), free: free}
	d.cmd.Stderr = &d.stderr
	in, err := d.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	d.in, d.out, d.w = in, bufio.NewReaderSize(out, 1<<16), bufio.NewWriterSize(in, 1<<16)
	d.send('m', uint64(manner))
	return d, nil
}

// Plain makes it say that it has no kernels of sm_90a, so that others are used.
func (d *Device) Plain() *Device {
	d.plain = true
	return d
}

func (d *Device) Info() device.Info {
	return device.Info{Name: "emulated device", Major: 8, SMs: 1, Total: d.free, Free: d.free, Shared: 227 << 10, Image: "kernels compiled for the processor", Hopper: !d.plain}
}

func (d *Device) send(what byte, numbers ...uint64) {
	_ = d.w.WriteByte(what)
	d.numbers(numbers...)
}

func (d *Device) numbers(numbers ...uint64) {
	for _, n := range numbers {
		_ = binary.Write(d.w, binary.LittleEndian, n) // bufio keeps the error for Flush
	}
}

// answer sends what is waiting and reads as many bytes as b has.
func (d *Device) answer(b []byte) error {
	if d.failed != nil {
		return d.failed
	}
	err := d.w.Flush()
	if err == nil {
		_, err = io.ReadFull(d.out, b)
	}
	if err == nil {
		return nil
	}
	_ = d.in.Close() // else it may wait for more, and we for it
	ended := d.cmd.Wait()
	if text := strings.TrimSpace(d.stderr.String()); text != "" {
		d.failed = errors.New(text)
	} else {
		d.failed = fmt.Errorf("the emulation ended: %w, %v", err, ended)
	}
	return d.failed
}

func (d *Device) Alloc(bytes int64) (device.Ptr, error) {
	if bytes < 0 || bytes > d.free {
		return 0, fmt.Errorf("%d MiB of memory wanted, %d MiB are free", bytes>>20, d.free>>20)
	}
	d.free -= bytes
	d.send('a', uint64(bytes))
	var b [8]byte
	err := d.answer(b[:])
	return device.Ptr(binary.LittleEndian.Uint64(b[:])), err
}

func (d *Device) Upload(dst device.Ptr, src []byte) error {
	d.send('u', uint64(dst), uint64(len(src)))
	_, err := d.w.Write(src)
	return d.orFailed(err)
}

func (d *Device) Download(dst []byte, src device.Ptr) error {
	d.send('d', uint64(src), uint64(len(dst)))
	return d.answer(dst)
}

func (d *Device) Launch(l *device.Launch) error {
	d.send('l', uint64(len(l.Kernel)))
	_, err := d.w.WriteString(l.Kernel)
	d.numbers(uint64(max(1, l.Grid.X)), uint64(max(1, l.Grid.Y)), uint64(l.Block.X), uint64(l.Shared), uint64(len(l.Args)))
	for _, a := range l.Args {
		d.numbers(uint64(a.Kind), a.Bits)
		if m := a.Matrix; a.Kind == device.Boxes {
			d.numbers(uint64(m.Rows), uint64(m.Columns), uint64(m.BoxRows), uint64(m.BoxColumns))
		}
	}
	return d.orFailed(err)
}

// orFailed is what the process said where writing to it failed.
func (d *Device) orFailed(err error) error {
	if err == nil && d.failed == nil {
		return nil
	}
	return d.Sync()
}

func (d *Device) Sync() error {
	d.send('s')
	return d.answer(make([]byte, 1))
}

func (d *Device) Close() error {
	if d.failed != nil {
		return nil // it has ended, and someone was told
	}
	err := d.Sync()
	if d.failed == nil {
		err = errors.Join(err, d.in.Close(), d.cmd.Wait())
	}
	return err
}
