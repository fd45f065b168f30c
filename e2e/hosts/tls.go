package hosts

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// CA is a certificate authority of the test's own.
type CA struct {
	// PEM is its certificate, and File a file with it.
	PEM  []byte
	File string

	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewCA makes a certificate authority.
func NewCA(t testing.TB) *CA {
	t.Helper()
	ca := &CA{cert: certificate("test authority"), key: newKey(t)}
	ca.cert.IsCA, ca.cert.BasicConstraintsValid, ca.cert.KeyUsage = true, true, x509.KeyUsageCertSign
	ca.PEM = ca.sign(t, ca.cert, ca.key)
	ca.File = write(t, t.TempDir(), "ca.pem", ca.PEM)
	return ca
}

// Issue writes a certificate for 127.0.0.1 and its key into files.
func (ca *CA) Issue(t testing.TB) (certFile, keyFile string) {
	t.Helper()
	key, cert := newKey(t), certificate("127.0.0.1")
	cert.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	return write(t, dir, "cert.pem", ca.sign(t, cert, key)),
		write(t, dir, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
}

func (ca *CA) sign(t testing.TB, cert *x509.Certificate, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, cert, ca.cert, &key.PublicKey, ca.key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func certificate(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
	}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func write(t testing.TB, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// StartRedisTLS starts a server that speaks TLS alone.
func StartRedisTLS(t testing.TB, ca *CA, settings ...string) *Redis {
	t.Helper()
	cert, key := ca.Issue(t)
	port, dir := FreePort(t), t.TempDir()
	r := &Redis{Address: fmt.Sprintf("127.0.0.1:%d", port), Dir: dir}
	r.args = append([]string{
		"--port", "0", "--tls-port", fmt.Sprint(port), "--bind", "127.0.0.1", "--dir", dir, "--save", "",
		"--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", ca.File, "--tls-auth-clients", "no",
	}, settings...)
	r.Start(t)
	return r
}
