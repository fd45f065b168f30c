package main

import (
	"context"
	"log/slog"
	"os"
	"time"
)

// lookEvery is how often the file is looked at.
const lookEvery = 250 * time.Millisecond

// watch publishes what the file says, now and whenever that changes, until ctx
// is done. It looks instead of waiting for events: a file in a mounted volume
// changes with a link, and the secrets lie in files of their own.
func watch(ctx context.Context, log *slog.Logger, path string, p *publisher) {
	var seen, tried string
	changes := 0
	for ctx.Err() == nil {
		config, state, err := look(path)
		// What has just changed may be half written: it must look alike twice.
		if state == seen && state != tried {
			tried = state
			if err == nil {
				err = p.publish(ctx, config)
			}
			changes++
			report(log.With("change", changes), err)
		}
		seen = state
		select {
		case <-ctx.Done():
		case <-time.After(lookEvery):
		}
	}
}

// look reads the configuration. The state is another whenever the file, or a
// file that it names, is.
func look(path string) (config *Config, state string, err error) {
	data, err := os.ReadFile(path)
	if err == nil {
		config, err = ParseConfig(data)
	}
	if err != nil {
		return nil, string(data) + err.Error(), err
	}
	return config, string(data) + config.gates, nil
}

func report(log *slog.Logger, err error) {
	if err != nil {
		log.Error("refused, the configuration before serves on", "reason", err)
		return
	}
	log.Info("serving")
}
