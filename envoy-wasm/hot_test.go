package main

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/hookward/hookward/core/cases"
)

var update = flag.Bool("update", false, "write the list of hot functions anew")

const hotFile = "postlink/hot.txt"

// TestHot holds postlink's list of hot functions against what requests run:
// those that a delivery of some provider and channel calls at least once, as the
// core's cases have it. The list may grow old a little, as functions come and
// change their names; make hot writes it anew.
func TestHot(t *testing.T) {
	counts := countCalls(t)
	if len(counts) < 10 {
		t.Fatalf("deliveries of %d providers and channels were counted, there must be 10 at least", len(counts))
	}
	if *update {
		if err := os.WriteFile(hotFile, []byte(strings.Join(hotFunctions(counts), "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	list, err := os.ReadFile(hotFile)
	if err != nil {
		t.Fatal(err)
	}
	const least = 0.95
	hot := strings.Fields(string(list))
	for group, c := range counts {
		if share := c.share(hot); !(share >= least) { // nothing counted is no share
			t.Errorf("of the calls that a delivery of %s makes %.2f are to hot functions, at least %.2f must be: run make hot", group, share, least)
		}
	}
}

// counter counts calls by the names of functions while it is on.
type counter struct {
	on         bool
	deliveries int
	calls      map[string]int
}

func (c *counter) NewFunctionListener(f api.FunctionDefinition) experimental.FunctionListener {
	name := f.Name()
	return experimental.FunctionListenerFunc(func(context.Context, api.Module, api.FunctionDefinition, []uint64, experimental.StackIterator) {
		if c.on {
			c.calls[name]++
		}
	})
}

// share is the part of the calls that go to functions on the list.
func (c *counter) share(list []string) float64 {
	all, listed := 0, 0
	for _, n := range c.calls {
		all += n
	}
	for _, name := range list {
		listed += c.calls[name]
	}
	return float64(listed) / float64(all)
}

func hotFunctions(counts map[string]*counter) (hot []string) {
	for _, c := range counts {
		for name, n := range c.calls {
			if n >= c.deliveries {
				hot = append(hot, name)
			}
		}
	}
	slices.Sort(hot)
	return slices.Compact(hot)
}

// countCalls sends all deliveries of the cases that are forwarded, and counts the
// calls by provider and channel.
func countCalls(t *testing.T) map[string]*counter {
	all, err := cases.Load()
	if err != nil {
		t.Fatal(err)
	}
	now := &counter{}
	h := startModule(experimental.WithFunctionListenerFactory(t.Context(), now), t, linkModule(t))
	counts := map[string]*counter{}
	for i := range all {
		c := &all[i]
		if len(c.Steps) != 1 || c.Steps[0].Want.Forward == nil {
			continue
		}
		group := groupOf(t, c)
		if counts[group] == nil {
			counts[group] = &counter{calls: map[string]int{}}
		}
		id := uint32(1000 * (i + 1))
		h.configure(id, c)
		now.on, now.calls = true, counts[group].calls
		h.step(uint64(id), uint64(id)+1, &c.Steps[0])
		now.on = false
		counts[group].deliveries++
	}
	return counts
}

func groupOf(t *testing.T, c *cases.Case) string {
	var gate struct{ Provider string }
	if err := json.Unmarshal(c.Config, &gate); err != nil {
		t.Fatal(err)
	}
	var body struct{ Events []struct{ Channel string } }
	if json.Unmarshal(c.Steps[0].Want.Forward.Bytes(), &body) != nil || len(body.Events) == 0 {
		return gate.Provider
	}
	return gate.Provider + " " + body.Events[0].Channel
}

// linkModule builds the module and gives it as go build has linked it, with the
// names of its functions.
func linkModule(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hookward.wasm")
	makeModule(t, path)
	code, err := os.ReadFile(path + ".linked")
	if err != nil {
		t.Fatal(err)
	}
	return code
}
