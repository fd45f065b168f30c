package core

// Code is the machine's word for why a request was rejected: the same in the
// answer, the logs, the metrics and X-Hookward-Would-Reject.
type Code string

// The codes. What each means and which status it has stands in the table of
// rejections below.
const (
	MethodNotAllowed           Code = "method_not_allowed"
	IPDenied                   Code = "ip_denied"
	RateLimited                Code = "rate_limited"
	BodyTooLarge               Code = "body_too_large"
	BodyIncomplete             Code = "body_incomplete"
	ContentEncodingUnsupported Code = "content_encoding_unsupported"
	SignatureMissing           Code = "signature_missing"
	SignatureMalformed         Code = "signature_malformed"
	SignatureMismatch          Code = "signature_mismatch"
	TimestampOutOfRange        Code = "timestamp_out_of_range"
	HandshakeDenied            Code = "handshake_denied"
	PayloadInvalid             Code = "payload_invalid"
	Stale                      Code = "stale"
	DuplicateInFlight          Code = "duplicate_in_flight"
	ReplayStoreUnavailable     Code = "replay_store_unavailable"
	HostMisconfigured          Code = "host_misconfigured"
)

// rejection is what the sender is told for a code: never what would have been
// right, and nothing of what it sent.
type rejection struct {
	status     int
	title      string
	detail     string
	retryAfter int // seconds, 0 for none
}

var rejections = map[Code]rejection{
	MethodNotAllowed:           {405, "Method not allowed", "This webhook endpoint does not take requests of this method.", 0},
	IPDenied:                   {403, "Client not allowed", "This client address may not send to this webhook endpoint.", 0},
	RateLimited:                {429, "Too many requests", "This client sends faster than this webhook endpoint takes.", 1},
	BodyTooLarge:               {413, "Body too large", "The body is larger than this webhook endpoint takes.", 0},
	BodyIncomplete:             {400, "Body incomplete", "The body ended before it was complete.", 0},
	ContentEncodingUnsupported: {415, "Content-Encoding not supported", "This webhook endpoint takes bodies without a Content-Encoding only.", 0},
	SignatureMissing:           {401, "Signature missing", "The request carries no signature or token where the provider puts one.", 0},
	SignatureMalformed:         {401, "Signature malformed", "The signature or token is not of the form that the provider documents.", 0},
	SignatureMismatch:          {401, "Signature mismatch", "The signature or token does not match the request.", 0},
	TimestampOutOfRange:        {401, "Timestamp out of range", "The signed time is outside the tolerance.", 0},
	HandshakeDenied:            {403, "Handshake denied", "The handshake is not one that this webhook endpoint answers.", 0},
	PayloadInvalid:             {400, "Payload invalid", "The body is authentic, but not what the provider's payloads are.", 0},
	Stale:                      {401, "Event too old", "The event is authentic, but older than this webhook endpoint takes.", 0},
	DuplicateInFlight:          {503, "Duplicate in flight", "The same event is being worked on right now. Send it again later.", 5},
	ReplayStoreUnavailable:     {503, "Replay store unavailable", "Whether the event is new can't be told right now. Send it again later.", 10},
	HostMisconfigured:          {503, "Gate misconfigured", "The gate can't carry out its verdict. Its log says what to set.", 30},
}

// problemBase is where each code is explained to people; the code follows as
// the fragment.
const problemBase = "https://github.com/hookward/hookward#"
