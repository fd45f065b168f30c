package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/hookward/hookward/core"
)

// Config is what an operator writes, in YAML or JSON.
type Config struct {
	// Listen is the address at which Envoy takes webhooks.
	Listen string `yaml:"listen"`
	// Endpoints are the gates and the backends behind them.
	Endpoints []Endpoint `yaml:"endpoints"`
	// Filter is all else: keys of the filter's configuration, such as replay.
	Filter map[string]any `yaml:",inline"`

	gates     string   // the filter's configuration, in JSON
	maxBody   int64    // the largest of all gates
	variables []string // of Envoy's environment that the gates name
}

// Endpoint is a gate and the backend behind it.
type Endpoint struct {
	// Backend is host:port; the host is an address or a DNS name.
	Backend string `yaml:"backend"`
	// Gate is all else: a route of the filter's configuration.
	Gate map[string]any `yaml:",inline"`

	name string
}

// ParseConfig reads and checks a configuration. {file./path} is replaced by
// what is in the file now; {env.NAME} is left to Envoy's own environment.
func ParseConfig(data []byte) (*Config, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return nil, err
	}
	if err := replaceFiles(&document); err != nil {
		return nil, err
	}
	c := &Config{}
	if err := document.Decode(c); err != nil {
		return nil, err
	}
	for _, step := range []func() error{c.checkAddresses, c.makeGates, c.checkGates, c.checkBackends} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *Config) checkAddresses() error {
	var errs []error
	if _, _, err := splitAddress(c.Listen); err != nil {
		errs = append(errs, fmt.Errorf("listen: %w", err))
	}
	for i, e := range c.Endpoints {
		if _, _, err := splitAddress(e.Backend); err != nil {
			errs = append(errs, fmt.Errorf("endpoints[%d].backend: %w", i, err))
		}
	}
	return errors.Join(errs...)
}

func splitAddress(address string) (host string, port uint32, err error) {
	host, digits, _ := net.SplitHostPort(address)
	number, err := strconv.ParseUint(digits, 10, 16)
	if host == "" || err != nil {
		return "", 0, fmt.Errorf("%q: write host:port", address)
	}
	return host, uint32(number), nil
}

// makeGates makes the filter's configuration. A request at a path without a
// gate is refused, never passed on: no path is open before its gate is there.
func (c *Config) makeGates() error {
	gates := map[string]any{"unmatched": "reject"}
	for key, value := range c.Filter {
		if key == "routes" || key == "unmatched" {
			return fmt.Errorf("%s: leave it out, it is made of the endpoints", key)
		}
		gates[key] = value
	}
	routes := make([]any, len(c.Endpoints))
	for i, e := range c.Endpoints {
		routes[i] = e.Gate
	}
	gates["routes"] = routes
	data, err := json.Marshal(gates)
	c.gates = string(data)
	return err
}

// checkGates lets the core read the configuration as the filter will: nearly
// all that can be wrong is told here, with its place, and reaches no Envoy.
func (c *Config) checkGates() error {
	variables := map[string]bool{}
	router, err := readGates(c.gates, func(name string) (string, bool) {
		variables[name] = true
		return standIn(name), true
	})
	if err != nil {
		// Here they are called endpoints.
		return errors.New(strings.ReplaceAll(err.Error(), "routes", "endpoints"))
	}
	for i, gate := range router.Gates() {
		c.Endpoints[i].name = gate.Name()
		c.maxBody = max(c.maxBody, gate.MaxBody())
	}
	c.variables = slices.Sorted(maps.Keys(variables))
	return nil
}

func readGates(gates string, variable func(name string) (string, bool)) (*core.Router, error) {
	routes, err := core.ParseRoutes([]byte(gates))
	if err != nil {
		return nil, err
	}
	if routes, err = routes.Resolve(variable); err != nil {
		return nil, err
	}
	return core.NewRouter(routes)
}

// checkBackends refuses a second backend for a name, by which requests are
// routed.
func (c *Config) checkBackends() error {
	backends := map[string]string{}
	for i, e := range c.Endpoints {
		if other, taken := backends[e.name]; taken && other != e.Backend {
			return fmt.Errorf("endpoints[%d].backend: the name %q belongs to the backend %s: give each its own name", i, e.name, other)
		}
		backends[e.name] = e.Backend
	}
	return nil
}
