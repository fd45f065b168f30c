package hookward

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"

	"github.com/hookward/hookward/caddy/stores/redis"
)

func init() {
	caddy.RegisterModule(&RedisStore{})
}

// RedisStore keeps claims in Redis or Valkey, version 7 or later: for a fleet.
// Placeholders are replaced in its texts.
type RedisStore struct {
	// Address has host:port of one server, of nodes of a Cluster, or of the
	// Sentinels. A single server and a Cluster are told apart by asking.
	Address []string `json:"address,omitempty"`
	// Sentinel is the name of the master, where the addresses are Sentinels'.
	Sentinel string `json:"sentinel,omitempty"`
	// Username and Password log in to the server; Sentinels are asked without.
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
	// TLS, where it is set, encrypts the connections, also those to Sentinels.
	TLS *RedisTLS `json:"tls,omitempty"`
	// Prefix stands before each key; gates share claims if it is the same.
	// Default: hookward:
	Prefix string `json:"prefix,omitempty"`
	// Timeout is how long a request waits for the server. Default: 50ms.
	Timeout caddy.Duration `json:"timeout,omitempty"`

	tls *tls.Config
}

// RedisTLS says whom to trust.
type RedisTLS struct {
	// CA is a file of certificates in PEM form that may have signed the
	// server's. Default: those that the system trusts.
	CA string `json:"ca,omitempty"`
}

// CaddyModule returns the Caddy module information.
func (*RedisStore) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.webhook.stores.redis",
		New: func() caddy.Module { return new(RedisStore) },
	}
}

// UnmarshalCaddyfile reads
//
//	store redis [<host:port>...] {
//	    address  <host:port>...
//	    sentinel <master>
//	    username <name>
//	    password <password>
//	    tls {
//	        ca <file>
//	    }
//	    prefix   <text>
//	    timeout  <duration>
//	}
//
// tls may stand without a block.
func (s *RedisStore) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	s.Address = d.RemainingArgs()
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		if err := s.readOption(d); err != nil {
			return err
		}
	}
	if len(s.Address) == 0 {
		return d.Err("store redis: an address is missing, such as: address 127.0.0.1:6379")
	}
	return nil
}

func (s *RedisStore) readOption(d *caddyfile.Dispenser) error {
	switch d.Val() {
	case "address":
		args := d.RemainingArgs()
		if len(args) == 0 {
			return d.ArgErr()
		}
		s.Address = append(s.Address, args...)
		return nil
	case "sentinel":
		return readText(d, &s.Sentinel)
	case "username":
		return readText(d, &s.Username)
	case "password":
		return readText(d, &s.Password)
	case "tls":
		return s.readTLS(d)
	case "prefix":
		return readText(d, &s.Prefix)
	case "timeout":
		return readDuration(d, &s.Timeout)
	default:
		return d.Errf("unknown option %q of store redis (known: address, sentinel, username, password, tls, prefix, timeout)", d.Val())
	}
}

func (s *RedisStore) readTLS(d *caddyfile.Dispenser) error {
	if s.TLS != nil {
		return d.Err("tls stands twice: remove one")
	}
	s.TLS = new(RedisTLS)
	if d.NextArg() {
		return d.ArgErr()
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		if d.Val() != "ca" {
			return d.Errf("unknown option %q of tls (known: ca)", d.Val())
		}
		if err := readText(d, &s.TLS.CA); err != nil {
			return err
		}
	}
	return nil
}

// readDuration reads a positive duration as the option's only argument, once.
func readDuration(d *caddyfile.Dispenser, to *caddy.Duration) error {
	option, text := d.Val(), ""
	if *to != 0 {
		return d.Errf("%s stands twice: remove one", option)
	}
	if !d.AllArgs(&text) {
		return d.ArgErr()
	}
	duration, err := caddy.ParseDuration(text)
	if err != nil || duration <= 0 {
		return d.Errf("%s: %q is no positive duration, such as 50ms", option, text)
	}
	*to = caddy.Duration(duration)
	return nil
}

