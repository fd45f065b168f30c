package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hookward/hookward/e2e/hosts"
)

// TestXDSOverTLS: with --tls an Envoy with the CA's certificate is served, and
// one with another is not.
func TestXDSOverTLS(t *testing.T) {
	module, folder := hosts.BuildWasm(t, "./envoy-wasm"), certificates(t)
	f := newFleet(t)
	f.startPlane(t, module, "--tls", folder)
	envoy := hosts.StartEnvoy(t, hosts.NewestEnvoy(t), f.tlsBootstrap(t, folder, folder))
	if envoy.Addresses(t)["hooks"] == "" {
		t.Error("Envoy has no listener")
	}
	stranger := hosts.RunEnvoy(t, hosts.NewestEnvoy(t), f.tlsBootstrap(t, folder, certificates(t)))
	sentAway := regexp.MustCompile(`(?m)^cluster\.control_plane\.upstream_cx_destroy: [1-9]`)
	eventually(t, "the control plane sends the stranger away", func() bool { return sentAway.MatchString(stranger.Get("/stats")) })
	if dump := stranger.Get("/config_dump"); !strings.Contains(dump, "control_plane") || strings.Contains(dump, firstSecret) {
		t.Error("an Envoy with a stranger's certificate is told the secret")
	}
}

// tlsBootstrap is the example's with its TLS, the CA from one folder and Envoy's
// own certificate from another.
func (f *xdsFleet) tlsBootstrap(t *testing.T, ca, own string) object {
	t.Helper()
	bootstrap := f.bootstrap(t)
	socket := exampleYAML(t, "xds/transport_socket.yaml", "/etc/envoy/tls/ca.crt", ca+"/ca.crt", "/etc/envoy/tls", own)
	cluster := bootstrap["static_resources"].(object)["clusters"].([]any)[0].(object)
	cluster["transport_socket"] = socket["transport_socket"]
	return bootstrap
}

// certificates makes a folder with a CA that is its own server and client.
func certificates(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"control-plane.example.com"},
		IsCA: true, BasicConstraintsValid: true,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for name, block := range map[string]*pem.Block{
		"ca.crt": {Type: "CERTIFICATE", Bytes: certificate}, "tls.crt": {Type: "CERTIFICATE", Bytes: certificate}, "tls.key": {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(filepath.Join(folder, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}
