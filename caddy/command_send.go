package hookward

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/hookward/hookward/caddy/send"
	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/core/provider"
)

// sendOptions is one call of "caddy webhook send".
type sendOptions struct {
	provider              string
	config, adapter, name string
	to, publicURL         string
	secret, verifyToken   string
	sample, file          string
	handshake, forge      bool
	repeat                int
	insecure              bool

	in  io.Reader
	out io.Writer
}

func (o *sendOptions) run() error {
	sender, err := o.sender()
	if err != nil {
		return err
	}
	if o.handshake {
		return o.shake(sender)
	}
	payload, err := o.payload(sender)
	if err != nil {
		return err
	}
	sign := sender.Delivery
	if o.forge {
		sign = sender.Forgery
	}
	var failed error // the last one
	for range o.repeat {
		r, err := sign(payload)
		if err != nil {
			return err
		}
		if u := sender.SignedURL(r.URL); u != "" {
			fmt.Fprintf(o.out, "* signed for %s\n", u)
		}
		a, err := o.exchange(sender.Provider, r)
		if err == nil {
			err = o.judge(a)
		}
		failed = cmp.Or(err, failed)
	}
	return failed
}

func (o *sendOptions) shake(sender *send.Sender) error {
	r, challenge, err := sender.Handshake()
	if err != nil {
		return err
	}
	a, err := o.exchange(sender.Provider, r)
	if err != nil {
		return err
	}
	if err := o.judge(a); err != nil {
		return err
	}
	if !sender.Answers(challenge, a.body) {
		return fmt.Errorf("%s wants another answer", sender.Provider.Name)
	}
	return nil
}

// sender puts together what the flags say and, behind them, what the
// configuration says.
func (o *sendOptions) sender() (*send.Sender, error) {
	c := core.Config{
		Provider: o.provider, PublicURL: o.publicURL,
		Secrets: given(o.secret), VerifyToken: given(o.verifyToken),
	}
	if o.to != "" && !strings.Contains(o.to, "://") {
		o.to = "http://" + o.to
	}
	to := o.to
	if o.config != "" {
		e, err := o.endpoint()
		if err != nil {
			return nil, err
		}
		c = o.over(e.gate)
		if to, err = o.target(e); err != nil {
			return nil, err
		}
	}
	switch {
	case c.Provider == "":
		return nil, errors.New("as which provider? Name it, or give a --config with one gate")
	case to == "":
		return nil, errors.New("where to? Give --to or --config")
	}
	if !strings.HasPrefix(to, "http://") && !strings.HasPrefix(to, "https://") {
		return nil, fmt.Errorf("--to %q: a URL is wanted that begins with http:// or https://", to)
	}
	p, err := providerNamed(c.Provider)
	if err != nil {
		return nil, err
	}
	if len(c.Secrets) == 0 && o.needsSecret(p) {
		return nil, errors.New("signed with what? Give --secret, such as --secret {env.NAME}, or --config")
	}
	if o.handshake && p.Handshake != nil && p.Handshake.VerifyToken != "" && len(c.VerifyToken) == 0 {
		return nil, errors.New("with which verify token? Give --verify-token, or the gate one: without it every handshake is denied")
	}
	if c, err = resolvePlaceholders(c); err != nil {
		return nil, errors.New(strings.ReplaceAll(err.Error(), "secrets[0]", "secret"))
	}
	return &send.Sender{
		Provider: p, URL: to, PublicURL: c.PublicURL,
		Secret: first(c.Secrets, ""), VerifyToken: first(c.VerifyToken, ""),
	}, nil
}

// needsSecret says that the secret signs the request, or its answer.
func (o *sendOptions) needsSecret(p *provider.Provider) bool {
	if o.handshake && p.Handshake != nil {
		return p.Handshake.Answer == provider.SignedToken
	}
	return !o.forge
}

func (o *sendOptions) endpoint() (endpoint, error) {
	all, err := readEndpoints(o.config, o.adapter)
	if err != nil {
		return endpoint{}, err
	}
	return choose(all, o.provider, o.name)
}

// over is what a sender needs of a gate's configuration, the flags first.
func (o *sendOptions) over(gate core.Config) core.Config {
	c := core.Config{Provider: gate.Provider, PublicURL: gate.PublicURL, Secrets: gate.Secrets[:1]}
	if len(gate.VerifyToken) > 0 {
		c.VerifyToken = gate.VerifyToken[:1]
	}
	if o.secret != "" {
		c.Secrets = given(o.secret)
	}
	if o.verifyToken != "" {
		c.VerifyToken = given(o.verifyToken)
	}
	if o.publicURL != "" {
		c.PublicURL = o.publicURL
	}
	return c
}

func given(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

// target is the gate's URL, at another server if --to names one.
func (o *sendOptions) target(e endpoint) (string, error) {
	if o.to == "" && e.base == "" {
		return "", errors.New("the configuration does not say where the server is to be reached: give --to")
	}
	if o.to == "" {
		return e.base + e.path, nil
	}
	u, err := url.Parse(o.to)
	if err != nil {
		return "", err
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = e.path
	}
	return u.String(), nil
}

func (o *sendOptions) payload(s *send.Sender) (send.Payload, error) {
	if o.file == "" {
		return send.Sample(s.Provider, o.sample, time.Now())
	}
	in := o.in
	if o.file != "-" {
		f, err := os.Open(o.file)
		if err != nil {
			return send.Payload{}, err
		}
		defer f.Close()
		in = f
	}
	body, err := io.ReadAll(in)
	return send.NewPayload(s.Provider, body), err
}
