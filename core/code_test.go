package core_test

import (
	"encoding/json"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/hookward/hookward/core"
)

// codes is the table of what a sender receives.
var codes = []struct {
	code   core.Code
	status int
	retry  bool
}{
	{core.MethodNotAllowed, 405, false},
	{core.IPDenied, 403, false},
	{core.RateLimited, 429, true},
	{core.BodyTooLarge, 413, false},
	{core.BodyIncomplete, 400, false},
	{core.ContentEncodingUnsupported, 415, false},
	{core.SignatureMissing, 401, false},
	{core.SignatureMalformed, 401, false},
	{core.SignatureMismatch, 401, false},
	{core.TimestampOutOfRange, 401, false},
	{core.HandshakeDenied, 403, false},
	{core.PayloadInvalid, 400, false},
	{core.Stale, 401, false},
	{core.DuplicateInFlight, 503, true},
	{core.ReplayStoreUnavailable, 503, true},
	{core.HostMisconfigured, 503, true},
}

func TestCodes(t *testing.T) {
	for _, c := range codes {
		v := core.Reject(c.code, instance)
		if v.Kind != core.Refuse || v.Outcome != core.Rejected || v.Code != c.code || v.Status != c.status || v.Secret != -1 {
			t.Errorf("%s: kind %d, outcome %s, code %s, status %d, want %d", c.code, v.Kind, v.Outcome, v.Code, v.Status, c.status)
		}
		checkRejection(t, v, c.retry)
	}
}

// checkRejection checks what every rejection has: RFC 9457's members, and the
// header fields of its status.
func checkRejection(t *testing.T, v *core.Verdict, retry bool) {
	t.Helper()
	header := map[string]string{}
	for _, f := range v.Header {
		if _, twice := header[f.Name]; twice {
			t.Errorf("%s: %s stands twice", v.Code, f.Name)
		}
		header[f.Name] = f.Value
	}
	if header["Content-Type"] != "application/problem+json" || header["Cache-Control"] != "no-store" {
		t.Errorf("%s: header %v", v.Code, header)
	}
	if got := header["WWW-Authenticate"] == "Webhook"; got != (v.Status == 401) {
		t.Errorf("%s: status %d with WWW-Authenticate %q", v.Code, v.Status, header["WWW-Authenticate"])
	}
	seconds, err := strconv.Atoi(header["Retry-After"])
	if retry != (err == nil && 1 <= seconds && seconds <= 30) || !retry && header["Retry-After"] != "" {
		t.Errorf("%s: Retry-After %q", v.Code, header["Retry-After"])
	}
	var problem struct {
		Type, Title, Detail, Instance, Code string
		Status                              int
	}
	if err := json.Unmarshal(v.Body, &problem); err != nil {
		t.Fatalf("%s: %v in %s", v.Code, err, v.Body)
	}
	kind, err := url.Parse(problem.Type)
	if err != nil || !kind.IsAbs() || kind.Fragment != string(v.Code) {
		t.Errorf("%s: type %q", v.Code, problem.Type)
	}
	if problem.Status != v.Status || problem.Code != string(v.Code) || problem.Instance != instance || problem.Title == "" || problem.Detail == "" {
		t.Errorf("%s: %s", v.Code, v.Body)
	}
	if strings.ContainsAny(problem.Title, "\n.") || !strings.HasSuffix(problem.Detail, ".") {
		t.Errorf("%s: a title is a phrase and a detail a sentence: %s", v.Code, v.Body)
	}
}

// The table above misses no code of the package.
func TestCodesAreAll(t *testing.T) {
	source, err := os.ReadFile("code.go")
	if err != nil {
		t.Fatal(err)
	}
	defined := regexp.MustCompile(`(?m)^\t\w+ +Code = "(\w+)"$`).FindAllStringSubmatch(string(source), -1)
	if len(defined) != len(codes) {
		t.Fatalf("%d codes are defined, %d tested", len(defined), len(codes))
	}
	for i, d := range defined {
		if d[1] != string(codes[i].code) {
			t.Errorf("code %d is %s, want %s", i, d[1], codes[i].code)
		}
	}
}

