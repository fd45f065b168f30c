// Package provider says, as data, what is known of everyone who sends
// webhooks: how a provider signs, shakes hands, retries and identifies its
// events, and how its payloads map to the unified shape. One file a provider.
package provider

import (
	"slices"
	"time"
)

// Provider is one sender of webhooks. Providers are made once and never
// changed.
type Provider struct {
	// Name is the word in the configuration and in every event.
	Name string
	// Title is the name as people write it.
	Title string
	// Docs is the page of the provider's that this follows.
	Docs string
	// Auth is what makes a delivery authentic.
	Auth Auth
	// Handshake is the request by which the provider asks whether the URL is
	// ours; nil where it has none.
	Handshake *Handshake
	// Methods are those a delivery may have; POST where empty.
	Methods []string
	// Body is how a delivery's body is written.
	Body BodyFormat
	// MaxBody is the default of max_body, in bytes; 1 MiB where 0.
	MaxBody int64
	// Retries says in words when the provider sends a delivery again.
	Retries string
	// Retried says that it does so after an answer that is not 2xx, so that a
	// delivery which is turned away for the moment is not lost.
	Retried bool
	// Window is how long a delivered event is remembered: the retry horizon
	// and a tenth at least.
	Window time.Duration
	// Timed says that every event carries a signed time of its own, so that
	// the clock refuses what the window has forgotten.
	Timed bool
	// Identity says in words what an event is known by.
	Identity string
	// ReplayBound says in words when a captured delivery could pass again.
	ReplayBound string
	// Ack is the plain acknowledgement that stops the provider's retries.
	Ack Ack
	// Map turns an authentic delivery into events.
	Map func(d *Delivery)
}

// Ack is the body of an acknowledgement, often empty.
type Ack struct {
	ContentType, Body string
}

// BodyFormat is how a delivery's body is written.
type BodyFormat string

// The body formats.
const (
	// JSON: an object, whatever the Content-Type says.
	JSON BodyFormat = "json"
	// ByContentType: a form where the Content-Type is
	// application/x-www-form-urlencoded or absent, else JSON.
	ByContentType BodyFormat = "by_content_type"
	// Form: application/x-www-form-urlencoded.
	Form BodyFormat = "form"
	// Query: in the query of a GET, encoded as a form.
	Query BodyFormat = "query"
)

// registry is filled while the package's variables are made and never changed
// after.
var registry = map[string]*Provider{}

// register makes p known by its name. A provider's file calls it for its
// package variable, so that adding a provider touches no other file.
func register(p *Provider) *Provider {
	if registry[p.Name] != nil {
		panic("provider " + p.Name + " is defined twice")
	}
	registry[p.Name] = p
	return p
}

// ByName is the provider of that name, nil if there is none.
func ByName(name string) *Provider { return registry[name] }

// All lists the providers by name.
func All() []*Provider {
	all := make([]*Provider, 0, len(registry))
	for _, p := range registry {
		all = append(all, p)
	}
	for i := range all { // no slices.SortFunc, which makes hookward.wasm larger by 5 %
		for j := i; j > 0 && all[j].Name < all[j-1].Name; j-- {
			all[j], all[j-1] = all[j-1], all[j]
		}
	}
	return all
}

// TakesMethod says that a delivery may come by this method.
func (p *Provider) TakesMethod(method string) bool {
	return slices.Contains(p.DeliveryMethods(), method)
}

// DeliveryMethods are the methods that a delivery may come by.
func (p *Provider) DeliveryMethods() []string {
	if len(p.Methods) == 0 {
		return []string{"POST"}
	}
	return p.Methods
}
