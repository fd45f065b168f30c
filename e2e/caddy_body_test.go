package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hookward/hookward/e2e/sign"
)

// smallGate takes bodies of at most 1000 bytes.
var smallGate = strings.Replace(metaGate, "secret", "max_body 1000B\nsecret", 1)

// metaOf is a delivery of Meta's whose body is padded to this many bytes.
func metaOf(size int) (d sign.Delivery) {
	d = meta()
	d.Body += strings.Repeat(" ", size-len(d.Body))
	d.Sign("meta", secret, "")
	return d
}

func chunked(parts ...string) string {
	var b strings.Builder
	for _, part := range parts {
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(part), part)
	}
	return b.String() + "0\r\n\r\n"
}

func wantClosed(t *testing.T, a answer) {
	t.Helper()
	if a.Header.Get("Connection") != "close" {
		t.Errorf("the connection stays open with a body unread: %v", a.Header)
	}
}

// TestCaddyBodyLimit: the limit is exact, however the length is told.
func TestCaddyBodyLimit(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := siteWith(t, backend, smallGate)
	fits := metaOf(1000)
	raw(t, s.Address, headOf(fits, lengthOf(fits))+fits.Body, nil).want(t, 200)
	fits = metaOf(1000)
	raw(t, s.Address, headOf(fits, "Transfer-Encoding: chunked")+chunked(fits.Body[:7], fits.Body[7:]), nil).want(t, 200)
	if n := len(backend.take()); n != 2 {
		t.Fatalf("%d bodies of the exact limit reached the backend, want 2", n)
	}
	tooLarge := metaOf(1001)
	for _, request := range []string{
		headOf(tooLarge, lengthOf(tooLarge)) + tooLarge.Body,
		headOf(tooLarge, "Transfer-Encoding: chunked") + chunked(tooLarge.Body),
	} {
		a := raw(t, s.Address, request, nil)
		a.wantCode(t, 413, "body_too_large")
		wantClosed(t, a)
	}
	backend.none(t)
}

// TestCaddyEndlessBody: what never ends is cut off at the limit.
func TestCaddyEndlessBody(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := siteWith(t, backend, smallGate)
	a := raw(t, s.Address, headOf(meta(), "Transfer-Encoding: chunked"), func(c net.Conn) {
		for chunk := strings.Repeat("x", 1000); ; {
			if _, err := fmt.Fprintf(c, "%x\r\n%s\r\n", len(chunk), chunk); err != nil {
				return
			}
		}
	})
	a.wantCode(t, 413, "body_too_large")
	wantClosed(t, a)
	backend.none(t)
}

// TestCaddyClosesInPeace: a sender that is refused while it still sends gets to
// read why. A connection that is closed with data unread is reset instead.
func TestCaddyClosesInPeace(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := siteWith(t, backend, smallGate)
	d := metaOf(600_000)
	for _, request := range []string{
		headOf(d, lengthOf(d)) + d.Body,
		headOf(d, "Transfer-Encoding: chunked") + chunked(d.Body),
	} {
		conn, err := net.Dial("tcp", s.Address)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(patience))
		go func() { _, _ = io.WriteString(conn, request) }()
		received, err := io.ReadAll(conn)
		conn.Close()
		if err != nil {
			t.Errorf("after %q: %v", received, err)
			continue
		}
		a, err := readAnswer(bytes.NewReader(received))
		if err != nil {
			t.Fatal(err)
		}
		a.wantCode(t, 413, "body_too_large")
		wantClosed(t, a)
	}
	backend.none(t)
}

// TestCaddyTruncatedBody: a body that ends early was never a delivery.
func TestCaddyTruncatedBody(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := siteWith(t, backend, metaGate)
	d := meta()
	endHere := func(c net.Conn) { _ = c.(*net.TCPConn).CloseWrite() }
	for _, request := range []string{
		headOf(d, fmt.Sprintf("Content-Length: %d", len(d.Body)+1)) + d.Body,
		headOf(d, "Transfer-Encoding: chunked") + strings.TrimSuffix(chunked(d.Body), "0\r\n\r\n"),
		headOf(d, "Transfer-Encoding: chunked") + "zz\r\n" + d.Body,
	} {
		a := raw(t, s.Address, request, endHere)
		a.wantCode(t, 400, "body_incomplete")
	}
	backend.none(t)
}

