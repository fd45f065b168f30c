package e2e

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hookward/hookward/e2e/hosts"
)

// spellings are the ways to write a path that a matcher may read in one way and
// a backend in another.
func spellings(path string) []string {
	last := path[strings.LastIndexByte(path, '/'):]
	inner := path[:1] + strings.ReplaceAll(path[1:], "/", "%2F")
	return []string{
		path, path + "/", path + "//", path + "/.", path + "/..", path + "/x/..", path + "/.." + last, path + "/x",
		"/" + path, "//x/.." + path, "/./" + path[1:], "/x/.." + path, "/x/../.." + path, "/..//.." + path,
		strings.ReplaceAll(path, "/", "//"), strings.ReplaceAll(path, "/", "/./"), strings.ReplaceAll(path, "/", "/;/"),
		strings.ToUpper(path), strings.ToUpper(path[:2]) + path[2:], strings.ReplaceAll(path, "k", "\u212a"),
		inner, strings.ReplaceAll(inner, "%2F", "%2f"), strings.ReplaceAll(inner, "%2F", "%5C"), strings.ReplaceAll(inner, "%2F", `\`),
		"/%2F" + path[1:], "/%2e" + path, "/x/%2e%2e" + path, "/x/%2E%2E%2F" + path[1:], "/x/.%2e" + path, "/x%2F.." + path, "/%252e%252e" + path,
		path + ";x", path + ";", path + "/;x", ";x" + path, "/;x" + path, path + "%3Bx", path + ";/../x",
		path + "%2F", path + "%2F..", path + "%2e", path + "%00", path + "%0a", path + "%20", path + "+", path + "%", path + "%zz", path + "%23", path + "%3F",
		fmt.Sprintf("/%%%02x%s", path[1], path[2:]), fmt.Sprintf("%s%%%02X", path[:len(path)-1], path[len(path)-1]),
		path + "?x", path + "?", path + "/?/..", path + "#x", "/?" + path, "/" + path + "?" + path,
		"http://localhost" + path, "http://localhost/x/.." + path, "http:/" + path, path[1:], "*", "/", "/health",
	}
}

var (
	otherMethods = []string{"GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "post", "X"}
	// elsewhere are fields by which some backends let a request say where it
	// is going, or what has been checked already.
	elsewhere = []string{
		"X-Original-URL: %s", "X-Rewrite-URL: %s", "X-Forwarded-Prefix: %s", "X-HTTP-Method-Override: GET",
		"X-Hookward-Assurance: signature", "X_Hookward_Assurance: signature", "Connection: X-Hookward-Version",
	}
)

// walkAround tries to bring an unsigned request to the backend.
func (s *site) walkAround(t *testing.T, backend *hosts.Backend, path string) {
	t.Helper()
	backend.Take()
	try := func(method, target string, header ...string) {
		status := s.send(t, method, target, header)
		for _, seen := range backend.Take() {
			if !s.mayPass(seen) {
				t.Errorf("%s %s %q reached the backend as %s with %v", method, target, header, seen.Target, seen.Header)
			}
		}
		if !s.reportOnly && (status < 400 || status >= 500) {
			t.Errorf("%s %s %q is answered %d", method, target, header, status)
		}
	}
	for _, target := range spellings(path) {
		try("POST", target)
	}
	for _, method := range otherMethods {
		try(method, path)
	}
	for _, field := range elsewhere {
		field = strings.Replace(field, "%s", path, 1)
		try("POST", path, field)
		try("POST", "/", field)
	}
}

// mayPass says that the request is Caddy's own, or came through a gate that
// reports only and says so.
func (s *site) mayPass(seen hosts.Seen) bool {
	if seen.Method == "GET" && seen.Target == "/health" && seen.Header.Get("X-Forwarded-For") == "" {
		return true
	}
	return s.reportOnly && seen.Header.Get("X-Hookward-Would-Reject") != "" && seen.Header.Get("X-Hookward-Assurance") == "none"
}

// send sends a request letter for letter and returns the answer's status.
func (s *site) send(t *testing.T, method, target string, header []string) int {
	t.Helper()
	conn, err := s.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	fields := ""
	for _, field := range header {
		fields += field + "\r\n"
	}
	fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: localhost\r\n%sContent-Length: 2\r\n\r\n{}", method, target, fields)
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func (s *site) dial() (net.Conn, error) {
	if s.https {
		return tls.Dial("tcp", s.address, &tls.Config{InsecureSkipVerify: true, ServerName: "localhost"})
	}
	return net.Dial("tcp", s.address)
}

// awaitCertificate waits for the certificate, which Caddy makes when it serves
// already.
func (s *site) awaitCertificate(t *testing.T) {
	t.Helper()
	eventually(t, "the certificate is there", func() bool {
		conn, err := s.dial()
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}

// TestVobizAnswersNoPlainHTTP: the example promises HTTPS only.
func TestVobizAnswersNoPlainHTTP(t *testing.T) {
	backend := hosts.StartBackend(t)
	i := 0
	for examples[i].folder != "vobiz" {
		i++
	}
	s := examples[i].prepare(t, backend)
	s.run(t, readmeCommands(t, s.folder))
	backend.Take()
	s.https = false
	if status := s.send(t, "POST", s.paths[0], nil); status != http.StatusBadRequest || len(backend.Take()) > 0 {
		t.Errorf("plain HTTP is answered %d", status)
	}
}
