package e2e

import (
	"fmt"
	"maps"
	"os/exec"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/core/provider"
	"github.com/hookward/hookward/core/unified"
	"github.com/hookward/hookward/e2e/hosts"
)

// table is the README's table whose first heading this is, row by row, without
// the marks of code.
func table(t *testing.T, heading string) (rows [][]string) {
	t.Helper()
	_, text, found := strings.Cut(readme(t), "\n| "+heading+" |")
	if !found {
		t.Fatalf("the README has no table of each %s", heading)
	}
	for i, line := range strings.Split(text, "\n") {
		if i < 2 {
			continue // the heading and the line below it
		}
		if !strings.HasPrefix(line, "| ") {
			break
		}
		var row []string
		for cell := range strings.SplitSeq(strings.Trim(line, "|"), "|") {
			row = append(row, strings.TrimSpace(strings.ReplaceAll(cell, "`", "")))
		}
		rows = append(rows, row)
	}
	return rows
}

// TestReadmeExplainsEveryCode: the answer's "type" leads to the table of codes,
// which has those that there are, with their status.
func TestReadmeExplainsEveryCode(t *testing.T) {
	source := fileText(t, "core/code.go")
	want := map[string]string{}
	for _, code := range regexp.MustCompile(`(\w+) +Code = "(\w+)"`).FindAllStringSubmatch(source, -1) {
		status := regexp.MustCompile(code[1] + `: +\{(\d+),`).FindStringSubmatch(source)
		if status == nil {
			t.Fatalf("%s has no status", code[1])
		}
		want[fmt.Sprintf(`<a id="%s"></a>%[1]s`, code[2])] = status[1]
	}
	got := map[string]string{}
	for _, row := range table(t, "code") {
		got[row[0]] = row[1]
	}
	if !maps.Equal(got, want) || len(got) < 16 {
		t.Errorf("the README has\n%v\nthere are\n%v", got, want)
	}
}

// TestReadmeListsEveryOption: the keys of the configuration, by their names in a
// Caddyfile, and the defaults that have a value.
func TestReadmeListsEveryOption(t *testing.T) {
	got := map[string]string{}
	for _, row := range table(t, "directive") {
		got[row[0]] = row[1]
	}
	want := map[string]bool{}
	for f := range reflect.TypeFor[core.Config]().Fields() {
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		want[strings.Replace(key, "secrets", "secret", 1)] = true
	}
	delete(want, "provider") // the directive's argument
	if names := slices.Sorted(maps.Keys(got)); !slices.Equal(names, slices.Sorted(maps.Keys(want))) {
		t.Errorf("the README lists %q, there are %q", names, slices.Sorted(maps.Keys(want)))
	}
	meta, zavu := providersGate(t, "meta"), providersGate(t, "zavu")
	if meta.MaxBody() != 4<<20 || zavu.MaxBody() != 1<<20 || got["max_body"] != "1MiB, Meta 4MiB" {
		t.Errorf("max_body is %d and %d, the README says %q", zavu.MaxBody(), meta.MaxBody(), got["max_body"])
	}
	if !strings.Contains(readme(t), "A delivery has 5,000 events at most") || unified.MaxEvents != 5000 {
		t.Errorf("a delivery has %d events at most", unified.MaxEvents)
	}
	if lease := meta.Replay().Lease; lease != time.Minute || !strings.Contains(readme(t), "`lease` (60s)") {
		t.Errorf("the lease is %s", lease)
	}
}

func providersGate(t *testing.T, name string) *core.Gate {
	t.Helper()
	gate, err := core.New(core.Config{Provider: name, Secrets: []string{secret}})
	if err != nil {
		t.Fatal(err)
	}
	return gate
}

// TestReadmeListsEveryProvider, with its handshake and for how long its events
// are remembered.
func TestReadmeListsEveryProvider(t *testing.T) {
	handshakes := map[provider.HandshakeAnswer]string{provider.Echo: "verify token", provider.SignedToken: "CRC"}
	got := map[string][]string{}
	for _, row := range table(t, "provider") {
		name, _, _ := strings.Cut(row[0], " ")
		got[name] = []string{row[2], row[4]}
	}
	want := map[string][]string{}
	for _, p := range provider.All() {
		handshake := ""
		if p.Handshake != nil {
			handshake = handshakes[p.Handshake.Answer]
		}
		want[p.Name] = []string{handshake, fmt.Sprintf("%d h", p.Window/time.Hour)}
	}
	if !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("the README lists\n%v\nthere are\n%v", got, want)
	}
}

// TestReadmeListsEveryHeader: those that a backend receives.
func TestReadmeListsEveryHeader(t *testing.T) {
	got := map[string]bool{}
	for _, row := range table(t, "header") {
		for name := range strings.SplitSeq(row[0], ", ") {
			got[name] = true
		}
	}
	want := map[string]bool{}
	for _, m := range regexp.MustCompile(`= "(X-Hookward-[\w-]+)"`).FindAllStringSubmatch(fileText(t, "core/headers.go"), -1) {
		want[m[1]] = true
	}
	delete(want, "X-Hookward-Duplicate") // the sender receives it
	if !maps.Equal(got, want) || len(got) < 8 {
		t.Errorf("the README lists\n%v\nthere are\n%v", got, want)
	}
}

// TestReadmeListsEveryStore that Caddy has.
func TestReadmeListsEveryStore(t *testing.T) {
	got := map[string]bool{}
	for _, row := range table(t, "store") {
		if strings.HasPrefix(row[1], "Caddy") {
			got[row[0]] = true
		}
	}
	out, err := exec.Command(hosts.CaddyBinary(t), "list-modules").Output()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for _, name := range strings.Fields(string(out)) {
		if store, ok := strings.CutPrefix(name, "http.webhook.stores."); ok {
			want[store] = true
		}
	}
	if !maps.Equal(got, want) || len(got) < 3 {
		t.Errorf("the README lists %v, there are %v", got, want)
	}
}