// TestCaddyStalledBody: a body that does not come is given up when Caddy's own
// timeout ends.
func TestCaddyStalledBody(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := newSite(t, backend)
	s.load(t, "servers {\ntimeouts {\nread_body 200ms\n}\n}", metaGate)
	d := meta()
	raw(t, s.Address, headOf(d, lengthOf(d))+d.Body[:10], nil).wantCode(t, 400, "body_incomplete")
	backend.none(t)
}

// TestCaddySlowBody: a body may come in pieces.
func TestCaddySlowBody(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := siteWith(t, backend, metaGate)
	d := meta()
	raw(t, s.Address, headOf(d, lengthOf(d)), func(c net.Conn) {
		for i := range d.Body {
			if _, err := io.WriteString(c, d.Body[i:i+1]); err != nil {
				return
			}
		}
	}).want(t, 200)
	backend.one(t)
}

// TestCaddyRefusedBodies are refused for what they are.
func TestCaddyRefusedBodies(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := siteWith(t, backend, metaGate)
	gzip, empty, garbage, deep := meta(), meta(), meta(), meta()
	gzip.Header.Set("Content-Encoding", "gzip")
	a := raw(t, s.Address, headOf(gzip, lengthOf(gzip))+gzip.Body, nil)
	a.wantCode(t, 415, "content_encoding_unsupported")
	wantClosed(t, a)
	empty.Body = ""
	s.send(t, empty).wantCode(t, 401, "signature_mismatch")
	empty.Sign("meta", secret, "")
	s.send(t, empty).wantCode(t, 400, "payload_invalid")
	garbage.Body = "\x00\xff{"
	garbage.Sign("meta", secret, "")
	s.send(t, garbage).wantCode(t, 400, "payload_invalid")
	deep.Body = strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000)
	deep.Sign("meta", secret, "")
	s.send(t, deep).wantCode(t, 400, "payload_invalid")
	backend.none(t)
}

// TestCaddyConnectionStaysOpen after a rejection whose body was read: a sender
// with an old secret need not shake hands anew each time.
func TestCaddyConnectionStaysOpen(t *testing.T) {
	t.Parallel()
	s := siteWith(t, &recorder{}, metaGate)
	d := meta()
	d.Sign("meta", "another secret", "")
	a := raw(t, s.Address, headOf(d, lengthOf(d))+d.Body, nil)
	a.wantCode(t, 401, "signature_mismatch")
	if a.Header.Get("Connection") == "close" {
		t.Error("the connection is closed although the body was read")
	}
	unsigned := meta()
	unsigned.Header.Del("X-Hub-Signature-256")
	a = raw(t, s.Address, headOf(unsigned, lengthOf(unsigned))+unsigned.Body, nil)
	a.wantCode(t, 401, "signature_missing")
	wantClosed(t, a)
}

// TestCaddyRequestBodyMaxSize: Caddy's own limit gives the gate's answer.
func TestCaddyRequestBodyMaxSize(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := siteWith(t, backend, "request_body {\nmax_size 400B\n}\n"+metaGate)
	s.send(t, metaOf(1000)).want(t, 413) // which Caddy answers by itself
	d := metaOf(1000)
	raw(t, s.Address, headOf(d, "Transfer-Encoding: chunked")+chunked(d.Body), nil).wantCode(t, 413, "body_too_large")
	backend.none(t)
}

