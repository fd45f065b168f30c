package main

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

var filePlaceholder = regexp.MustCompile(`\{file\.[^{}]+\}`)

// replaceFiles replaces {file./path} in all text by what is in the file, so
// that a secret rotates when its file changes.
func replaceFiles(n *yaml.Node) error {
	var errs []error
	if n.Kind == yaml.ScalarNode && filePlaceholder.MatchString(n.Value) {
		n.SetString(filePlaceholder.ReplaceAllStringFunc(n.Value, func(placeholder string) string {
			text, err := readSecret(strings.TrimSuffix(strings.TrimPrefix(placeholder, "{file."), "}"))
			errs = append(errs, err)
			return text
		}))
	}
	for _, child := range n.Content {
		errs = append(errs, replaceFiles(child))
	}
	return errors.Join(errs...)
}

func readSecret(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err == nil && !utf8.Valid(data) {
		err = fmt.Errorf("%s is not UTF-8", path)
	}
	return strings.TrimRight(string(data), "\r\n"), err
}

// standIn stands, while the configuration is checked, for a variable that only
// Envoy knows. It has the form of a secret of any kind.
func standIn(name string) string {
	sum := sha256.Sum256([]byte(name))
	return "whsec_" + base64.StdEncoding.EncodeToString(sum[:])
}
