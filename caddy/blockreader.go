package hookward

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/hookward/hookward/core"
)

// blockReader reads the options of a block. It gathers what is wrong with them,
// each with its line, instead of stopping at the first mistake, and remembers
// where each value stands.
type blockReader struct {
	*caddyfile.Dispenser
	start  line            // where the block begins
	places map[string]line // by the place that the core names, without the indices
	wrong  []mistake
}

// line is a line of a Caddyfile, which may have been imported.
type line struct {
	file string
	n    int
}

type mistake struct {
	at   line
	text string
}

func newBlockReader(d *caddyfile.Dispenser) *blockReader {
	r := &blockReader{Dispenser: d, places: map[string]line{}}
	r.start = r.here()
	return r
}

func (r *blockReader) here() line { return line{r.File(), r.Line()} }

// err tells the mistakes in the order of their lines.
func (r *blockReader) err() error {
	slices.SortStableFunc(r.wrong, func(a, b mistake) int { return a.at.n - b.at.n })
	var all []error
	for _, m := range r.wrong {
		all = append(all, fmt.Errorf("%s:%d: %s", m.at.file, m.at.n, m.text))
	}
	return errors.Join(all...)
}

func (r *blockReader) fail(format string, args ...any) {
	r.failAt(r.here(), fmt.Sprintf(format, args...))
}

func (r *blockReader) failAt(at line, text string) {
	r.wrong = append(r.wrong, mistake{at, text})
}

// failAtPlaces takes over the core's mistakes, each of which begins with its
// place, such as "replay.window:" or "secrets[1]:", the option "secret" here.
func (r *blockReader) failAtPlaces(err error) {
	all := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all = joined.Unwrap()
	}
	for _, e := range all {
		place, _, _ := strings.Cut(e.Error(), ":")
		place, _, _ = strings.Cut(place, "[")
		at, known := r.places[place]
		if !known {
			at = r.start
		}
		text := e.Error()
		if rest, ok := strings.CutPrefix(text, "secrets"); ok {
			text = "secret" + rest
		}
		r.failAt(at, text)
	}
}

func (r *blockReader) unknown(known string) {
	r.fail("unknown option %q (known: %s)", r.Val(), known)
	r.RemainingArgs()
	r.skipBlock()
}

func (r *blockReader) skipBlock() {
	for nesting := r.Nesting(); r.NextBlock(nesting); {
	}
}

// args are the option's arguments, of which there must be some.
func (r *blockReader) args(place string, once bool) []string {
	option := r.Val()
	if _, twice := r.places[place]; twice && once {
		r.fail("%s stands twice: remove one", option)
	}
	r.places[place] = r.here()
	args := r.RemainingArgs()
	if len(args) == 0 {
		r.fail("%s: a value is missing ({$NAME} is none where the variable NAME is not set)", option)
	}
	return args
}

func (r *blockReader) one(place string, to *string) {
	option := r.Val()
	args := r.args(place, true)
	if len(args) > 1 {
		r.fail("%s takes one value, not %d", option, len(args))
	}
	if len(args) > 0 {
		*to = args[0]
	}
}

func (r *blockReader) joined(place string, to *string) {
	*to = strings.Join(r.args(place, true), " ")
}

func (r *blockReader) many(place string, to *[]string) {
	*to = append(*to, r.args(place, false)...)
}

func (r *blockReader) flag(to *bool) {
	option := r.Val()
	if len(r.RemainingArgs()) > 0 {
		r.fail("%s takes no value", option)
	}
	*to = true
}

func (r *blockReader) replay(to **core.ReplayConfig) {
	if *to != nil {
		r.fail("replay stands twice: remove one")
	}
	c := &core.ReplayConfig{}
	*to = c
	r.places["replay"] = r.here()
	if args := r.RemainingArgs(); len(args) > 0 {
		if c.Off = len(args) == 1 && args[0] == "off"; !c.Off {
			r.fail(`replay takes "off" or a block, not %q`, strings.Join(args, " "))
		}
	}
	for nesting := r.Nesting(); r.NextBlock(nesting); {
		if c.Off {
			r.fail("replay is off: %s has no meaning, remove one of them", r.Val())
		}
		r.replayOption(c)
	}
}

func (r *blockReader) replayOption(c *core.ReplayConfig) {
	switch r.Val() {
	case "window":
		r.one("replay.window", &c.Window)
	case "lease":
		r.one("replay.lease", &c.Lease)
	case "on_error":
		r.one("replay.on_error", &c.OnError)
	case "store":
		if c.Store != "" {
			r.fail("store stands twice: remove one")
		}
		store, err := readStore(r.Dispenser)
		if err != nil {
			r.fail("store: %v", err)
			r.skipBlock()
		}
		c.Store = string(store)
	default:
		r.unknown("window, lease, on_error, store")
	}
}

// readStore reads "store <name> { … }": the block is the store module's own.
func readStore(d *caddyfile.Dispenser) (json.RawMessage, error) {
	if !d.NextArg() {
		return nil, d.Err("store: which one? such as: store memory")
	}
	name := d.Val()
	if _, err := caddy.GetModule("http.webhook.stores." + name); err != nil {
		var known []string
		for _, m := range caddy.GetModules("http.webhook.stores") {
			known = append(known, m.ID.Name())
		}
		return nil, d.Errf("unknown store %q (known: %s)", name, strings.Join(known, ", "))
	}
	module, err := caddyfile.UnmarshalModule(d, "http.webhook.stores."+name)
	if err != nil {
		return nil, err
	}
	return caddyconfig.JSONModuleObject(module, "module", name, nil), nil
}
