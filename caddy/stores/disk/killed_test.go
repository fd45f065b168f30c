package disk_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/hookward/hookward/caddy/stores/disk"
	"github.com/hookward/hookward/caddy/stores/storetest"
	"github.com/hookward/hookward/core"
)

// A process of its own claims and commits and says so, until it is killed in
// the middle. All that it said must be there.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "claims")
	committed, said := map[int]bool{}, 0
	for round := range 5 {
		first := round * 1_000_000
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledWriter$")
		cmd.Env = append(os.Environ(), "HOOKWARD_CLAIMS="+path, fmt.Sprint("HOOKWARD_FIRST=", first))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var n int
			if _, err := fmt.Sscanf(lines.Text(), "committed %d", &n); err == nil {
				committed[n] = true
				said = n - first
			}
			if said == 1000+round*300 {
				said = 0
				_ = cmd.Process.Kill()
			}
		}
		_ = cmd.Wait()
	}
	s := mustOpen(t, path)
	lost := 0
	for n := range committed {
		if state(t, s, n) != core.Done {
			lost++
		}
	}
	t.Logf("%d commits, %d lost", len(committed), lost)
	if len(committed) < 5000 || lost > 0 {
		t.Errorf("%d of %d commits are lost", lost, len(committed))
	}
}

// TestKilledWriter is no test but the process of TestKilled.
func TestKilledWriter(t *testing.T) {
	path := os.Getenv("HOOKWARD_CLAIMS")
	if path == "" {
		return
	}
	var first int
	if _, err := fmt.Sscan(os.Getenv("HOOKWARD_FIRST"), &first); err != nil {
		t.Fatal(err)
	}
	s, err := disk.Open(path, 1_000_000, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			s.Compact()
		}
	}()
	for n := first; ; n++ {
		claimCommit(t, s, n)
		fmt.Println("committed", n)
	}
}

// A commit that was answered is there however soon the end comes; a claim may be
// forgotten only in its first moment.
func TestCrashAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "claims")
	for n := range 50 {
		s := mustOpen(t, path)
		claimCommit(t, s, n)
		s.CrashAtOnce()
		if s = mustOpen(t, path); state(t, s, n) != core.Done {
			t.Fatalf("commit %d is lost", n)
		}
		s.CrashAtOnce()
	}
	s := mustOpen(t, path)
	var states [1]core.State
	if err := s.Claim(context.Background(), core.Token{2}, []core.Key{storetest.NewKey(100)}, lease, states[:]); err != nil {
		t.Fatal(err)
	}
	size := fileSize(path)
	for end := time.Now().Add(time.Minute); fileSize(path) == size && time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	s.CrashAtOnce()
	if s = mustOpen(t, path); state(t, s, 100) != core.Pending {
		t.Error("a claim that nothing followed was never written")
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "claims")
	s := mustOpen(t, path)
	_, err := disk.Open(path, 10, zap.NewNop())
	if err == nil || !strings.Contains(err.Error(), "another process has it open") || !strings.Contains(err.Error(), path) {
		t.Errorf("opening it twice: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	mustOpen(t, path)
}

// A disk that is full, as a limit of the file's size makes it, refuses claims;
// what was written before stays whole.
func TestFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "claims")
	cmd := exec.Command("sh", "-c", `ulimit -f 20; exec "$0" -test.run='^TestFullDiskWriter$' -test.v`, os.Args[0])
	cmd.Env = append(os.Environ(), "HOOKWARD_CLAIMS="+path)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "refused when full") {
		t.Fatalf("%v\n%s", err, out)
	}
	var claimed int
	if _, err := fmt.Sscanf(string(out[strings.Index(string(out), "claimed "):]), "claimed %d", &claimed); err != nil {
		t.Fatal(err)
	}
	s := mustOpen(t, path)
	for n := range claimed {
		if got := state(t, s, n); got != core.Done {
			t.Fatalf("claim %d of %d is %d", n, claimed, got)
		}
	}
}

// TestFullDiskWriter is no test but the process of TestFullDisk.
func TestFullDiskWriter(t *testing.T) {
	path := os.Getenv("HOOKWARD_CLAIMS")
	if path == "" {
		return
	}
	s := mustOpen(t, path)
	for n := range 100_000 {
		var states [1]core.State
		err := s.Claim(context.Background(), storetest.NewToken(uint64(n)), []core.Key{storetest.NewKey(uint64(n))}, lease, states[:])
		if err == nil {
			err = s.Commit(context.Background(), storetest.NewToken(uint64(n)), []core.Key{storetest.NewKey(uint64(n))}, window)
		}
		if err != nil {
			fmt.Println("claimed", n)
			fmt.Println("refused when full:", err)
			return
		}
	}
}
