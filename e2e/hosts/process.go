// Package hosts starts the real programs that the tests talk to: Caddy, Envoy,
// Redis, and a backend that remembers what reached it. Each listens on free
// ports of 127.0.0.1 and is stopped when the test that started it ends.
package hosts

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// deadline bounds every wait for a program; it is far longer than any takes.
const deadline = 2 * time.Minute

// Process is a running program and what it has printed.
type Process struct {
	cmd    *exec.Cmd
	name   string
	output lockedBuffer
	exited chan struct{}
}

// start runs a program until the test ends. What it printed is shown if the
// test fails.
func start(t testing.TB, env []string, dir, path string, args ...string) *Process {
	t.Helper()
	p := &Process{cmd: exec.Command(path, args...), name: filepath.Base(path), exited: make(chan struct{})}
	p.cmd.Dir = dir
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", p.name, err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.exited)
	}()
	t.Cleanup(func() {
		p.Stop()
		if t.Failed() {
			t.Logf("%s printed:\n%s", p.name, tail(p.Output(), 16<<10))
		}
	})
	return p
}

// Output is what the program has printed so far.
func (p *Process) Output() string { return p.output.String() }

// Signal sends a signal to the program.
func (p *Process) Signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

// Exited is closed when the program has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Stop asks the program to end, and makes it if it does not.
func (p *Process) Stop() {
	p.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(deadline):
		p.Kill()
	}
}

// Kill ends the program at once.
func (p *Process) Kill() {
	p.Signal(syscall.SIGKILL)
	<-p.exited
}

// waitFor asks until ready says yes; it fails the test when the program has
// ended or the deadline has passed.
func (p *Process) waitFor(t testing.TB, what string, ready func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	for !ready() {
		select {
		case <-p.exited:
			t.Fatalf("%s ended before %s:\n%s", p.name, what, p.Output())
		case <-ctx.Done():
			t.Fatalf("%s: no %s within %s:\n%s", p.name, what, deadline, p.Output())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// listens says that somebody listens on the address.
func listens(address string) bool {
	c, err := net.DialTimeout("tcp", address, time.Second)
	if err == nil {
		c.Close()
	}
	return err == nil
}

// Root is the repository's folder.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil && filepath.Base(dir) != "e2e" {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
}

// built remembers the programs that this test binary has built.
var built sync.Map

// Build builds a program of the repository once and returns its path.
func Build(t testing.TB, pkg string, args ...string) string {
	t.Helper()
	return build(t, nil, pkg, args...)
}

// BuildWasm builds a proxy-wasm module of the repository once and returns its
// path.
func BuildWasm(t testing.TB, pkg string, args ...string) string {
	t.Helper()
	linked := build(t, []string{"GOOS=wasip1", "GOARCH=wasm"}, pkg, append([]string{"-buildmode=c-shared", "-ldflags=-w"}, args...)...)
	postlink := Build(t, "./envoy-wasm/postlink")
	return once(t, postlink+linked, func() (string, error) {
		module := linked + ".wasm"
		if out, err := exec.Command(postlink, linked, module).CombinedOutput(); err != nil {
			return "", fmt.Errorf("%w: %s", err, out)
		}
		return module, nil
	})
}

func build(t testing.TB, env []string, pkg string, args ...string) string {
	t.Helper()
	key := fmt.Sprint(env, pkg, args)
	return once(t, key, func() (string, error) {
		// A place of its own for each way to build it: go build leaves alone
		// what is there and up to date.
		h := fnv.New64a()
		h.Write([]byte(key))
		path := filepath.Join(Root(t), "bin", "e2e", fmt.Sprintf("%x", h.Sum64()), filepath.Base(pkg))
		cmd := exec.Command("go", append(append([]string{"build", "-o", path}, args...), pkg)...)
		cmd.Dir = Root(t)
		cmd.Env = append(os.Environ(), env...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("building %s: %w\n%s", pkg, err, out)
		}
		return path, nil
	})
}

// once makes a program the first time that it is asked for, and returns its path.
func once(t testing.TB, key string, program func() (string, error)) string {
	t.Helper()
	first, _ := built.LoadOrStore(key, sync.OnceValues(program))
	path, err := first.(func() (string, error))()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// lockedBuffer may be written and read at once.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func tail(s string, n int) string {
	if len(s) > n {
		return "…" + s[len(s)-n:]
	}
	return s
}

// CPU is the CPU time, user and system, that the program has taken so far.
func (p *Process) CPU(t testing.TB) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	// The fields after the name, which stands in parentheses: see proc(5).
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	const utime, stime, ticksPerSecond = 11, 12, 100
	var ticks int64
	for _, field := range [][]byte{fields[utime], fields[stime]} {
		n, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / ticksPerSecond
}

// StartProgram runs any other program, with PORT set, until it listens there.
func StartProgram(t testing.TB, port int, path string, args ...string) *Process {
	t.Helper()
	p := start(t, []string{fmt.Sprintf("PORT=%d", port)}, t.TempDir(), path, args...)
	p.waitFor(t, "port", func() bool { return listens(fmt.Sprintf("127.0.0.1:%d", port)) })
	return p
}

// WaitForOutput waits until the program has printed the text.
func (p *Process) WaitForOutput(t testing.TB, text string) {
	t.Helper()
	p.waitFor(t, fmt.Sprintf("output %q", text), func() bool { return strings.Contains(p.Output(), text) })
}

// RSS is the program's resident memory, in bytes.
func (p *Process) RSS(t testing.TB) int64 {
	t.Helper()
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	var size, resident int64
	if _, err := fmt.Sscan(string(statm), &size, &resident); err != nil {
		t.Fatal(err)
	}
	return resident * int64(os.Getpagesize())
}
