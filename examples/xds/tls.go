package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// serverCredentials want a certificate of every Envoy: what it is told holds
// the secrets. Only on the loopback interface may there be none.
func serverCredentials(listen, folder string) (credentials.TransportCredentials, error) {
	if folder == "" {
		if host, _, _ := net.SplitHostPort(listen); !isLoopback(host) {
			return nil, fmt.Errorf("--listen %s: others can reach it, and what is served holds secrets: set --tls, or listen at 127.0.0.1", listen)
		}
		return insecure.NewCredentials(), nil
	}
	certificate, err := tls.LoadX509KeyPair(filepath.Join(folder, "tls.crt"), filepath.Join(folder, "tls.key"))
	if err != nil {
		return nil, err
	}
	authority, err := os.ReadFile(filepath.Join(folder, "ca.crt"))
	if err != nil {
		return nil, err
	}
	clients := x509.NewCertPool()
	if !clients.AppendCertsFromPEM(authority) {
		return nil, fmt.Errorf("%s: no certificate in it", filepath.Join(folder, "ca.crt"))
	}
	return credentials.NewTLS(&tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{certificate},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    clients,
	}), nil
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