func TestMisconfigured(t *testing.T) {
	for _, v := range []*core.Verdict{core.Misconfigured(instance), core.Reject("a code of tomorrow", instance)} {
		if v.Kind != core.Refuse || v.Status != 503 || v.Code != core.HostMisconfigured {
			t.Errorf("kind %d, status %d, code %s", v.Kind, v.Status, v.Code)
		}
		checkRejection(t, v, true)
	}
}

// A rejection is JSON whatever the host calls the request.
func TestRejectionQuotesTheInstance(t *testing.T) {
	v := core.Misconfigured("\"\\\n\xff")
	var problem struct{ Instance string }
	if err := json.Unmarshal(v.Body, &problem); err != nil || problem.Instance != "\"\\\n\uFFFD" {
		t.Errorf("instance %q: %v", problem.Instance, err)
	}
}

// A host that forgets the correlation id gets an answer, not a panic.
func TestRejectionWithoutInstance(t *testing.T) {
	gate := mustLoad(t, meta+"}")
	_, v := gate.Begin(noon, core.Head{Method: "PUT", Header: fields{}, Client: netip.MustParseAddr("192.0.2.1")})
	if v.Code != core.MethodNotAllowed || answered(v, "Allow") != "GET, POST" {
		t.Errorf("%s, Allow %q", v.Code, answered(v, "Allow"))
	}
	if v.Status != 405 {
		t.Errorf("status %d", v.Status)
	}
}

func TestZeroValuesRefuse(t *testing.T) {
	if (core.Verdict{}).Kind != core.Refuse {
		t.Error("a zero verdict does not refuse")
	}
	var end core.BodyEnd
	if end == core.BodyComplete {
		t.Error("a zero body end is complete")
	}
	var state core.State
	if state != core.Unknown {
		t.Error("a store's zero answer says something")
	}
	var s core.Settlement
	if s != core.LeaveToLease {
		t.Error("a zero settlement settles")
	}
}

func TestSettle(t *testing.T) {
	for _, c := range []struct {
		status int
		whole  bool
		want   core.Settlement
	}{
		{200, true, core.Commit}, {204, true, core.Commit}, {299, true, core.Commit},
		{200, false, core.LeaveToLease}, {299, false, core.LeaveToLease},
		{0, false, core.ReleaseClaims}, {0, true, core.ReleaseClaims},
		{100, true, core.LeaveToLease}, {101, true, core.LeaveToLease}, {199, true, core.LeaveToLease}, {300, true, core.ReleaseClaims},
		{304, true, core.ReleaseClaims}, {404, true, core.ReleaseClaims}, {500, true, core.ReleaseClaims},
		{503, false, core.ReleaseClaims}, {-1, true, core.ReleaseClaims},
	} {
		if got := core.Settle(c.status, c.whole); got != c.want {
			t.Errorf("Settle(%d, %t) = %d, want %d", c.status, c.whole, got, c.want)
		}
	}
}

func TestReserved(t *testing.T) {
	// Every spelling that folds to a name of ours: case, and _ or . for -.
	separators := []string{"-", "_", "."}
	for _, first := range separators {
		for _, second := range separators {
			for _, name := range []string{"x" + first + "hookward" + second + "assurance", "x" + first + "hookward" + second} {
				for _, spelt := range []string{name, strings.ToUpper(name), "X" + name[1:], strings.Replace(name, "ward", "WARD", 1)} {
					if !core.Reserved(spelt) {
						t.Errorf("%q is let through", spelt)
					}
				}
			}
		}
	}
	for _, name := range []string{
		"", "X", "X-Hookward", "X-Hookwards-Assurance", "X--Hookward-Assurance", "Hookward-Assurance", "X-Hub-Signature-256",
		"XX-Hookward-Assurance", " X-Hookward-Assurance", "X-Hookward Assurance", "X-Ho\u212Award-Assurance", "Content-Type",
	} {
		if core.Reserved(name) {
			t.Errorf("%q is taken for ours", name)
		}
	}
}
