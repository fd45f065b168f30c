package hookward

import (
	"fmt"
	"strconv"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"

	"github.com/hookward/hookward/caddy/stores/memory"
)

func init() {
	caddy.RegisterModule(&MemoryStore{})
}

const defaultMaxClaims = 1_000_000

// MemoryStore keeps claims in the process: for one machine. They survive a
// reload of the configuration and are gone after a restart.
type MemoryStore struct {
	// Name tells one memory from another: gates that name the same one share
	// it. Default: the empty name.
	Name string `json:"name,omitempty"`
	// MaxClaims is how many claims are kept, at up to 100 bytes each. Default:
	// 1,000,000.
	MaxClaims int `json:"max_claims,omitempty"`
}

// CaddyModule returns the Caddy module information.
func (*MemoryStore) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.webhook.stores.memory",
		New: func() caddy.Module { return new(MemoryStore) },
	}
}

// UnmarshalCaddyfile reads
//
//	store memory [<name>] {
//	    max_claims <n>
//	}
func (m *MemoryStore) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	if d.NextArg() {
		m.Name = d.Val()
	}
	if d.NextArg() {
		return d.ArgErr()
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		if d.Val() != "max_claims" {
			return d.Errf("unknown option %q of store memory (known: max_claims)", d.Val())
		}
		if err := readCount(d, &m.MaxClaims); err != nil {
			return err
		}
	}
	return nil
}

// readCount reads a positive number as the option's only argument, once.
func readCount(d *caddyfile.Dispenser, to *int) error {
	option := d.Val()
	var text string
	if !d.AllArgs(&text) {
		return d.ArgErr()
	}
	if *to != 0 {
		return d.Errf("%s stands twice: remove one", option)
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return d.Errf("%s: %q is no positive whole number", option, text)
	}
	*to = n
	return nil
}

// Validate refuses what can't hold anything.
func (m *MemoryStore) Validate() error {
	if m.MaxClaims < 0 {
		return fmt.Errorf("max_claims: %d is no positive number", m.MaxClaims)
	}
	return nil
}

// Location is the memory's name.
func (m *MemoryStore) Location() string { return m.Name }

// Open makes an empty store.
func (m *MemoryStore) Open(*zap.Logger) (OpenStore, error) {
	return openMemory{memory.New(m.Capacity())}, nil
}

// Tune sets the limit, which an earlier configuration may have set otherwise.
func (m *MemoryStore) Tune(s OpenStore) { s.(openMemory).SetLimit(m.Capacity()) }

// Capacity is MaxClaims or its default.
func (m *MemoryStore) Capacity() int {
	if m.MaxClaims == 0 {
		return defaultMaxClaims
	}
	return m.MaxClaims
}

// openMemory is the memory store; there is nothing to close.
type openMemory struct{ *memory.Store }

func (openMemory) Close() error { return nil }

var (
	_ StoreModule           = (*MemoryStore)(nil)
	_ caddyfile.Unmarshaler = (*MemoryStore)(nil)
	_ caddy.Validator       = (*MemoryStore)(nil)
)
