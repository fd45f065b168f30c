package e2e

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/hookward/hookward/e2e/hosts"
)

// makeRun is "make run" or "make run-envoy" on a free port.
func makeRun(t *testing.T, target string, env ...string) (cmd *exec.Cmd, port string) {
	t.Helper()
	port = fmt.Sprint(hosts.FreePort(t))
	cmd = exec.Command("make", target)
	cmd.Dir = hosts.Root(t)
	cmd.Env = append(append(os.Environ(), "PORT="+port), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C goes to all of them
	return cmd, port
}

func TestMakeRunOnce(t *testing.T)      { runOnce(t, "run") }
func TestMakeRunEnvoyOnce(t *testing.T) { runOnce(t, "run-envoy") }

func runOnce(t *testing.T, target string) {
	t.Helper()
	cmd, _ := makeRun(t, target, "ONCE=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, path := range examples[0].paths {
		name := strings.TrimPrefix(path, "/hooks/")
		if !regexp.MustCompile(`(?m)^` + name + ` +message\.received +accepted: 200$`).Match(out) {
			t.Errorf("no row for %s", name)
		}
		if !strings.Contains(string(out), fmt.Sprintf("\n  %q: %q,\n", "provider", name)) {
			t.Errorf("no JSON of %s", name)
		}
	}
	if !regexp.MustCompile(`(?m)^meta \(forged\) +none +rejected: 401 signature_mismatch$`).Match(out) {
		t.Error("no row for the forgery")
	}
	if t.Failed() {
		t.Logf("%s", out)
	}
}

func TestMakeRunServesUntilInterrupted(t *testing.T) {
	cmd, port := makeRun(t, "run")
	output, input, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	cmd.Stdout, cmd.Stderr = input, input
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	input.Close()
	t.Cleanup(func() {
		if t.Failed() {
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		}
	})
	var out bytes.Buffer
	address := "127.0.0.1:" + port
	buf := make([]byte, 64<<10)
	for !strings.Contains(out.String(), "Serving http://localhost:"+port) {
		n, err := output.Read(buf)
		if err != nil {
			t.Fatalf("it ended: %v\n%s", err, out.String())
		}
		out.Write(buf[:n])
	}
	if c, err := net.Dial("tcp", address); err != nil {
		t.Error(err)
	} else {
		c.Close()
	}
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // make's own status is that of an interrupted program
	eventually(t, "Caddy ends with the interruption", func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
}

// TestMakeRunFails: with a port that is taken nothing can go as it must.
func TestMakeRunFails(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	cmd, _ := makeRun(t, "run", "ONCE=1", "PORT="+port)
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "set PORT") {
		t.Errorf("error %v\n%s", err, out)
	}
}
