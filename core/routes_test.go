package core_test

import (
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/hookward/hookward/core"
)

const twoRoutes = `{"routes": [
  {"path": "/hooks/meta/*", "provider": "meta", "secrets": ["{env.META}"], "verify_token": ["{env.VERIFY}"]},
  {"path": "/hooks/other", "name": "other", "provider": "meta", "secrets": ["another"]}],
 "unmatched": "reject",
 "replay": {"store": {"module": "shared", "max_claims": 1000}}}`

func environment(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
}

func TestRoutes(t *testing.T) {
	routes, err := core.ParseRoutes([]byte(twoRoutes))
	if err != nil {
		t.Fatal(err)
	}
	if got := routes.LiteralSecrets(); len(got) != 1 || got[0] != "routes[1].secrets" {
		t.Errorf("LiteralSecrets = %q, want routes[1].secrets", got)
	}
	resolved, err := routes.Resolve(environment(map[string]string{"META": "secret", "VERIFY": "token"}))
	if err != nil {
		t.Fatal(err)
	}
	if got := resolved.Routes[0].Secrets[0]; got != "secret" || routes.Routes[0].Secrets[0] != "{env.META}" {
		t.Errorf("resolved secret = %q, and the original %q", got, routes.Routes[0].Secrets[0])
	}
	router, err := core.NewRouter(resolved)
	if err != nil {
		t.Fatal(err)
	}
	if !router.Rejects() || len(router.Gates()) != 2 || router.Gates()[1].Name() != "other" {
		t.Errorf("router = %v, %v", router.Rejects(), router.Gates())
	}
	store, err := core.ParseSharedStore("replay.store", resolved.Store)
	if err != nil || store.MaxClaims != 1000 {
		t.Errorf("store = %v, %v, want 1000 claims", store, err)
	}
}

