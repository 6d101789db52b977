package amxemu

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// Result is how an emulated program ended.
type Result struct {
	ExitCode int
	// Executed counts the emulated instructions by name.
	Executed map[string]int
}

// ErrNoPtrace is returned where this system does not let a program be traced.
var ErrNoPtrace = errors.New("this system does not allow ptrace")

// Run starts argv with env, its output going to out, and emulates its AMX
// instructions until it ends. A misuse of the tiles that a processor would
// fault on is an error, and ends the program.
func Run(argv, env []string, out *os.File) (*Result, error) {
	// A tracer is a thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	pid, err := syscall.ForkExec(argv[0], argv, &syscall.ProcAttr{
		Env: env, Files: []uintptr{0, out.Fd(), out.Fd()}, Sys: &syscall.SysProcAttr{Ptrace: true},
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrNoPtrace, err)
	}
	var ws syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &ws, 0, nil); err != nil || !ws.Stopped() {
		return nil, fmt.Errorf("%w: %v, status %#x", ErrNoPtrace, err, ws)
	}
	const exitKill = 0x100000 // PTRACE_O_EXITKILL
	if err := syscall.PtraceSetOptions(pid, syscall.PTRACE_O_TRACECLONE|exitKill); err != nil {
		_ = syscall.Kill(pid, syscall.SIGKILL)
		return nil, fmt.Errorf("%w: %v", ErrNoPtrace, err)
	}
	tr := &tracer{pid: pid, threads: map[int]*tiles{pid: {}}, result: &Result{Executed: map[string]int{}}}
	if err := tr.follow(); err != nil {
		_ = syscall.Kill(pid, syscall.SIGKILL)
		// The program ends when each of its threads has been waited for.
		for {
			tid, waitErr := syscall.Wait4(-1, &ws, syscall.WALL|unix.WNOTHREAD, nil)
			if waitErr != nil && !errors.Is(waitErr, syscall.EINTR) || tid == pid && (ws.Exited() || ws.Signaled()) {
				return nil, err
			}
		}
	}
	return tr.result, nil
}

type tracer struct {
	pid     int
	threads map[int]*tiles
	result  *Result
}

// follow lets the program run from stop to stop.
func (tr *tracer) follow() error {
	if err := syscall.PtraceCont(tr.pid, 0); err != nil {
		return err
	}
	for {
		var ws syscall.WaitStatus
		tid, err := syscall.Wait4(-1, &ws, syscall.WALL|unix.WNOTHREAD, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		switch {
		case ws.Exited() || ws.Signaled():
			delete(tr.threads, tid)
			if tid != tr.pid {
				continue
			}
			if ws.Signaled() {
				return fmt.Errorf("the program was killed by %v", ws.Signal())
			}
			tr.result.ExitCode = ws.ExitStatus()
			return nil
		case ws.Stopped():
			signal, err := tr.stopped(tid, ws)
			if err != nil {
				return err
			}
			// ESRCH: it was killed meanwhile, which the next wait reports.
			if err := syscall.PtraceCont(tid, int(signal)); err != nil && !errors.Is(err, syscall.ESRCH) {
				return err
			}
		}
	}
}

// stopped handles one stop, and returns the signal that the thread is to get.
func (tr *tracer) stopped(tid int, ws syscall.WaitStatus) (syscall.Signal, error) {
	t := tr.threads[tid]
	if t == nil {
		// A new thread starts with a stop of its own.
		tr.threads[tid] = &tiles{}
		if ws.StopSignal() == syscall.SIGSTOP {
			return 0, nil
		}
		t = tr.threads[tid]
	}
	switch ws.StopSignal() {
	case syscall.SIGTRAP:
		return 0, nil
	case syscall.SIGILL:
		done, err := tr.emulate(tid, t)
		if err != nil {
			return 0, err
		}
		if done {
			return 0, nil
		}
	}
	return ws.StopSignal(), nil
}

// emulate executes the instruction a thread stopped at, and those behind it,
// which would stop it at once again.
func (tr *tracer) emulate(tid int, t *tiles) (bool, error) {
	var r syscall.PtraceRegs
	if err := syscall.PtraceGetRegs(tid, &r); err != nil {
		return false, err
	}
	regs := registers{r.Rax, r.Rcx, r.Rdx, r.Rbx, r.Rsp, r.Rbp, r.Rsi, r.Rdi, r.R8, r.R9, r.R10, r.R11, r.R12, r.R13, r.R14, r.R15}
	mem := process(tid)
	done := false
	for {
		code := make([]byte, 16)
		if err := mem.read(r.Rip, 0, [][]byte{code}); err != nil {
			return false, err
		}
		name, length, err := t.step(code, &regs, mem)
		if err != nil {
			return false, fmt.Errorf("%s at %#x: %w", name, r.Rip, err)
		}
		if name == "" {
			break
		}
		tr.result.Executed[name]++
		r.Rip += uint64(length)
		done = true
	}
	if done {
		return true, syscall.PtraceSetRegs(tid, &r)
	}
	return false, nil
}

// process is the memory of a program.
type process int

func (p process) read(address, stride uint64, rows [][]byte) error {
	return p.transfer(unix.ProcessVMReadv, address, stride, rows)
}

func (p process) write(address, stride uint64, rows [][]byte) error {
	return p.transfer(unix.ProcessVMWritev, address, stride, rows)
}

func (p process) transfer(call func(int, []unix.Iovec, []unix.RemoteIovec, uint) (int, error), address, stride uint64, rows [][]byte) error {
	local := make([]unix.Iovec, len(rows))
	remote := make([]unix.RemoteIovec, len(rows))
	total := 0
	for i, row := range rows {
		local[i].Base = &row[0]
		local[i].SetLen(len(row))
		remote[i] = unix.RemoteIovec{Base: uintptr(address + uint64(i)*stride), Len: len(row)}
		total += len(row)
	}
	n, err := call(int(p), local, remote, 0)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSYS) {
		return fmt.Errorf("%w: reading another program's memory: %v", ErrNoPtrace, err)
	}
	if err != nil {
		return fmt.Errorf("memory at %#x: %w", address, err)
	}
	if n != total {
		return fmt.Errorf("memory at %#x: %d of %d bytes", address, n, total)
	}
	return nil
}
