package redis

import (
	"bufio"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"
	"go.uber.org/zap"
)

// connect makes the client, in the background. The channel is closed after the
// first attempt.
func (s *Store) connect() <-chan struct{} {
	first := make(chan struct{})
	s.work.Go(func() {
		err := s.tryConnect()
		close(first)
		for pause := 10 * firstPause; err != nil; pause = min(2*pause, lastPause) {
			s.log.Warn("replay store can't be reached: claims are refused until it can, or go over the connections that there were", zap.Error(err))
			if !s.sleep(pause) {
				return
			}
			err = s.tryConnect()
		}
	})
	return first
}

func (s *Store) tryConnect() error {
	client, err := rueidis.NewClient(s.clientOption())
	if err != nil {
		return s.hint(err)
	}
	if before := s.client.Swap(&connected{client, client.Mode() == rueidis.ClientModeCluster}); before != nil {
		s.sleep(patience) // for calls on their way
		before.Close()
	}
	s.warn(client)
	return nil
}

// sleep returns false when the store is closed meanwhile.
func (s *Store) sleep(d time.Duration) bool {
	select {
	case <-s.closing:
		return false
	case <-time.After(d):
		return true
	}
}

func (s *Store) clientOption() rueidis.ClientOption {
	access := s.access.Load()
	o := rueidis.ClientOption{
		InitAddress: s.options.Addresses,
		Username:    access.username,
		Password:    access.password,
		TLSConfig:   access.tls,
		ClientName:  "hookward",

		AlwaysPipelining:  true, // a call given up leaves its connection as it is
		DisableCache:      true,
		DisableRetry:      true, // we repeat what is safe to repeat
		PipelineMultiplex: -1,   // one connection to a server, so that what is sent later comes later
		RingScaleEachConn: 12,   // how many calls may be on their way: 4096
		ConnWriteTimeout:  patience,
		MaxFlushDelay:     20 * time.Microsecond, // lets calls share a packet: a third less CPU time each
	}
	o.Dialer.Timeout = patience
	o.Dialer.KeepAlive = patience // an idle connection is tried this often
	if s.options.Sentinel != "" {
		o.Sentinel = rueidis.SentinelOption{MasterSet: s.options.Sentinel, TLSConfig: access.tls, Dialer: o.Dialer}
	}
	return o
}

// hint adds what to do about an error whose text doesn't say.
func (s *Store) hint(err error) error {
	if len(s.options.Addresses) > 1 && s.options.Sentinel == "" && strings.Contains(strings.ToLower(err.Error()), "cluster") {
		return fmt.Errorf("redis: several addresses are those of a Cluster, or of Sentinels with \"sentinel <master>\": %w", err)
	}
	return fmt.Errorf("redis: %w", err)
}

const oldestVersion = 7

// warn says at start what would break a promise later.
func (s *Store) warn(client rueidis.Client) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for address, node := range client.Nodes() {
		text, err := node.Do(ctx, node.B().Info().Build()).ToString()
		if err != nil {
			s.log.Warn("replay store: can't read INFO, so its version and maxmemory-policy are unknown",
				zap.String("address", address), zap.Error(err))
			continue
		}
		for _, problem := range problems(text) {
			s.log.Warn("replay store: "+problem, zap.String("address", address))
		}
	}
}

// problems reads the answer to INFO.
func problems(info string) (found []string) {
	for lines := bufio.NewScanner(strings.NewReader(info)); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ":")
		switch name {
		case "redis_version":
			major, _, _ := strings.Cut(value, ".")
			if n, err := strconv.Atoi(major); err == nil && n < oldestVersion {
				found = append(found, "version "+value+" is too old: it needs Redis 7 or Valkey")
			}
		case "maxmemory_policy":
			if value != "noeviction" {
				found = append(found, "maxmemory-policy is "+value+": a server short of memory would forget claims and let duplicates pass; set it to noeviction")
			}
		}
	}
	return found
}
