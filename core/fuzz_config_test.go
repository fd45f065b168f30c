package core_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/core/cases"
)

// addConfigs gives f the configurations of all cases and of the tables.
func addConfigs(f *testing.F) {
	all, err := cases.Load()
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range all {
		f.Add([]byte(c.Config))
	}
	for _, m := range mistakes {
		f.Add([]byte(whole(m.config)))
	}
	for _, c := range forms {
		f.Add([]byte(whole(c.config)))
	}
}

// FuzzConfig: a configuration makes a gate or is refused; no error holds a
// secret; what was read, written and read again is the same.
func FuzzConfig(f *testing.F) {
	const mark = "hunter2"
	addConfigs(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		config, err := core.ParseConfig(data)
		if err != nil {
			if strings.Contains(err.Error(), mark) && !strings.Contains(strings.Join(names(data), " "), mark) {
				t.Fatalf("an error of reading holds a value: %v", err)
			}
			return
		}
		checkReadsBack(t, config)
		gate, err := core.New(config)
		if (gate == nil) != (err != nil) {
			t.Fatalf("gate %v with error %v", gate, err)
		}
		for _, list := range [][]string{config.Secrets, config.VerifyToken, config.SignWith} {
			for i := range list {
				list[i] = mark + list[i]
			}
		}
		if _, err := core.New(config); err != nil && strings.Contains(err.Error(), mark) && !strings.Contains(withoutSecrets(t, config), mark) {
			t.Fatalf("an error holds a secret: %v", err)
		}
	})
}

func checkReadsBack(t *testing.T, config core.Config) {
	t.Helper()
	data, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	again, err := core.ParseConfig(data)
	if err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	if twice, err := json.Marshal(again); err != nil || !bytes.Equal(twice, data) {
		t.Fatalf("%s reads back as %s (%v)", data, twice, err)
	}
}

func withoutSecrets(t *testing.T, config core.Config) string {
	t.Helper()
	config.Secrets, config.VerifyToken, config.SignWith = nil, nil, nil
	data, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// names are the member names of a JSON text, all that an error of reading may
// repeat.
func names(data []byte) (all []string) {
	var v any
	if json.Unmarshal(data, &v) != nil {
		return nil
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, member := range v {
				all = append(all, name)
				walk(member)
			}
		case []any:
			for _, e := range v {
				walk(e)
			}
		}
	}
	walk(v)
	return all
}
