package core_test

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/core/cases"
)

var update = flag.Bool("update", false, "write what comes out into the cases; read the diff")

const instance = "urn:uuid:00000000-0000-4000-8000-000000000000"

func TestCases(t *testing.T) {
	all, err := cases.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		t.Run(c.Name, func(t *testing.T) { runCase(t, &c) })
	}
}

func runCase(t *testing.T, c *cases.Case) {
	config, err := core.ParseConfig(c.Config)
	if err != nil {
		t.Fatal(err)
	}
	gate, err := core.New(config)
	if err != nil {
		t.Fatal(err)
	}
	store := mapStore{}
	now := c.Now
	for i := range c.Steps {
		s := &c.Steps[i]
		if s.Later != "" {
			later, err := time.ParseDuration(s.Later)
			if err != nil {
				t.Fatal(err)
			}
			now = now.Add(later)
		}
		got := runStep(t, gate, store, now, s)
		if *update {
			s.Want = got
			continue
		}
		if !reflect.DeepEqual(got, s.Want) {
			t.Errorf("step %d:\n got %s\nwant %s", i, got, s.Want)
		}
	}
	if *update {
		data, err := c.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join("cases", "testdata", c.Name+".json"), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// mapStore is the simplest store: every event is done or it isn't.
type mapStore map[core.Key]bool

func runStep(t *testing.T, gate *core.Gate, store mapStore, now time.Time, s *cases.Step) cases.Want {
	t.Helper()
	r := &s.Request
	body := r.Bytes()
	header := fields(r.Header)
	check, v := gate.Begin(now, core.Head{
		Method: r.Method, Scheme: r.Scheme, Host: r.Host, Target: r.Target,
		Client: netip.MustParseAddr(r.Client), Header: header,
		ContentLength: int64(len(body)), Instance: func() string { return instance },
	})
	if v == nil {
		v = check.Body(body, core.BodyComplete)
	}
	if v == nil {
		var states []core.State
		for _, k := range check.Keys() {
			state := core.Claimed
			if store[k] {
				state = core.Done
			}
			states = append(states, state)
		}
		v = check.Claimed(states)
	}
	status := s.Backend
	if status == 0 {
		status = 200
	}
	if core.Settle(status, true) == core.Commit {
		for _, k := range v.Hold {
			store[k] = true
		}
	}
	return describe(v, r, header, body)
}

// describe tells a verdict in a case's words, the forwarded request with all
// that the host does to it.
func describe(v *core.Verdict, r *cases.Request, header fields, body []byte) cases.Want {
	w := cases.Want{Outcome: string(v.Outcome), Code: string(v.Code)}
	if v.Kind != core.Forward {
		w.Answer = &cases.Answer{Status: v.Status, Header: map[string]string{}, Body: string(v.Body)}
		for _, f := range v.Header {
			w.Answer.Header[f.Name] = f.Value
		}
		return w
	}
	f := &cases.Forward{Method: r.Method, Target: r.Target, Header: map[string][]string{}}
	if v.Method != "" {
		f.Method = v.Method
	}
	if v.Target != "" {
		f.Target = v.Target
	}
	gone := map[string]bool{}
	for _, name := range v.Remove {
		gone[strings.ToLower(name)] = true
	}
	for _, field := range v.Set {
		gone[strings.ToLower(field.Name)] = true
	}
	for _, field := range header {
		if !core.Reserved(field[0]) && !gone[strings.ToLower(field[0])] {
			f.Header[field[0]] = append(f.Header[field[0]], field[1])
		}
	}
	for _, field := range v.Set {
		f.Header[field.Name] = append(f.Header[field.Name], field.Value)
	}
	if v.Rewrite {
		body = v.Body
	}
	f.SetBytes(body)
	w.Forward = f
	return w
}

type fields [][2]string

func (f fields) Values(name string) (values []string) {
	for _, field := range f {
		if strings.EqualFold(field[0], name) {
			values = append(values, field[1])
		}
	}
	return values
}
