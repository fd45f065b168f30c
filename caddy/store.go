package hookward

import (
	"encoding/json"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/hookward/hookward/caddy/stores"
)

// StoreModule is a replay store as a guest module in the namespace
// http.webhook.stores.
type StoreModule interface {
	caddy.Module
	// Location says where the claims are kept: modules of one kind and location
	// share one open store, within a configuration and across reloads. Tuning
	// is no part of it.
	Location() string
	// Open opens the store. It is called when the configuration starts, never
	// while it is only validated.
	Open(log *zap.Logger) (OpenStore, error)
	// Tune applies this configuration's tuning to the open store. It is called
	// with the first request: a configuration that starts only halfway, since a
	// port is taken, say, must not have changed what the running one uses.
	Tune(OpenStore)
	// Capacity is how many claims the store may hold, 0 if nobody knows.
	Capacity() int
}

// OpenStore is a store that is closed when no configuration and no request
// uses it any more.
type OpenStore interface {
	stores.Store
	Close() error
}

// openStores are the open stores of this process, by module and location.
var openStores = caddy.NewUsagePool()

// loadStore loads the store module that raw's key "module" names.
func loadStore(ctx caddy.Context, raw json.RawMessage) (StoreModule, error) {
	var named struct {
		Module string `json:"module"`
	}
	if err := json.Unmarshal(raw, &named); err != nil {
		return nil, err
	}
	if named.Module == "" {
		return nil, errors.New(`module: is missing: name the store, such as "memory"`)
	}
	config, err := withoutKey(raw, "module")
	if err != nil {
		return nil, err
	}
	module, err := ctx.LoadModuleByID("http.webhook.stores."+named.Module, config)
	if err != nil {
		return nil, err
	}
	return module.(StoreModule), nil
}

// withoutKey takes Caddy's own key out of a module's object, as Caddy does
// before it hands the object to the module.
func withoutKey(object json.RawMessage, key string) (json.RawMessage, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(object, &members); err != nil {
		return nil, err
	}
	delete(members, key)
	return json.Marshal(members)
}

// storeHandle is one gate's hold on a store. The first use opens it, since
// Caddy starts its apps in no particular order.
type storeHandle struct {
	module StoreModule
	log    *zap.Logger
	load   uint64 // the configuration's number

	mu     sync.Mutex
	shared atomic.Pointer[openStore]
	once   sync.Once // for its tuning
	closed bool
}

// loads numbers the configurations in the order in which they are loaded.
var loads atomic.Uint64

// openStore is a store with the number of those who use it: configurations and
// requests in flight. The last one closes it.
type openStore struct {
	OpenStore
	label string // in metrics and logs
	log   *zap.Logger
	users atomic.Int64

	tuning  sync.Mutex
	tunedBy uint64 // the number of the configuration whose tuning it has

	evictedSaid atomic.Uint64 // how many evictions a warning has told of
	lastSaid    atomic.Int64  // when, in Unix seconds
}

// maySay lets one warning a minute through.
func (s *openStore) maySay(now time.Time) bool {
	last := s.lastSaid.Load()
	return now.Unix()-last >= 60 && s.lastSaid.CompareAndSwap(last, now.Unix())
}

func (h *storeHandle) poolKey() string {
	return string(h.module.CaddyModule().ID) + " " + h.module.Location()
}

// label is the store in metrics and logs: its module, and its location where
// one has to be told from another.
func (h *storeHandle) label() string {
	label := h.module.CaddyModule().ID.Name()
	if location := h.module.Location(); location != "" {
		label += " " + location
	}
	return label
}

func (h *storeHandle) open() (*openStore, error) {
	if s := h.shared.Load(); s != nil {
		return s, nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.shared.Load(); s != nil {
		return s, nil
	}
	if h.closed {
		return nil, errUnloaded
	}
	value, _, err := openStores.LoadOrNew(h.poolKey(), func() (caddy.Destructor, error) {
		s, err := h.module.Open(h.log)
		if err != nil {
			return nil, err
		}
		shared := &openStore{OpenStore: s, label: h.label(), log: h.log}
		shared.users.Store(1)
		return shared, nil
	})
	if err != nil {
		return nil, err
	}
	s := value.(*openStore)
	h.shared.Store(s)
	return s, nil
}

// acquire is the store for one request, which must let it go.
func (h *storeHandle) acquire() (*openStore, error) {
	s, err := h.open()
	if err != nil {
		return nil, err
	}
	for users := s.users.Load(); users > 0; users = s.users.Load() {
		if s.users.CompareAndSwap(users, users+1) {
			h.once.Do(func() { h.tune(s) })
			return s, nil
		}
	}
	return nil, errUnloaded
}

// tune applies this configuration's tuning, unless a later one's is in force: a
// request may outlive the configuration under which it came.
func (h *storeHandle) tune(s *openStore) {
	s.tuning.Lock()
	defer s.tuning.Unlock()
	if h.load >= s.tunedBy {
		s.tunedBy = h.load
		h.module.Tune(s.OpenStore)
	}
}

var errUnloaded = errors.New("the configuration of this store has been unloaded")

func (h *storeHandle) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	if h.shared.Load() != nil {
		_, _ = openStores.Delete(h.poolKey())
	}
}

// Destruct is called when no configuration uses the store any more; requests
// in flight may.
func (s *openStore) Destruct() error {
	s.letGo()
	return nil
}

func (s *openStore) letGo() {
	if s.users.Add(-1) > 0 {
		return
	}
	if err := s.Close(); err != nil {
		s.log.Error("closing replay store", zap.Error(err))
	}
}