// TestCaddyExpectContinue: a head that is refused asks for no body, one that is
// not asks for it, and the backend is not asked to.
func TestCaddyExpectContinue(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := siteWith(t, backend, metaGate)
	unsigned := meta()
	unsigned.Header.Del("X-Hub-Signature-256")
	raw(t, s.Address, headOf(unsigned, "Expect: 100-continue", lengthOf(unsigned)), nil).wantCode(t, 401, "signature_missing")

	d := meta()
	conn, err := net.Dial("tcp", s.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	_, _ = io.WriteString(conn, headOf(d, "Expect: 100-continue", lengthOf(d)))
	answers := bufio.NewReader(conn)
	if line, err := answers.ReadString('\n'); err != nil || !strings.Contains(line, " 100 ") {
		t.Fatalf("got %q (%v), want 100 Continue", line, err)
	}
	_, _ = io.WriteString(conn, d.Body)
	if resp, err := http.ReadResponse(skipLine(answers), nil); err != nil || resp.StatusCode != 200 {
		t.Fatalf("got %v (%v), want 200", resp, err)
	}
	if seen := backend.one(t); seen.Header.Get("Expect") != "" {
		t.Error("Expect reached the backend")
	}
}

func skipLine(r *bufio.Reader) *bufio.Reader {
	_, _ = r.ReadString('\n')
	return r
}

// TestCaddyReportOnly: everything passes as it came, and says what would have
// become of it.
func TestCaddyReportOnly(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := siteWith(t, backend, strings.Replace(smallGate, "secret", "report_only\nsecret", 1))
	genuine := meta()
	for range 2 { // nothing is claimed
		s.send(t, genuine).want(t, 200)
		seen := backend.one(t)
		if seen.Header.Get("X-Hookward-Assurance") != "signature" || seen.Header.Get("X-Hookward-Would-Reject") != "" ||
			string(seen.Body) != genuine.Body || seen.Header.Get("X-Hub-Signature-256") == "" {
			t.Errorf("a genuine delivery became %v %s", seen.Header, seen.Body)
		}
	}
	forged := meta()
	forged.Sign("meta", "another secret", "")
	s.send(t, forged).want(t, 200)
	seen := backend.one(t)
	if seen.Header.Get("X-Hookward-Assurance") != "none" || seen.Header.Get("X-Hookward-Would-Reject") != "signature_mismatch" || string(seen.Body) != forged.Body {
		t.Errorf("a forged delivery became %v %s", seen.Header, seen.Body)
	}
	for _, method := range []string{"PUT", "DELETE", "PATCH"} {
		other := meta()
		other.Method = method
		s.send(t, other).want(t, 200)
		if seen := backend.one(t); seen.Method != method || seen.Header.Get("X-Hookward-Would-Reject") != "method_not_allowed" || string(seen.Body) != other.Body {
			t.Errorf("%s became %s %v %s", method, seen.Method, seen.Header, seen.Body)
		}
	}
}

// TestCaddyReportOnlyStreams: a body over the limit passes unverified while it
// is still coming.
func TestCaddyReportOnlyStreams(t *testing.T) {
	t.Parallel()
	first := make(chan string, 1)
	rest := make(chan []byte, 1)
	s := siteWith(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := make([]byte, 5000)
		_, _ = io.ReadFull(r.Body, b)
		first <- r.Header.Get("X-Hookward-Would-Reject") + r.Header.Get("X-Hookward-Assurance")
		more, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(500)
		}
		rest <- append(b, more...)
	}), strings.Replace(smallGate, "secret", "report_only\nsecret", 1))
	whole := bytes.Repeat([]byte("0123456789"), 2000)
	for _, framing := range []string{"Content-Length: 20000", "Transfer-Encoding: chunked"} {
		a := raw(t, s.Address, headOf(meta(), framing), func(c net.Conn) {
			text := [3]string{string(whole[:6000]), string(whole[6000:]), ""}
			if framing[0] == 'T' {
				text = [3]string{strings.TrimSuffix(chunked(text[0]), "0\r\n\r\n"), chunked(text[1]), ""}
			}
			_, _ = io.WriteString(c, text[0])
			if got := <-first; got != "body_too_large"+"none" {
				t.Errorf("%s: the backend saw %q", framing, got)
			}
			_, _ = io.WriteString(c, text[1])
		})
		a.want(t, 200)
		if got := <-rest; !bytes.Equal(got, whole) {
			t.Errorf("%s: %d bytes reached the backend, want %d unchanged", framing, len(got), len(whole))
		}
	}
}
