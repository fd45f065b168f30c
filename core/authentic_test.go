package core_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"slices"
	"sort"
	"strings"

	"github.com/hookward/hookward/core/provider"
)

// This file says by itself what is authentic, from the providers' descriptions
// and Go's own crypto, so that the core has somebody to disagree with. What it
// computes is the text of a signature, where the core decodes the text.

// header is the request's header with the credential, or with what makes it
// authentic.
func (r *fuzzRequest) header() fields {
	header := fields{{"Content-Type", r.contentType}}
	if credential := r.presented(); credential != "" {
		names := r.provider.Auth.Headers
		header = append(header, [2]string{names[len(names)-1], credential})
	}
	return header
}

// presented is the credential as it is sent.
func (r *fuzzRequest) presented() string {
	if !r.sign {
		return r.credential
	}
	if all := r.credentials(); all != nil {
		return all[0]
	}
	return sealed(r.provider.Auth, "nothing makes this one authentic")
}

// signedTarget is the target; Twilio's names the sum of a body that is no form.
func (r *fuzzRequest) signedTarget() string {
	if r.sign && r.provider.Auth.Signed == provider.URLAndForm && strings.HasSuffix(r.contentType, "json") && !strings.Contains(r.target, "?") {
		sum := sha256.Sum256([]byte(r.body))
		return r.target + "?bodySHA256=" + hex.EncodeToString(sum[:])
	}
	return r.target
}

// authentic says that what is presented is one of those credentials, and the
// only one. Hex may be in capitals.
func (r *fuzzRequest) authentic() bool {
	auth := r.provider.Auth
	if inQuery := queryAll(r.target, auth.Query); auth.Query != "" && len(inQuery) > 0 {
		return len(inQuery) == 1 && inQuery[0] == fuzzSecret && r.presented() == ""
	}
	got := r.presented()
	if auth.PrefixOptional && !strings.HasPrefix(got, auth.Prefix) {
		got = auth.Prefix + got
	}
	if auth.Encoding == provider.Hex && strings.HasPrefix(got, auth.Prefix) {
		got = auth.Prefix + strings.ToLower(got[len(auth.Prefix):])
	}
	return slices.Contains(r.credentials(), got)
}

// credentials are the texts that would make the request authentic; none where
// nothing can.
func (r *fuzzRequest) credentials() (texts []string) {
	auth := r.provider.Auth
	if auth.Algorithm == "" {
		return []string{fuzzSecret}
	}
	messages := []string{r.body}
	if auth.Signed == provider.URLAndForm {
		messages = twilioMessages("https://example.com"+r.signedTarget(), r.method, r.contentType, r.body)
	}
	for _, message := range messages {
		texts = append(texts, auth.Prefix+sealed(auth, message))
	}
	return texts
}

func sealed(auth provider.Auth, message string) string {
	newHash := map[provider.Algorithm]func() hash.Hash{"sha1": sha1.New, "sha256": sha256.New}[auth.Algorithm]
	h := hmac.New(newHash, []byte(fuzzSecret))
	h.Write([]byte(message))
	if auth.Encoding == provider.Hex {
		return hex.EncodeToString(h.Sum(nil))
	}
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// twilioMessages are the strings one of which Twilio may have signed for such a
// request; none where no signature would cover it.
func twilioMessages(url, method, contentType, body string) (messages []string) {
	parameters := ""
	sums := queryAll(url, "bodySHA256")
	mediaType := strings.ToLower(strings.TrimSpace(strings.Split(contentType, ";")[0]))
	switch {
	case method == "GET":
		if body != "" {
			return nil
		}
	case len(sums) > 0:
		sum := sha256.Sum256([]byte(body))
		if len(sums) > 1 || strings.ToLower(sums[0]) != hex.EncodeToString(sum[:]) {
			return nil
		}
	case mediaType == "" || mediaType == "application/x-www-form-urlencoded":
		parameters = twilioParameters(body)
		if len(strings.FieldsFunc(body, isAmpersand)) > 1000 {
			return nil
		}
	default:
		return nil
	}
	for _, u := range twilioURLs(url) {
		messages = append(messages, u+parameters, strings.ReplaceAll(u, "'", "%27")+parameters)
	}
	return messages
}

// twilioParameters is "for name in sorted(set(names)): for value in
// sorted(set(values))", as Twilio's Python library has it.
func twilioParameters(body string) string {
	values := map[string]map[string]bool{}
	for _, part := range strings.FieldsFunc(body, isAmpersand) {
		name, value, _ := strings.Cut(part, "=")
		name, value = unquotePlus(name), unquotePlus(value)
		if values[name] == nil {
			values[name] = map[string]bool{}
		}
		values[name][value] = true
	}
	var out strings.Builder
	for _, name := range sortedKeys(values) {
		for _, value := range sortedKeys(values[name]) {
			out.WriteString(name + value)
		}
	}
	return out.String()
}

func sortedKeys[V any](m map[string]V) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

func isAmpersand(r rune) bool { return r == '&' }

// twilioURLs are the URL as it is, without its port, and with the scheme's own.
func twilioURLs(url string) []string {
	scheme, rest, _ := strings.Cut(url, "://")
	authority := rest
	if end := strings.IndexAny(rest, "/?"); end >= 0 {
		authority = rest[:end]
	}
	tail := rest[len(authority):]
	userinfo, host := "", authority
	if at := strings.LastIndex(authority, "@"); at >= 0 {
		userinfo, host = authority[:at+1], authority[at+1:]
	}
	if colon := strings.LastIndex(host, ":"); colon > strings.LastIndex(host, "]") {
		host = host[:colon]
	}
	port := map[bool]string{true: ":80", false: ":443"}[strings.ToLower(scheme) == "http"]
	return []string{url, scheme + "://" + userinfo + host + tail, scheme + "://" + userinfo + host + port + tail}
}

// unquotePlus decodes as Python's urllib does: what is no escape stays.
func unquotePlus(s string) string {
	parts := strings.Split(strings.ReplaceAll(s, "+", " "), "%")
	var out strings.Builder
	out.WriteString(parts[0])
	for _, part := range parts[1:] {
		if len(part) >= 2 {
			if b, err := hex.DecodeString(part[:2]); err == nil {
				out.WriteString(string(b) + part[2:])
				continue
			}
		}
		out.WriteString("%" + part)
	}
	return out.String()
}

func queryAll(url, name string) (values []string) {
	_, query, _ := strings.Cut(url, "?")
	for _, part := range strings.Split(query, "&") {
		if key, value, _ := strings.Cut(part, "="); unquotePlus(key) == name {
			values = append(values, unquotePlus(value))
		}
	}
	return values
}
