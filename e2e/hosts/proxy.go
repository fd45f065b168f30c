package hosts

import (
	"io"
	"net"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
)

// Proxy is a TCP proxy that can be made to fail in the ways a network does.
type Proxy struct {
	// Address is host and port.
	Address string

	target string
	asked  lockedBuffer
	cut    atomic.Int64 // how many answers are still to be cut off

	mu    sync.Mutex
	conns map[net.Conn]struct{}
	held  chan struct{} // is closed to let answers pass; nil: they do
}

// StartProxy starts a proxy in front of target.
func StartProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{Address: l.Addr().String(), target: target, conns: map[net.Conn]struct{}{}}
	t.Cleanup(func() {
		l.Close()
		p.Pass()
		p.Drop()
	})
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	return p
}

// Hold keeps every answer from now on until Pass: the server hears what it is
// asked, and nobody hears the server.
func (p *Proxy) Hold() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held == nil {
		p.held = make(chan struct{})
	}
}

// Pass lets all answers pass, those that were held first.
func (p *Proxy) Pass() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held != nil {
		close(p.held)
		p.held = nil
	}
}

// key is a claim's key in a command, as Redis and webdis read them.
var key = regexp.MustCompile(`hookward(?::|%3a)([0-9a-f]{32})`)

// Asked counts how often the server has been asked for each claim so far.
func (p *Proxy) Asked() map[string]int {
	times := map[string]int{}
	for _, found := range key.FindAllStringSubmatch(p.asked.String(), -1) {
		times[found[1]]++
	}
	return times
}

// CutAnswers closes the connection instead of passing back the next n answers:
// the request has been carried out, and nobody learns of it.
func (p *Proxy) CutAnswers(n int) { p.cut.Store(int64(n)) }

// Cut is how many answers are still to be cut off.
func (p *Proxy) Cut() int { return int(max(0, p.cut.Load())) }

// Drop closes all connections.
func (p *Proxy) Drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
	clear(p.conns)
}

func (p *Proxy) serve(client net.Conn) {
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		client.Close()
		return
	}
	p.mu.Lock()
	p.conns[client], p.conns[server] = struct{}{}, struct{}{}
	p.mu.Unlock()
	go func() {
		_, _ = io.Copy(server, io.TeeReader(client, &p.asked))
		server.Close()
	}()
	p.answers(client, server)
	client.Close()
	server.Close()
}

func (p *Proxy) answers(client, server net.Conn) {
	buf := make([]byte, 64<<10)
	for {
		n, err := server.Read(buf)
		if err != nil {
			return
		}
		p.mayPass()
		if p.cut.Load() > 0 && p.cut.Add(-1) >= 0 {
			return
		}
		if _, err := client.Write(buf[:n]); err != nil {
			return
		}
	}
}

// mayPass waits while answers are held.
func (p *Proxy) mayPass() {
	p.mu.Lock()
	held := p.held
	p.mu.Unlock()
	if held != nil {
		<-held
	}
}
