package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookward/hookward/e2e/hosts"
	"github.com/hookward/hookward/e2e/sign"
)

// TestEnvoyAround is of what stands around the filter in Envoy: answers that Envoy
// makes of its own, access logs, and what proxies before it have added.
func TestEnvoyAround(t *testing.T) {
	t.Parallel()
	const verifyToken = "an-invented-verify-token-0001"
	keyed := `{"routes": [{"path": "/at", "name": "at", "provider": "africastalking", "secrets": ["` + secret + `"]},
		{"path": "/meta", "name": "hs", "provider": "meta", "secrets": ["` + secret + `"], "verify_token": ["` + verifyToken + `"]}]}`
	log := filepath.Join(t.TempDir(), "access.log")
	backend := &recorder{}
	var listeners []object
	add := func(name, config, cluster string, change func(manager object)) {
		l := hosts.Listener(name, cluster, setup{config: config}.filter(t, name))
		change(hosts.ManagerOf(l))
		listeners = append(listeners, l)
	}
	add("up", envoyGate, "backend", func(object) {})
	add("down", envoyGate, "dead", func(object) {})
	add("mapped", envoyGate, "dead", func(m object) {
		m["local_reply_config"] = object{"mappers": []any{object{"status_code": 200, "filter": object{"status_code_filter": object{
			"comparison": object{"op": "EQ", "value": object{"default_value": 503, "runtime_key": "x"}}}}}}}
	})
	add("inside", envoyGate, "backend", func(m object) { // Envoy takes the sender for one of its own network
		delete(m, "xff_num_trusted_hops")
		m["internal_address_config"] = object{"cidr_ranges": []any{object{"address_prefix": "127.0.0.0", "prefix_len": 8}}}
	})
	add("second", keyed, "backend", func(m object) { // behind another Envoy
		delete(m, "xff_num_trusted_hops")
		m["use_remote_address"] = false
	})
	add("logged", keyed, "backend", func(m object) {
		m["request_timeout"] = "0.5s"
		m["access_log"] = []any{object{"name": "file", "typed_config": object{
			"@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog", "path": log}}}
	})
	add("reports", strings.Replace(named("reports"), `"/hook",`, `"/hook", "report_only": true,`, 1), "backend", func(object) {})
	envoy := hosts.StartEnvoy(t, hosts.NewestEnvoy(t), hosts.Bootstrap(listeners, hosts.Cluster("backend", serve(t, backend)),
		hosts.Cluster("dead", fmt.Sprintf("127.0.0.1:%d", hosts.FreePort(t)))), "--concurrency", "1", "--file-flush-interval-msec", "50")
	at := func(name string) *envoySite { return &envoySite{envoy, envoy.Addresses(t)[name]} }
	isNew := func(t *testing.T, d sign.Delivery) {
		t.Helper()
		backend.take()
		at("up").send(t, d)
		if len(backend.take()) != 1 {
			t.Error("the backend never had it, and a retry does not reach it: the event is lost")
		}
	}
	with := func(d sign.Delivery, fields ...string) sign.Delivery {
		d.Header = d.Header.Clone()
		for i := 0; i < len(fields); i += 2 {
			d.Header.Set(fields[i], fields[i+1])
		}
		return d
	}

	t.Run("failure to gRPC", func(t *testing.T) {
		d := meta()
		at("down").send(t, with(d, "Content-Type", "application/grpc"))
		isNew(t, d)
	})
	t.Run("failure mapped", func(t *testing.T) {
		d := meta()
		at("mapped").send(t, d)
		isNew(t, d)
	})
	t.Run("time-out as 204", func(t *testing.T) {
		d := meta()
		backend.will(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		at("inside").send(t, with(d, "X-Envoy-Upstream-Rq-Timeout-Alt-Response", "1", "X-Envoy-Upstream-Rq-Timeout-Ms", "20")).want(t, 204)
		backend.will(nil)
		isNew(t, d)
	})
	t.Run("rejection to gRPC", func(t *testing.T) {
		d := with(meta(), "Content-Type", "application/grpc")
		d.Body += " "
		at("up").send(t, d).want(t, 401)
	})
	withKey := func() sign.Delivery {
		d := sign.New("africastalking", secret, "", "/at?a=b&apiKey="+secret)
		d.Header.Del("X-Api-Key")
		return d
	}
	t.Run("copies of the target", func(t *testing.T) {
		at("second").send(t, with(withKey(), "X-Envoy-Original-Path", "/public?apiKey="+secret, "X-Forwarded-Uri", "/at?apiKey="+secret)).want(t, 200)
		if seen := fmt.Sprint(backend.one(t).Header); strings.Contains(seen, secret) {
			t.Errorf("the backend saw %s", seen)
		}
	})
	t.Run("access log", func(t *testing.T) {
		s, d := at("logged"), withKey()
		s.send(t, d).want(t, 200)
		s.send(t, d).wantDuplicate(t)
		raw(t, s.Address, headOf(d, lengthOf(d))+d.Body[:5], nil).want(t, 408)
		s.send(t, sign.Delivery{Method: "GET", Target: "/meta?hub.mode=subscribe&hub.challenge=c1&hub.verify_token=" + verifyToken, Header: http.Header{}}).want(t, 200)
		var text []byte
		eventually(t, "four lines", func() bool { text, _ = os.ReadFile(log); return strings.Count(string(text), "\n") == 4 })
		for _, private := range []string{secret, verifyToken} {
			if strings.Contains(string(text), private) {
				t.Errorf("the access log holds %s:\n%s", private, text)
			}
		}
		backend.take()
	})
	t.Run("correlation", func(t *testing.T) {
		d := with(meta(), "X-Request-Id", "11111111-2222-4333-8444-555555555555")
		d.Body += " "
		at("reports").send(t, d).want(t, 200)
		at("reports").waitForLog(t, `passed that would be rejected name="reports" provider="meta" instance="urn:uuid:11111111-2222-4333-8444-555555555555"`)
	})
}
