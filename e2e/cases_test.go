package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookward/hookward/core/cases"
	"github.com/hookward/hookward/e2e/hosts"
)

// hosted are the cases that a host with the real clock can run; the core and
// the compiled filter run the others with a clock of their own.
func hosted(t *testing.T) []cases.Case {
	all, err := cases.Load()
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(c cases.Case) bool { return c.ClockMatters })
}

// caseHeader says to the host which case a request belongs to: all cases lie
// in one configuration, side by side, and it routes by this field and takes it
// out.
const caseHeader = "X-Case"

// caseName is the name of the i-th case's gate: claims of different cases must
// not meet. What comes out is held against the case's own name.
func caseName(i int) string { return fmt.Sprintf("case-%d", i) }

// gateOf is the i-th case's gate in JSON, under the name caseName(i).
func gateOf(t *testing.T, i int, c *cases.Case) map[string]any {
	t.Helper()
	var gate map[string]any
	if err := json.Unmarshal(c.Config, &gate); err != nil {
		t.Fatal(err)
	}
	gate["name"] = caseName(i)
	return gate
}

// runCases runs the hosted cases through a host that has the i-th at address(i).
// What comes out is held against what the core says, byte for byte.
func runCases(t *testing.T, address func(i int) string, backend *hosts.Backend, all []cases.Case) {
	for i := range all {
		c := &all[i]
		t.Run(c.Name, func(t *testing.T) {
			gate := gateOf(t, i, c)
			own := endpointOf(t, c)
			for j := range c.Steps {
				s := &c.Steps[j]
				got := runStep(t, address(i), backend, s, gate["name"].(string))
				compare(t, got.Comparable().WithoutClock().Renamed(caseName(i), own), s.Want.Comparable().WithoutClock())
			}
		})
	}
}

// endpointOf is the name that the case's gate has by itself.
func endpointOf(t *testing.T, c *cases.Case) string {
	t.Helper()
	var named struct{ Name, Provider string }
	if err := json.Unmarshal(c.Config, &named); err != nil {
		t.Fatal(err)
	}
	if named.Name == "" {
		return named.Provider
	}
	return named.Name
}

func runStep(t *testing.T, address string, backend *hosts.Backend, s *cases.Step, name string) cases.Want {
	t.Helper()
	status := s.Backend
	if status == 0 {
		status = http.StatusOK
	}
	backend.Answer(status)
	backend.Take()
	resp, body := send(t, address, &s.Request, name)
	seen := backend.Take()

	got := cases.Want{Outcome: s.Want.Outcome, Code: s.Want.Code} // neither is to be seen from outside
	switch len(seen) {
	case 0:
		got.Answer = &cases.Answer{Status: resp.StatusCode, Header: map[string]string{}, Body: string(body)}
		for name, values := range resp.Header {
			got.Answer.Header[name] = strings.Join(values, ", ")
		}
	case 1:
		got.Forward = forwarded(&seen[0])
		if resp.StatusCode != status {
			t.Errorf("the sender got %d, the backend answered %d", resp.StatusCode, status)
		}
	default:
		t.Fatalf("%d requests reached the backend", len(seen))
	}
	return got
}

func forwarded(seen *hosts.Seen) *cases.Forward {
	f := &cases.Forward{Method: seen.Method, Target: seen.Target, Header: seen.Header}
	f.SetBytes(seen.Body)
	return f
}

// send sends the request as it stands, letter for letter, which net/http would
// not: repeated fields, a target that is no clean URL.
func send(t *testing.T, address string, r *cases.Request, name string) (*http.Response, []byte) {
	t.Helper()
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.Method, r.Target, r.Host)
	for _, f := range r.Header {
		fmt.Fprintf(&b, "%s: %s\r\n", f[0], f[1])
	}
	fmt.Fprintf(&b, "%s: %s\r\n", caseHeader, name)
	fmt.Fprintf(&b, "X-Forwarded-For: %s\r\nX-Forwarded-Proto: %s\r\nX-Forwarded-Host: %s\r\n", r.Client, r.Scheme, r.Host)
	if body := r.Bytes(); len(body) > 0 || r.Method == "POST" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	} else {
		b.WriteString("\r\n")
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	go func() { _, _ = conn.Write(b.Bytes()) }() // a host may answer before it has read all
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: r.Method})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, body
}

func compare(t *testing.T, got, want cases.Want) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}
