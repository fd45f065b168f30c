package hookward

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"

	"github.com/hookward/hookward/core"
)

// endpoint is a gate of a configuration, with where it is to be reached.
type endpoint struct {
	gate core.Config
	// base is scheme, host and port of its server.
	base string
	// path is the path of the innermost matcher before it.
	path string
}

func (e *endpoint) name() string {
	if e.gate.Name != "" {
		return e.gate.Name
	}
	return e.gate.Provider
}

func endpointNames(all []endpoint) (names []string) {
	for _, e := range all {
		names = append(names, e.name())
	}
	return names
}

// readEndpoints finds the gates of a configuration file.
func readEndpoints(file, adapter string) ([]endpoint, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if adapter == "" && filepath.Ext(file) != ".json" {
		adapter = "caddyfile"
	}
	if adapter != "" {
		if data, err = adapt(data, file, adapter); err != nil {
			return nil, err
		}
	}
	var config struct {
		Apps struct {
			HTTP struct {
				Servers map[string]serverJSON `json:"servers"`
			} `json:"http"`
		} `json:"apps"`
	}
	if err := json.Unmarshal(data, &config); err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	var all []endpoint
	for _, server := range config.Apps.HTTP.Servers {
		found, err := server.endpoints(server.Routes, "", "/")
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
		all = append(all, found...)
	}
	return all, nil
}

func adapt(data []byte, file, adapter string) ([]byte, error) {
	a := caddyconfig.GetAdapter(adapter)
	if a == nil {
		return nil, fmt.Errorf("unknown config adapter %q", adapter)
	}
	adapted, _, err := a.Adapt(data, map[string]any{"filename": file})
	return adapted, err
}

// serverJSON and routeJSON are what matters here of Caddy's own types, whose
// guest modules would want to be provisioned.
type serverJSON struct {
	Listen    []string          `json:"listen"`
	Routes    []routeJSON       `json:"routes"`
	TLS       []json.RawMessage `json:"tls_connection_policies"`
	AutoHTTPS struct {
		Disable bool     `json:"disable"`
		Skip    []string `json:"skip"`
	} `json:"automatic_https"`
}

type routeJSON struct {
	Match []struct {
		Host []string `json:"host"`
		Path []string `json:"path"`
	} `json:"match"`
	Handle []json.RawMessage `json:"handle"`
}

// endpoints walks the routes; host and path are what the matchers around them
// say.
func (s *serverJSON) endpoints(routes []routeJSON, host, path string) (all []endpoint, err error) {
	for _, r := range routes {
		host, path := host, path
		for _, m := range slices.Backward(r.Match) { // the first one counts
			host, path = first(m.Host, host), first(m.Path, path)
		}
		for _, handler := range r.Handle {
			found, err := s.handler(handler, host, path)
			if err != nil {
				return nil, err
			}
			all = append(all, found...)
		}
	}
	return all, nil
}

func (s *serverJSON) handler(data json.RawMessage, host, path string) ([]endpoint, error) {
	var h struct {
		Handler string      `json:"handler"`
		Routes  []routeJSON `json:"routes"`
	}
	if err := json.Unmarshal(data, &h); err != nil {
		return nil, err
	}
	if h.Handler != "verify_webhook" {
		return s.endpoints(h.Routes, host, path)
	}
	gate := new(Gate)
	config, err := withoutKey(data, "handler")
	if err != nil {
		return nil, err
	}
	if err := gate.UnmarshalJSON(config); err != nil {
		return nil, err
	}
	return []endpoint{{gate.Config, s.base(host), strings.TrimSuffix(path, "*")}}, nil
}

// base is where the server listens, as a client on this machine says it.
func (s *serverJSON) base(host string) string {
	if len(s.Listen) == 0 {
		return ""
	}
	listen, err := caddy.ParseNetworkAddress(s.Listen[0])
	if err != nil || listen.IsUnixNetwork() {
		return ""
	}
	scheme, usual := "http", uint(80)
	if s.isHTTPS(host, listen.StartPort) {
		scheme, usual = "https", 443
	}
	if host == "" {
		host = listen.Host
	}
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "localhost"
	}
	if listen.StartPort == usual {
		return scheme + "://" + host
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(int(listen.StartPort)))
}

// isHTTPS follows Caddy's automatic HTTPS: a site with a name has it, unless it
// is switched off or the port is HTTP's.
func (s *serverJSON) isHTTPS(host string, port uint) bool {
	if len(s.TLS) > 0 {
		return true
	}
	return host != "" && port != 80 && !s.AutoHTTPS.Disable && !slices.Contains(s.AutoHTTPS.Skip, host)
}

func first(list []string, otherwise string) string {
	if len(list) == 0 {
		return otherwise
	}
	return list[0]
}

// wanted says in words which gate is looked for.
func wanted(provider, name string) (words string) {
	if provider != "" {
		words += fmt.Sprintf(" of %q", provider)
	}
	if name != "" {
		words += fmt.Sprintf(" with the name %q", name)
	}
	return words
}

// inWords names gates, and the providers of those that are not named so.
func inWords(all []endpoint) string {
	names := endpointNames(all)
	for i, e := range all {
		if names[i] != e.gate.Provider {
			names[i] += " (" + e.gate.Provider + ")"
		}
	}
	slices.Sort(names) // servers come in any order
	return strings.Join(names, ", ")
}

// choose finds the one gate that provider and name, either of which may be
// empty, leave.
func choose(all []endpoint, provider, name string) (endpoint, error) {
	left := slices.DeleteFunc(slices.Clone(all), func(e endpoint) bool {
		return provider != "" && e.gate.Provider != provider || name != "" && e.name() != name
	})
	known := inWords(all)
	switch {
	case len(all) == 0:
		return endpoint{}, errors.New("the configuration has no verify_webhook")
	case len(left) == 0:
		return endpoint{}, fmt.Errorf("the configuration has no gate%s (known: %s)", wanted(provider, name), known)
	case len(left) > 1:
		return endpoint{}, fmt.Errorf("the configuration has several such gates: choose one by --name (known: %s)", inWords(left))
	}
	return left[0], nil
}
