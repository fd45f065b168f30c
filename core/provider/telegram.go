package provider

import "time"

// Telegram sends a bot's updates, one in a request. Nothing is signed: the token
// that was given to setWebhook comes along.
// https://core.telegram.org/bots/api#setwebhook
var _ = register(&Provider{
	Name:  "telegram",
	Title: "Telegram",
	Docs:  "https://core.telegram.org/bots/api#setwebhook",
	Auth: Auth{
		Headers:       []string{"X-Telegram-Bot-Api-Secret-Token"},
		AdvisedLength: 32,
	},
	Body:        JSON,
	Retries:     "yes, for some hours",
	Retried:     true,
	Window:      24 * time.Hour,
	Identity:    "update_id",
	ReplayBound: "24 h; nothing is signed: who has learned the token can send what they like",
	Map:         mapTelegram,
})
