package hookward

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/core/provider"
)

// exchange sends a request and prints it and its answer.
func (o *sendOptions) exchange(p *provider.Provider, r *http.Request) (*answer, error) {
	printRequest(o.out, p, r)
	resp, err := o.client().Do(r)
	if err != nil {
		// net/http's error quotes the URL, where there may be a token.
		return nil, fmt.Errorf("sending to %s: %w%s", r.URL.Host, cause(err), mend(err))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	printAnswer(o.out, resp, body)
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	a := &answer{status: resp.StatusCode, body: body, duplicate: resp.Header.Get("X-Hookward-Duplicate") != ""}
	if resp.Header.Get("Content-Type") == "application/problem+json" {
		_ = json.Unmarshal(body, &a.problem) // a backend's may be of another kind
	}
	return a, nil
}

// judge says what an answer means; one that is not what was asked for is an
// error.
func (o *sendOptions) judge(a *answer) error {
	accepted := a.status/100 == 2
	switch {
	case accepted && o.forge:
		return errors.New("the forgery was accepted: is the gate report_only? Else no gate stands at this path")
	case o.forge && a.problem.Code != core.SignatureMismatch:
		return fmt.Errorf("the forgery was refused, but not for its signature: %s", a.explain())
	case o.forge:
		fmt.Fprintf(o.out, "refused, as a forgery must be: %s\n", a.problem.Code)
	case !accepted:
		return fmt.Errorf("not accepted: %s", a.explain())
	default:
		fmt.Fprintln(o.out, a.explain())
	}
	return nil
}

func (o *sendOptions) client() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: o.insecure}
	return &http.Client{
		Transport:     transport,
		Timeout:       30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func cause(err error) error {
	if e, ok := err.(*url.Error); ok {
		return e.Err
	}
	return err
}

// mend says what to do where no answer came.
func mend(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return ": does the server run?"
	case errors.As(err, new(*tls.CertificateVerificationError)):
		return ": --insecure takes any certificate"
	default:
		return ""
	}
}

const redacted = "[redacted]"

// printRequest prints the request without its body, and without what is secret
// in itself.
func printRequest(w io.Writer, p *provider.Provider, r *http.Request) {
	fmt.Fprintf(w, "> %s %s\n", r.Method, redactQuery(p, r.URL))
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		value := r.Header.Get(name)
		if p.Auth.IsToken() && slices.ContainsFunc(p.Auth.Headers, func(h string) bool { return strings.EqualFold(h, name) }) {
			value = redacted
		}
		fmt.Fprintf(w, "> %s: %s\n", name, value)
	}
}

func redactQuery(p *provider.Provider, u *url.URL) string {
	secret := []string{p.Auth.Query}
	if p.Handshake != nil {
		secret = append(secret, p.Handshake.VerifyToken)
	}
	parts := strings.Split(u.RawQuery, "&")
	for i, part := range parts {
		if name, _, ok := strings.Cut(part, "="); ok && slices.Contains(secret, name) {
			parts[i] = name + "=" + redacted
		}
	}
	shown := *u
	shown.RawQuery = strings.Join(parts, "&")
	return shown.Redacted()
}

func printAnswer(w io.Writer, resp *http.Response, body []byte) {
	fmt.Fprintf(w, "< %s\n", resp.Status)
	for _, name := range slices.Sorted(maps.Keys(resp.Header)) {
		for _, value := range resp.Header[name] {
			fmt.Fprintf(w, "< %s: %s\n", name, value)
		}
	}
	for line := range strings.Lines(string(body)) {
		fmt.Fprintf(w, "< | %s\n", strings.TrimRight(line, "\r\n"))
	}
}

// answer is what came back.
type answer struct {
	status    int
	body      []byte
	duplicate bool
	// problem is the gate's, or empty.
	problem struct {
		Code   core.Code `json:"code"`
		Detail string    `json:"detail"`
	}
}

// explain says an answer in a sentence.
func (a *answer) explain() string {
	switch code := a.problem.Code; {
	case code != "":
		return strings.TrimSpace(fmt.Sprintf("%s: %s %s", code, a.problem.Detail, advice[code]))
	case a.duplicate:
		return "a duplicate: the gate has seen this event before, and the backend doesn't see it again"
	case a.status/100 == 2:
		return "accepted"
	case statusAdvice[a.status] != "":
		return fmt.Sprintf("%d: %s", a.status, statusAdvice[a.status])
	default:
		return fmt.Sprintf("%d: this is not the gate's answer, but the backend's or that of something in front", a.status)
	}
}

// advice is what to look at; the gate itself tells a sender no more than what
// was wrong.
var advice = map[core.Code]string{
	core.MethodNotAllowed:       "Is this gate another provider's?",
	core.IPDenied:               "See allow_ips; behind a proxy, see Caddy's trusted_proxies, or use_remote_address in Envoy, too.",
	core.RateLimited:            "See rate_limit.",
	core.BodyTooLarge:           "See max_body.",
	core.SignatureMissing:       "Is this gate another provider's?",
	core.SignatureMalformed:     "Is this gate another provider's?",
	core.SignatureMismatch:      "Is the secret the gate's? Where the provider signs the URL, is public_url the one it was given, up to the path? The gate's log says what it tried.",
	core.TimestampOutOfRange:    "Is the clock right, here and there?",
	core.HandshakeDenied:        "Is the verify token the gate's? Is a handshake what was sent?",
	core.PayloadInvalid:         "Is the file the provider's payload as it was sent?",
	core.Stale:                  "See max_age, and the time in the payload.",
	core.DuplicateInFlight:      "The backend has not answered the first one yet.",
	core.ReplayStoreUnavailable: "See the gate's log, and replay.on_error.",
}

var statusAdvice = map[int]string{
	http.StatusNotFound:       "there is no gate at this path, or the backend doesn't know it",
	http.StatusBadGateway:     "the gate took it, and the backend can't be reached or broke off",
	http.StatusGatewayTimeout: "the gate took it, and the backend doesn't answer",
}
