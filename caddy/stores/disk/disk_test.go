package disk_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/hookward/hookward/caddy/stores"
	"github.com/hookward/hookward/caddy/stores/disk"
	"github.com/hookward/hookward/caddy/stores/storetest"
	"github.com/hookward/hookward/core"
)

const (
	lease  = 30 * time.Second
	window = 8 * 24 * time.Hour
)

// crashing is a store that, before every call, may be killed and opened again,
// and may write its file anew: nobody may notice.
type crashing struct {
	*disk.Store
	open func() *disk.Store
	rand *rand.Rand
}

func (c *crashing) before() {
	switch c.rand.IntN(50) {
	case 0:
		c.Crash()
		c.Store = c.open()
	case 1:
		c.Compact()
	}
}

func (c *crashing) Claim(ctx context.Context, token core.Token, keys []core.Key, lease time.Duration, states []core.State) error {
	c.before()
	return c.Store.Claim(ctx, token, keys, lease, states)
}

func (c *crashing) Commit(ctx context.Context, token core.Token, keys []core.Key, window time.Duration) error {
	c.before()
	return c.Store.Commit(ctx, token, keys, window)
}

func (c *crashing) Release(ctx context.Context, token core.Token, keys []core.Key) error {
	c.before()
	return c.Store.Release(ctx, token, keys)
}

func (c *crashing) Renew(ctx context.Context, token core.Token, keys []core.Key, lease time.Duration) error {
	c.before()
	return c.Store.Renew(ctx, token, keys, lease)
}

// opener opens a store under a clock that moves only when told to.
func opener(t *testing.T, limit int) (open func() *disk.Store, advance func(time.Duration)) {
	now := time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC)
	path := filepath.Join(t.TempDir(), "claims")
	open = func() *disk.Store {
		t.Helper()
		s, err := disk.OpenWithClock(path, limit, zap.NewNop(), func() time.Time { return now })
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	return open, func(d time.Duration) { now = now.Add(d) }
}

func openBounded(t *testing.T, limit int) (stores.Store, func(time.Duration)) {
	open, advance := opener(t, limit)
	s := open()
	t.Cleanup(func() { _ = s.Close() })
	return s, advance
}

func openCrashing(t *testing.T, limit int) (stores.Store, func(time.Duration)) {
	open, advance := opener(t, limit)
	c := &crashing{Store: open(), open: open, rand: rand.New(rand.NewPCG(uint64(limit), 1))}
	t.Cleanup(func() { _ = c.Store.Close() })
	return c, advance
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) (stores.Store, func(time.Duration)) { return openBounded(t, 100_000) })
}

func TestStoreFull(t *testing.T) { storetest.RunBounded(t, openBounded) }

func TestStoreCrashing(t *testing.T) {
	for seed := range uint64(40) {
		s, advance := openCrashing(t, 100_000)
		t.Logf("seed %d", seed)
		storetest.Play(t, s, advance, 0, storetest.Script(seed, 4096))
	}
}

func TestStoreCrashingFull(t *testing.T) {
	for _, limit := range []int{1, 3, 8} {
		for seed := range uint64(20) {
			s, advance := openCrashing(t, limit)
			t.Logf("limit %d, seed %d", limit, seed)
			storetest.Play(t, s, advance, limit, storetest.Script(seed, 4096))
		}
	}
}

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
	for end := time.Now().Add(10 * time.Second); fileSize(path) == size && time.Now().Before(end); time.Sleep(time.Millisecond) {
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

// The file follows what is held, not what was ever done.
func TestBoundedOnDisk(t *testing.T) {
	const held, rounds = 1000, 400_000
	path := filepath.Join(t.TempDir(), "claims")
	s, err := disk.Open(path, held, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	most := int64(0)
	for n := range rounds {
		claimCommit(t, s, n)
		if n%1000 == 0 {
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			most = max(most, info.Size())
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d claims held, %d made: at most %d bytes", held, rounds, most)
	if most > 10<<20 {
		t.Errorf("the file grew to %d bytes", most)
	}
	s = mustOpen(t, path)
	for n := rounds - held/2; n < rounds; n++ {
		if state(t, s, n) != core.Done {
			t.Fatalf("claim %d of the last ones is lost", n)
		}
	}
}

func TestCompactionUnderLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "claims")
	s := mustOpen(t, path)
	const workers, each = 4, 3000
	stop := make(chan struct{})
	var compacting, working sync.WaitGroup
	compacting.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				s.Compact()
			}
		}
	})
	for w := range workers {
		working.Go(func() {
			for n := w * each; n < (w+1)*each; n++ {
				claimCommit(t, s, n)
			}
		})
	}
	working.Wait()
	close(stop)
	compacting.Wait()
	s.Crash()
	s = mustOpen(t, path)
	for n := range workers * each {
		if got := state(t, s, n); got != core.Done {
			t.Fatalf("claim %d is %d after compaction and a crash", n, got)
		}
	}
}