// Every mistake is told, each with its place, and no secret with it.
func TestRoutesMistakes(t *testing.T) {
	load := func(config string) error {
		routes, err := core.ParseRoutes([]byte(config))
		if err != nil {
			return err
		}
		if routes, err = routes.Resolve(environment(map[string]string{"EMPTY": "", "SET": "s3cr3t"})); err != nil {
			return err
		}
		if _, err = core.NewRouter(routes); err != nil {
			return err
		}
		_, err = core.ParseSharedStore("replay.store", routes.Store)
		return err
	}
	for name, c := range map[string]struct {
		config string
		want   []string
	}{
		"no JSON":      {`{`, []string{"reading configuration: "}},
		"no object":    {`[]`, []string{"configuration: must be an object"}},
		"no routes":    {`{}`, []string{"routes: is empty"}},
		"unknown keys": {`{"rutes": 1, "replay": {"stor": {}}, "routes": [{"pth": "/"}]}`, []string{"rutes: unknown key", "replay.stor: unknown key", "routes[0].pth: unknown key"}},
		"wrong kinds":  {`{"routes": [{"path": 1, "secrets": "s3cr3t"}, 2], "unmatched": true, "replay": {"store": "s3cr3t"}}`, []string{"routes[0].path: must be a string", "routes[0].secrets: must be a list", "configuration.routes[1]: must be an object", "unmatched: must be a string", "replay.store: must be an object"}},
		"gates": {`{"unmatched": "drop", "routes": [{"path": "hook", "provider": "metta"}, {"provider": "meta", "secrets": [" "]}]}`,
			[]string{`unmatched: unknown word "drop"`, `routes[0].provider: unknown provider "metta"`, "routes[0].secrets: at least one", `routes[0].path: "hook": a path begins with /`, "routes[1].secrets[0]: is empty", "routes[1].path: is missing"}},
		"paths": {`{"routes": [{"path": "/a", "provider": "meta", "secrets": ["x"]}, {"path": "/x/..//%41", "provider": "meta", "secrets": ["x"]}, {"path": "/*", "provider": "meta", "secrets": ["x"]}, {"path": "//*", "provider": "meta", "secrets": ["x"]}, {"path": "/*/b", "provider": "meta", "secrets": ["x"]}]}`,
			[]string{`routes[1].path: "/x/..//%41" stands at another route`, `routes[3].path: "//*" stands at another route`, `routes[4].path: "/*/b": a path begins`}},
		"names": {`{"routes": [{"path": "/a", "provider": "meta", "secrets": ["s3cr3t"]}, {"path": "/b", "provider": "meta", "secrets": ["s3cr3t2"]}, {"path": "/c", "provider": "meta", "secrets": ["s3cr3t"]}]}`,
			[]string{`routes[1].name: routes[0] is named "meta", too`}},
		"placeholders": {`{"routes": [{"path": "/a", "provider": "meta", "secrets": ["{env.UNSET}", "{env.EMPTY}", "{file./s3cr3t}", "{env.SET}"], "public_url": "{env.UNSET}"}]}`,
			[]string{"routes[0].secrets[0]: a placeholder is unknown or empty: give UNSET to the filter by host_env_keys", "routes[0].secrets[1]: a placeholder", "routes[0].secrets[2]: a placeholder is unknown or empty: {env.NAME} is the only kind", "routes[0].public_url: a placeholder"}},
		"store": {`{"routes": [{"path": "/a", "provider": "meta", "secrets": ["x"]}], "replay": {"store": {"module": "memory", "max_claims": 0, "size": 1}}}`,
			[]string{`replay.store.module: unknown store "memory" (known: http, shared)`, "replay.store.max_claims: 0: a whole number", "replay.store.size: unknown key"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := load(c.config)
			if err == nil {
				t.Fatal("no error")
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(c.want) {
				t.Errorf("%d mistakes told, want %d:\n%v", len(lines), len(c.want), err)
			}
			for _, want := range c.want {
				if !strings.Contains("\n"+err.Error(), "\n"+want) {
					t.Errorf("no line begins with %q in:\n%v", want, err)
				}
			}
			if strings.Contains(err.Error(), "s3cr3t") {
				t.Errorf("a secret is told: %v", err)
			}
		})
	}
}

func newRouter(t testing.TB, paths ...string) *core.Router {
	t.Helper()
	var c core.Routes
	for _, p := range paths {
		c.Routes = append(c.Routes, core.Route{Path: p, Config: core.Config{Provider: "meta", Secrets: []string{"x"}}})
	}
	r, err := core.NewRouter(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestMatch(t *testing.T) {
	r := newRouter(t, "/hooks/meta", "/hooks/*", "/hooks/deep/*", "/Ünï/%2a", "/dir/")
	for target, want := range map[string]int{
		"/hooks/meta": 0, "/hooks/meta?a=/x": 0, "/hooks/meta#f": 0,
		"//hooks///meta": 0, "/./hooks/./meta": 0, "/x/../hooks/meta": 0, "/../hooks/meta": 0, "/x/%2e%2E/hooks/meta": 0,
		"/HOOKS/%6deta": 0, "/hooks%2Fmeta": 0, "/%2fhooks/meta": 0,
		"/hooks/": 1, "/hooks/metal": 1, "/hooks/meta/": 1, "/hooks/deep": 1, "/hooks/%256deta": 1, "/hooks/meta%": 1, "/hooks/x/..": 1,
		"/hooks/deep/": 2, "/hooks/deep/x?y": 2, "/hooks/deep/.": 2, "/hooks/deep/x/../..//deep/y": 2,
		"/%C3%BCn%c3%af/*": 3, "/dir/": 4, "/dir/.": 4,
		"/hooks": -1, "/dir": -1, "/": -1, "": -1, "*": -1, "/hook": -1, "/hooks/..": -1, "/hooks/../x": -1,
	} {
		if got := r.Match(target); got != want {
			t.Errorf("Match(%q) = %d, want %d", target, got, want)
		}
	}
}

// FuzzMatch holds the matcher against net/url and path: whatever a backend that
// uses them takes for our path, we take for it, too.
func FuzzMatch(f *testing.F) {
	for _, seed := range []string{"/hooks/meta", "//hooks/x/%2e%2e/META", "/hooks/meta/..%2fmeta", "/%68ooks/meta?x", "/a%", "/..", ""} {
		f.Add(seed)
	}
	r := newRouter(f, "/hooks/meta", "/deep/*")
	f.Fuzz(func(t *testing.T, target string) {
		got := r.Match(target)
		if again := r.Match(target); again != got {
			t.Fatalf("Match(%q) = %d, then %d", target, got, again)
		}
		raw, _, _ := strings.Cut(target, "?")
		raw, _, _ = strings.Cut(raw, "#")
		decoded, err := url.PathUnescape(raw)
		if err != nil {
			return
		}
		clean := path.Clean("/" + strings.ToLower(decoded))
		slash := strings.HasSuffix(decoded, "/") || strings.HasSuffix(decoded, "/.") || strings.HasSuffix(decoded, "/..")
		want := -1
		switch {
		case clean == "/hooks/meta" && !slash:
			want = 0
		case strings.HasPrefix(clean, "/deep/") || clean == "/deep" && slash:
			want = 1
		}
		if got != want {
			t.Errorf("Match(%q) = %d, want %d", target, got, want)
		}
	})
}