// Provision replaces placeholders and reads the CA's file. It calls nobody.
func (s *RedisStore) Provision(ctx caddy.Context) error {
	if s.Password != "" && !strings.Contains(s.Password, "{") {
		ctx.Logger().Warn("password stands literally in the configuration, which the admin API and autosave.json show: use {env.NAME} or {file./path}")
	}
	repl := caddy.NewReplacer()
	var errs []error
	resolve := func(key string, text *string) {
		if !strings.Contains(*text, "{") {
			return
		}
		out, err := repl.ReplaceOrErr(*text, true, true)
		if err != nil {
			// The error would quote what stands between the braces.
			errs = append(errs, noValue(key, *text))
		}
		*text = strings.TrimRight(out, "\r\n")
	}
	for i := range s.Address {
		resolve(fmt.Sprintf("address[%d]", i), &s.Address[i])
	}
	resolve("sentinel", &s.Sentinel)
	resolve("username", &s.Username)
	resolve("password", &s.Password)
	resolve("prefix", &s.Prefix)
	if s.Prefix == "" {
		s.Prefix = redis.DefaultPrefix
	}
	if s.TLS != nil {
		resolve("tls.ca", &s.TLS.CA)
		var err error
		s.tls, err = s.TLS.config()
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (t *RedisTLS) config() (*tls.Config, error) {
	if t.CA == "" {
		return &tls.Config{MinVersion: tls.VersionTLS12}, nil
	}
	pem, err := os.ReadFile(t.CA)
	if err != nil {
		return nil, fmt.Errorf("tls.ca: %w", err)
	}
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("tls.ca: %s holds no certificate in PEM form", t.CA)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: trusted}, nil
}

// Validate refuses what can't work, all of it at once.
func (s *RedisStore) Validate() error {
	var errs []error
	if len(s.Address) == 0 {
		errs = append(errs, errors.New("address: is missing, such as 127.0.0.1:6379"))
	}
	for i, address := range s.Address {
		if _, port, err := net.SplitHostPort(address); err != nil || port == "" {
			errs = append(errs, fmt.Errorf("address[%d]: %q is no host:port, such as 127.0.0.1:6379", i, address))
		}
	}
	if s.Username != "" && s.Password == "" {
		errs = append(errs, errors.New("password: is missing beside a username"))
	}
	if s.Timeout < 0 {
		errs = append(errs, fmt.Errorf("timeout: %s is no positive duration", time.Duration(s.Timeout)))
	}
	return errors.Join(errs...)
}

// Location is the set of addresses, how they are spoken to, and the prefix.
func (s *RedisStore) Location() string {
	scheme := "redis://"
	if s.TLS != nil {
		scheme = "rediss://"
	}
	location := scheme + strings.Join(slices.Sorted(slices.Values(s.Address)), ",")
	if s.Sentinel != "" {
		location += "/" + s.Sentinel
	}
	return location + " " + s.Prefix
}

// Open makes the store, whether the server can be reached or not.
func (s *RedisStore) Open(log *zap.Logger) (OpenStore, error) {
	return redis.Open(redis.Options{
		Addresses: s.Address, Sentinel: s.Sentinel, Username: s.Username, Password: s.Password,
		TLS: s.tls, Prefix: s.Prefix, Timeout: time.Duration(s.Timeout),
	}, log), nil
}

// Tune sets the time-out, the credentials and the CA, which an earlier
// configuration may have set otherwise.
func (s *RedisStore) Tune(open OpenStore) {
	store := open.(*redis.Store)
	store.SetTimeout(time.Duration(s.Timeout))
	store.SetAccess(s.Username, s.Password, s.tls)
}

// Capacity is the server's own business.
func (s *RedisStore) Capacity() int { return 0 }

var (
	_ StoreModule           = (*RedisStore)(nil)
	_ caddyfile.Unmarshaler = (*RedisStore)(nil)
	_ caddy.Provisioner     = (*RedisStore)(nil)
	_ caddy.Validator       = (*RedisStore)(nil)
)
