package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// programs are the running host and the backend behind it.
type programs struct {
	host      host
	url       string // the host's
	publicURL string
	secrets   map[string]string // by provider
	logFile   string            // the host's
	received  chan []byte       // what the backend has printed
	ended     chan error        // one of the two has ended
	stop      func()
}

// start runs both beside this program. The environment may set the variables of
// the host's configuration; otherwise secrets are made up, and the host listens
// on 8080 if that is free.
func start(ctx context.Context, h host) (*programs, error) {
	dir, err := os.MkdirTemp("", "hookward-")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	p := &programs{
		host: h, secrets: map[string]string{}, logFile: filepath.Join(dir, "host.log"),
		received: make(chan []byte), ended: make(chan error, 2),
	}
	p.stop = func() {
		cancel()
		<-p.ended
		<-p.ended
		os.RemoveAll(dir)
	}
	port := cmp.Or(os.Getenv("PORT"), freePort("8080"))
	backend := cmp.Or(os.Getenv("BACKEND"), "127.0.0.1:"+freePort("9000"))
	p.url = "http://localhost:" + port
	p.publicURL = cmp.Or(os.Getenv("PUBLIC_URL"), p.url)
	env := []string{
		"PUBLIC_URL=" + p.publicURL,
		"META_VERIFY_TOKEN=" + cmp.Or(os.Getenv("META_VERIFY_TOKEN"), rand.Text()),
	}
	for _, g := range gates {
		p.secrets[g.provider] = cmp.Or(os.Getenv(g.secret), rand.Text()+rand.Text())
		env = append(env, g.secret+"="+p.secrets[g.provider])
	}
	addresses := []string{"127.0.0.1:" + port, backend}
	if i := slices.IndexFunc(addresses, listens); i >= 0 {
		return nil, fmt.Errorf("somebody listens on %s already: set PORT or BACKEND to another", addresses[i])
	}
	server, err := h.command(ctx, dir, port, backend, env)
	if err != nil {
		return nil, err
	}
	if err := p.run(ctx, server, backend); err != nil {
		return nil, err
	}
	if err := p.wait(addresses); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

// run starts the two programs; what the backend prints are JSON values.
func (p *programs) run(ctx context.Context, server *exec.Cmd, address string) error {
	log, err := os.Create(p.logFile)
	if err != nil {
		return err
	}
	output, input := io.Pipe()
	go func() {
		for d := json.NewDecoder(output); ; {
			var value json.RawMessage
			if d.Decode(&value) != nil {
				return
			}
			p.received <- value
		}
	}()
	backend := command(ctx, []string{"BACKEND=" + address}, beside("backend"))
	backend.Stdout = input
	server.Stdout, server.Stderr = log, log
	for _, c := range []*exec.Cmd{backend, server} {
		if err := c.Start(); err != nil {
			p.ended <- err
			continue
		}
		go func() { p.ended <- fmt.Errorf("%s has ended: %v", filepath.Base(c.Path), c.Wait()) }()
	}
	return nil
}

// command is a program that is asked to end when ctx does.
func command(ctx context.Context, env []string, path string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, path, args...)
	c.Env = append(os.Environ(), env...)
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = 10 * time.Second
	return c
}

// wait returns when both listen.
func (p *programs) wait(addresses []string) error {
	for _, address := range addresses {
		for deadline := time.Now().Add(20 * time.Second); !listens(address); {
			select {
			case err := <-p.ended:
				p.ended <- err // for stop
				log, _ := os.ReadFile(p.logFile)
				return fmt.Errorf("%w\n%s", err, log)
			case <-time.After(20 * time.Millisecond):
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("nobody listens on %s", address)
			}
		}
	}
	return nil
}

// serve prints what reaches the backend until ctx ends.
func (p *programs) serve(ctx context.Context) error {
	for {
		select {
		case got := <-p.received:
			fmt.Printf("%s\n", got)
		case err := <-p.ended:
			p.ended <- err
			select {
			case <-ctx.Done(): // Ctrl-C goes to the programs, too, and one may end first
				return nil
			case <-time.After(200 * time.Millisecond):
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

func listens(address string) bool {
	c, err := net.DialTimeout("tcp", address, time.Second)
	if err == nil {
		c.Close()
	}
	return err == nil
}

// freePort is the port if nobody listens there, else any free one.
func freePort(port string) string {
	for _, p := range []string{port, "0"} {
		if l, err := net.Listen("tcp", ":"+p); err == nil {
			defer l.Close()
			_, port, _ = net.SplitHostPort(l.Addr().String())
			return port
		}
	}
	return port
}