// Whatever a file holds, it opens; a damaged one is set aside and named in the
// log, and what is whole in it is kept.
func TestDamaged(t *testing.T) {
	const claims = 100
	for _, c := range []struct {
		name    string
		damage  func(b []byte) []byte
		lost    int // how many of the claims may be lost, at most
		isAside bool
	}{
		{"untouched", func(b []byte) []byte { return b }, 0, false},
		{"half a record at the end", func(b []byte) []byte { return b[:len(b)-20] }, 1, false},
		{"zeros at the end", func(b []byte) []byte { return append(b, make([]byte, 4096)...) }, 0, false},
		{"only a piece of its first line", func(b []byte) []byte { return b[:10] }, claims, false},
		{"empty", func(b []byte) []byte { return nil }, claims, false},
		{"one byte wrong in the middle", func(b []byte) []byte { b[len(b)/2] ^= 1; return b }, 1, true},
		{"a sector of zeros", func(b []byte) []byte { clear(b[1024:1536]); return b }, 12, true},
		{"something else", func([]byte) []byte { return bytes.Repeat([]byte("SQLite format 3\x00"), 100) }, claims, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "claims")
			s := mustOpen(t, path)
			for n := range claims {
				claimCommit(t, s, n)
			}
			s.Crash()
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, c.damage(data), 0o600); err != nil {
				t.Fatal(err)
			}
			sees, logs := observer.New(zapcore.WarnLevel)
			s, err = disk.Open(path, 1_000_000, zap.New(sees))
			if err != nil {
				t.Fatal(err)
			}
			lost := 0
			for n := range claims {
				if state(t, s, n) != core.Done {
					lost++
				}
			}
			if lost > c.lost {
				t.Errorf("%d claims lost, want at most %d", lost, c.lost)
			}
			checkAside(t, path, c.isAside, logs)
			held := s.Len()
			s.Crash()
			s = mustOpen(t, path) // and once more, now that it is whole
			if s.Len() != held {
				t.Errorf("%d claims after the second start, want %d", s.Len(), held)
			}
		})
	}
}

func checkAside(t *testing.T, path string, want bool, logs *observer.ObservedLogs) {
	t.Helper()
	aside, err := filepath.Glob(path + ".corrupt-*")
	if err != nil {
		t.Fatal(err)
	}
	errors := logs.FilterLevelExact(zapcore.ErrorLevel)
	if got := len(aside) == 1; got != want || (errors.Len() == 1) != want {
		t.Errorf("set aside: %v, errors in the log: %d, want %v", aside, errors.Len(), want)
	}
	if want && errors.FilterField(zap.String("set_aside", aside[0])).Len() != 1 {
		t.Errorf("the log does not name the file: %v", errors.All())
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte("hookward claims, version 1; do not edit while in use\n"))
	path := filepath.Join(f.TempDir(), "seed")
	s := mustOpen(f, path)
	for n := range 5 {
		claimCommit(f, s, n)
	}
	s.Crash()
	data, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "claims")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		s := mustOpen(t, path)
		claimCommit(t, s, 1)
		s.Crash()
		if s = mustOpen(t, path); state(t, s, 1) != core.Done {
			t.Error("a commit after opening a damaged file is lost")
		}
	})
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

func mustOpen(t testing.TB, path string) *disk.Store {
	t.Helper()
	s, err := disk.Open(path, 1_000_000, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func claimCommit(t testing.TB, s *disk.Store, n int) {
	var states [1]core.State
	token, keys := storetest.NewToken(uint64(n)), []core.Key{storetest.NewKey(uint64(n))}
	if err := s.Claim(context.Background(), token, keys, lease, states[:]); err != nil {
		t.Errorf("claim %d: %v", n, err)
	}
	if err := s.Commit(context.Background(), token, keys, window); err != nil {
		t.Errorf("commit %d: %v", n, err)
	}
}

// state asks with a claim, which it takes back.
func state(t testing.TB, s *disk.Store, n int) core.State {
	t.Helper()
	var states [1]core.State
	token, keys := core.Token{1}, []core.Key{storetest.NewKey(uint64(n))}
	if err := s.Claim(context.Background(), token, keys, lease, states[:]); err != nil {
		t.Error(err)
	}
	_ = s.Release(context.Background(), token, keys)
	return states[0]
}
