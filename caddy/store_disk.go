package hookward

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"

	"github.com/hookward/hookward/caddy/stores/disk"
)

func init() {
	caddy.RegisterModule(&DiskStore{})
}

// DiskStore keeps claims in the process and in a file: for one machine that
// restarts. They survive a crash of the process; after a loss of power the last
// seconds may be missing. A damaged file is set aside under another name.
type DiskStore struct {
	// Path is the file, which no other process may use. Placeholders are
	// replaced. Default: webhook/claims in Caddy's data folder.
	Path string `json:"path,omitempty"`
	// MaxClaims is how many claims are kept, at up to 100 bytes of memory and
	// 150 bytes of disk each. Default: 1,000,000.
	MaxClaims int `json:"max_claims,omitempty"`
}

// CaddyModule returns the Caddy module information.
func (*DiskStore) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.webhook.stores.disk",
		New: func() caddy.Module { return new(DiskStore) },
	}
}

// UnmarshalCaddyfile reads
//
//	store disk {
//	    path       <file>
//	    max_claims <n>
//	}
func (s *DiskStore) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	if d.NextArg() {
		return d.ArgErr()
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		var err error
		switch d.Val() {
		case "path":
			err = readText(d, &s.Path)
		case "max_claims":
			err = readCount(d, &s.MaxClaims)
		default:
			err = d.Errf("unknown option %q of store disk (known: path, max_claims)", d.Val())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readText reads the option's only argument, once.
func readText(d *caddyfile.Dispenser, to *string) error {
	option := d.Val()
	if *to != "" {
		return d.Errf("%s stands twice: remove one", option)
	}
	if !d.AllArgs(to) || *to == "" {
		return d.ArgErr()
	}
	return nil
}

// Provision makes the path absolute.
func (s *DiskStore) Provision(caddy.Context) (err error) {
	if s.Path == "" {
		s.Path = filepath.Join(caddy.AppDataDir(), "webhook", "claims")
	}
	if s.Path, err = caddy.NewReplacer().ReplaceOrErr(s.Path, true, true); err != nil {
		return fmt.Errorf("path: %w", err)
	}
	s.Path, err = filepath.Abs(s.Path)
	return err
}

// Validate refuses what can't hold anything.
func (s *DiskStore) Validate() error {
	if s.MaxClaims < 0 {
		return fmt.Errorf("max_claims: %d is no positive number", s.MaxClaims)
	}
	return nil
}

// Location is the file's absolute path.
func (s *DiskStore) Location() string { return s.Path }

// Open opens the file, in a folder made for it if there is none.
func (s *DiskStore) Open(log *zap.Logger) (OpenStore, error) {
	if err := os.MkdirAll(filepath.Dir(s.Path), 0o700); err != nil {
		return nil, err
	}
	return disk.Open(s.Path, s.Capacity(), log)
}

// Tune sets the limit, which an earlier configuration may have set otherwise.
func (s *DiskStore) Tune(open OpenStore) { open.(*disk.Store).SetLimit(s.Capacity()) }

// Capacity is MaxClaims or its default.
func (s *DiskStore) Capacity() int {
	if s.MaxClaims == 0 {
		return defaultMaxClaims
	}
	return s.MaxClaims
}

var (
	_ StoreModule           = (*DiskStore)(nil)
	_ caddyfile.Unmarshaler = (*DiskStore)(nil)
	_ caddy.Provisioner     = (*DiskStore)(nil)
	_ caddy.Validator       = (*DiskStore)(nil)
)
