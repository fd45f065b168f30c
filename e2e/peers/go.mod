module github.com/hookward/hookward/e2e/peers

go 1.26.0

require (
	github.com/go-playground/webhooks/v6 v6.4.0
	github.com/hookward/hookward v0.0.0
	github.com/line/line-bot-sdk-go/v8 v8.14.0
	github.com/slack-go/slack v0.34.0
	github.com/standard-webhooks/standard-webhooks/libraries v0.0.1
	github.com/stripe/stripe-go/v82 v82.5.1
	github.com/twilio/twilio-go v1.31.0
)

require (
	github.com/golang/mock v1.6.0 // indirect
	github.com/gorilla/websocket v1.5.3 // indirect
	github.com/pkg/errors v0.9.1 // indirect
)

replace github.com/hookward/hookward => ../..
