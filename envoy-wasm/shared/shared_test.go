package shared_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookward/hookward/caddy/stores"
	"github.com/hookward/hookward/caddy/stores/storetest"
	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/envoy-wasm/shared"
)

// The store keeps what every replay store promises, with several workers on one
// shared data.
func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) (stores.Store, func(time.Duration)) { return newWorkers(1 << 20) })
	storetest.RunBounded(t, func(_ *testing.T, limit int) (stores.Store, func(time.Duration)) { return newWorkers(limit) })
}

// workers is a store for each caller, as each of Envoy's workers has one.
type workers struct {
	idle sync.Pool
	now  atomic.Int64
}

func newWorkers(limit int) (*workers, func(time.Duration)) {
	data := newFakeData()
	w := &workers{}
	w.now.Store(time.Unix(1_800_000_000, 0).UnixNano())
	w.idle.New = func() any { return shared.New(data, limit) }
	return w, func(d time.Duration) { w.now.Add(int64(d)) }
}

func (w *workers) do(f func(s *shared.Store, now time.Time) error) error {
	s := w.idle.Get().(*shared.Store)
	defer w.idle.Put(s)
	err := f(s, time.Unix(0, w.now.Load()))
	if errors.Is(err, shared.ErrFull) {
		return stores.ErrFull
	}
	return err
}

func (w *workers) Claim(_ context.Context, token core.Token, keys []core.Key, lease time.Duration, states []core.State) error {
	return w.do(func(s *shared.Store, now time.Time) error { return s.Claim(now, token, keys, lease, states) })
}

func (w *workers) Commit(_ context.Context, token core.Token, keys []core.Key, window time.Duration) error {
	return w.do(func(s *shared.Store, now time.Time) error { return s.Commit(now, token, keys, window) })
}

func (w *workers) Release(_ context.Context, token core.Token, keys []core.Key) error {
	return w.do(func(s *shared.Store, now time.Time) error { return s.Release(now, token, keys) })
}

func (w *workers) Renew(_ context.Context, token core.Token, keys []core.Key, lease time.Duration) error {
	return w.do(func(s *shared.Store, now time.Time) error { return s.Renew(now, token, keys, lease) })
}

// fakeData is shared data as Envoy has it: a version of 0 overwrites, and a
// version that is not current is refused only where there is a value.
type fakeData struct {
	mu      sync.Mutex
	values  map[string][]byte
	version map[string]uint32
	last    uint32
	getErr  error
	setErr  error
}

func newFakeData() *fakeData {
	return &fakeData{values: map[string][]byte{}, version: map[string]uint32{}}
}

func (d *fakeData) Get(key string) ([]byte, uint32, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.values[key]), d.version[key], d.getErr
}

func (d *fakeData) Set(key string, value []byte, version uint32) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.setErr != nil {
		return false, d.setErr
	}
	if _, there := d.values[key]; there && version != 0 && version != d.version[key] {
		return false, nil
	}
	d.last++
	d.values[key], d.version[key] = slices.Clone(value), d.last
	return true, nil
}

const lease, window = time.Minute, time.Hour

var (
	now   = time.Unix(1_800_000_000, 0)
	token = storetest.NewToken(1)
)

func claim(s *shared.Store, n uint64) (core.State, error) {
	var states [1]core.State
	err := s.Claim(now, token, []core.Key{storetest.NewKey(n)}, lease, states[:])
	return states[0], err
}

func TestCorruptData(t *testing.T) {
	valid := func() []byte {
		d := newFakeData()
		_, _ = claim(shared.New(d, 64), 1)
		for _, v := range d.values {
			return v
		}
		return nil
	}()
	far := slices.Clone(valid)
	far[len(far)-2] = 0x7f
	for name, value := range map[string][]byte{
		"empty": {}, "foreign": []byte("something else"), "cut": valid[:len(valid)-1],
		"too many": append(slices.Clone(valid), slices.Repeat(valid[4:], 64)...), "an end too far": far,
	} {
		t.Run(name, func(t *testing.T) {
			d := newFakeData()
			s := shared.New(d, 64)
			_, _ = claim(s, 1)
			for key := range d.values {
				d.values[key] = value
			}
			if state, err := claim(s, 2); state != core.Unknown || !errors.Is(err, shared.ErrCorrupt) {
				t.Errorf("claim in corrupt data = %v, %v, want unknown and ErrCorrupt", state, err)
			}
			if state, err := claim(s, 2); state != core.Claimed || err != nil {
				t.Errorf("claim after that = %v, %v, want claimed", state, err)
			}
		})
	}
}

func TestVanishedDataIsEmpty(t *testing.T) {
	d := newFakeData()
	s := shared.New(d, 64)
	_, _ = claim(s, 1)
	clear(d.values)
	if state, err := claim(s, 1); state != core.Claimed || err != nil {
		t.Errorf("claim = %v, %v, want claimed", state, err)
	}
}

func TestHostErrors(t *testing.T) {
	broken := errors.New("broken")
	for name, d := range map[string]*fakeData{"get": {getErr: broken}, "set": {setErr: broken}} {
		if state, err := claim(shared.New(d, 64), 1); state != core.Unknown || !errors.Is(err, broken) {
			t.Errorf("%s: claim = %v, %v, want unknown and the host's error", name, state, err)
		}
	}
}

// busyData is changed by others before every Set.
type busyData struct{ *fakeData }

func (d busyData) Set(key string, value []byte, version uint32) (bool, error) {
	_, _ = d.fakeData.Set(key, []byte("hwc1"), 0)
	return d.fakeData.Set(key, value, version)
}

func TestRetriesAreBounded(t *testing.T) {
	if state, err := claim(shared.New(busyData{newFakeData()}, 64), 1); state != core.Unknown || !errors.Is(err, shared.ErrBusy) {
		t.Errorf("claim = %v, %v, want unknown and ErrBusy", state, err)
	}
}

// The keys are a fixed set, their values are bounded, and the counts are right.
func TestBounds(t *testing.T) {
	const limit = 1000
	d := newFakeData()
	s := shared.New(d, limit)
	for n := range uint64(20 * limit) {
		key := []core.Key{storetest.NewKey(n)}
		if _, err := claim(s, n); err != nil {
			t.Fatal(err)
		}
		if err := s.Commit(now, token, key, window); err != nil {
			t.Fatal(err)
		}
	}
	size := 0
	for _, value := range d.values {
		size += len(value)
		if len(value) > 4096 {
			t.Errorf("a value has %d bytes, want at most 4096", len(value))
		}
	}
	if len(d.values) > limit/64 || size > 42*limit {
		t.Errorf("%d keys with %d bytes, want at most %d and %d", len(d.values), size, limit/64, 42*limit)
	}
	if want := int64(limit / 64 * 64); s.Held != want || s.Evicted != 20*limit-want {
		t.Errorf("Held = %d, Evicted = %d, want %d and %d", s.Held, s.Evicted, want, 20*limit-want)
	}
}
