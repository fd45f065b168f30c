package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestServerCredentials: only who has a certificate of the CA gets in.
func TestServerCredentials(t *testing.T) {
	folder := t.TempDir()
	ours := certificate(t, folder)
	stranger := certificate(t, t.TempDir())
	for _, test := range []struct {
		name   string
		client []tls.Certificate
		good   bool
	}{{"ours", []tls.Certificate{ours}, true}, {"a stranger's", []tls.Certificate{stranger}, false}, {"none", nil, false}} {
		if err := shakeHands(t, folder, test.client); (err == nil) != test.good {
			t.Errorf("certificate %s: %v", test.name, err)
		}
	}
	for listen, good := range map[string]bool{"127.0.0.1:1": true, "localhost:1": true, "[::1]:1": true, "0.0.0.0:1": false, ":1": false, "10.0.0.1:1": false} {
		if _, err := serverCredentials(listen, ""); (err == nil) != good {
			t.Errorf("without TLS at %s: %v", listen, err)
		}
	}
}

// certificate makes a CA that is its own server and client.
func certificate(t *testing.T, folder string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"tls.crt": {Type: "CERTIFICATE", Bytes: der}, "ca.crt": {Type: "CERTIFICATE", Bytes: der}, "tls.key": {Type: "PRIVATE KEY", Bytes: keyDER},
	} {
		if err := os.WriteFile(filepath.Join(folder, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// shakeHands is what the server says of a client.
func shakeHands(t *testing.T, folder string, client []tls.Certificate) error {
	t.Helper()
	server, err := serverCredentials("0.0.0.0:1", folder)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	near, far := net.Pipe()
	defer near.Close()
	go func() {
		defer far.Close()
		c := tls.Client(far, &tls.Config{InsecureSkipVerify: true, Certificates: client, NextProtos: []string{"h2"}})
		if c.HandshakeContext(ctx) == nil {
			_, _ = c.Read(make([]byte, 1)) // the server's opinion of us
		}
	}()
	_, _, err = server.ServerHandshake(near)
	return err
}
