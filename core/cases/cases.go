// Package cases holds the cases that every host is tested with: configuration,
// requests, time, and what must come out. They lie as JSON under testdata, one
// case a file, a folder a provider, so that tests in any language can read
// them. The core, a real Caddy and a real Envoy run the same cases and must
// agree byte for byte.
//
// Signatures in the cases are made by sign.py, which shares no code with the
// core; expectations are written by go test ./core -update, and read by a
// person.
package cases

import (
	"bytes"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"
	"unicode/utf8"
)

//go:embed testdata
var files embed.FS

// fewest is what must be found at least: a suite that lost its cases fails.
const fewest = 700

// Case is one gate and the requests that it gets, one after the other.
type Case struct {
	// Name is the file's path under testdata without its ending.
	Name string `json:"-"`
	// About says in a line what the case shows.
	About string `json:"about"`
	// Source names where a payload, a secret or a signature was published.
	Source string `json:"source,omitempty"`
	// Config is the gate's configuration.
	Config json.RawMessage `json:"config"`
	// Now is the time of the first step. Where ClockMatters is set, a host with
	// the real clock can't run the case; in all others only receivedAt differs.
	Now          time.Time `json:"now"`
	ClockMatters bool      `json:"clock_matters,omitempty"`
	Steps        []Step    `json:"steps"`
}

// Step is one request, and what must come of it.
type Step struct {
	Request Request `json:"request"`
	// Backend is the status that the backend answers with, 200 if 0.
	Backend int `json:"backend,omitempty"`
	// Later is how much time has passed since the step before, as
	// time.ParseDuration reads it. It needs ClockMatters.
	Later string `json:"later,omitempty"`
	Want  Want   `json:"want"`
}

// Request is a request as the sender sends it.
type Request struct {
	// Method is POST, Target /hook, Scheme https, Host example.com and Client
	// 203.0.113.7 where empty.
	Method string `json:"method,omitempty"`
	Scheme string `json:"scheme,omitempty"`
	Host   string `json:"host,omitempty"`
	Target string `json:"target,omitempty"`
	Client string `json:"client,omitempty"`
	// Sign is the secret with which sign.py makes the signature for the body.
	Sign   string      `json:"sign,omitempty"`
	Header [][2]string `json:"header"`
	// Body is the body, or BodyBase64 where it is no text.
	Body       string `json:"body,omitempty"`
	BodyBase64 string `json:"body_base64,omitempty"`
}

// Want is what must come out: an answer to the sender, or a request to the
// backend.
type Want struct {
	// Outcome is the verdict's word, Code the rejection's.
	Outcome string   `json:"outcome"`
	Code    string   `json:"code,omitempty"`
	Answer  *Answer  `json:"answer,omitempty"`
	Forward *Forward `json:"forward,omitempty"`
}

// Answer is what the sender receives from the gate.
type Answer struct {
	Status int               `json:"status"`
	Header map[string]string `json:"header"`
	Body   string            `json:"body,omitempty"`
}

// Forward is what the backend receives: all fields of the header but those
// that every hop sets (Host, Content-Length).
type Forward struct {
	Method string              `json:"method"`
	Target string              `json:"target"`
	Header map[string][]string `json:"header"`
	Body   string              `json:"body,omitempty"`
	// BodyBase64 stands for Body where it is no text.
	BodyBase64 string `json:"body_base64,omitempty"`
}

// Bytes is the request's body.
func (r *Request) Bytes() []byte { return eitherBody(r.Body, r.BodyBase64) }

// Bytes is the forwarded body.
func (f *Forward) Bytes() []byte { return eitherBody(f.Body, f.BodyBase64) }

// SetBytes is the opposite of Bytes.
func (f *Forward) SetBytes(body []byte) {
	f.Body, f.BodyBase64 = "", ""
	if utf8.Valid(body) {
		f.Body = string(body)
	} else {
		f.BodyBase64 = base64.StdEncoding.EncodeToString(body)
	}
}

func eitherBody(text, encoded string) []byte {
	if encoded == "" {
		return []byte(text)
	}
	body, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil // Load has refused it
	}
	return body
}

// Load reads all cases. A key that a case should not have, a case that shows
// nothing and too few cases are errors.
func Load() ([]Case, error) {
	var all []Case
	err := fs.WalkDir(files, "testdata", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := files.ReadFile(path)
		if err != nil {
			return err
		}
		c, err := parse(data)
		if err != nil {
			return fmt.Errorf("reading case %s: %w", path, err)
		}
		c.Name = strings.TrimSuffix(strings.TrimPrefix(path, "testdata/"), ".json")
		all = append(all, c)
		return nil
	})
	if err == nil && len(all) < fewest {
		err = fmt.Errorf("only %d cases, there must be %d at least", len(all), fewest)
	}
	return all, err
}

func parse(data []byte) (Case, error) {
	var c Case
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return c, err
	}
	if _, err := d.Token(); err != io.EOF {
		return c, errors.New("text after the case")
	}
	if c.About == "" || len(c.Config) == 0 || len(c.Steps) == 0 || c.Now.IsZero() {
		return c, errors.New("about, config, now and steps must be there")
	}
	for i := range c.Steps {
		s := &c.Steps[i]
		s.Request.setDefaults()
		if _, err := base64.StdEncoding.DecodeString(s.Request.BodyBase64); err != nil {
			return c, err
		}
		if s.Later != "" && !c.ClockMatters {
			return c, errors.New("later needs clock_matters")
		}
	}
	return c, nil
}

func (r *Request) setDefaults() {
	for _, d := range []struct {
		field *string
		value string
	}{{&r.Method, "POST"}, {&r.Target, "/hook"}, {&r.Scheme, "https"}, {&r.Host, "example.com"}, {&r.Client, "203.0.113.7"}} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
}

// Encode is the case as its file has it.
func (c *Case) Encode() ([]byte, error) {
	out := *c
	out.Steps = append([]Step(nil), c.Steps...)
	for i := range out.Steps {
		out.Steps[i].Request.cutDefaults()
	}
	return encode(&out)
}

// String is what came out as a case's file has it, for a person to compare.
func (w Want) String() string {
	text, err := encode(w)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	err := e.Encode(v)
	return b.Bytes(), err
}

func (r *Request) cutDefaults() {
	standard := Request{}
	standard.setDefaults()
	for _, d := range [][2]*string{{&r.Method, &standard.Method}, {&r.Target, &standard.Target}, {&r.Scheme, &standard.Scheme}, {&r.Host, &standard.Host}, {&r.Client, &standard.Client}} {
		if *d[0] == *d[1] {
			*d[0] = ""
		}
	}
}
