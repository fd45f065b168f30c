package hosts

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Proxy is a TCP proxy that can be made to fail in the ways a network does.
type Proxy struct {
	// Address is host and port.
	Address string

	target string
	delay  atomic.Int64 // of each piece of an answer
	cut    atomic.Int64 // how many answers are still to be cut off

	mu    sync.Mutex
	conns map[net.Conn]struct{}
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

// Delay holds back every piece of an answer for d.
func (p *Proxy) Delay(d time.Duration) { p.delay.Store(int64(d)) }

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
		_, _ = io.Copy(server, client)
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
		time.Sleep(time.Duration(p.delay.Load()))
		if p.cut.Load() > 0 && p.cut.Add(-1) >= 0 {
			return
		}
		if _, err := client.Write(buf[:n]); err != nil {
			return
		}
	}
}
