package notify

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/alertmanager/nflog"
	"github.com/prometheus/alertmanager/nflog/nflogpb"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/encoding/protodelim"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/state"
)

// retention is how long it is known who was told what. It is Alertmanager's default.
const retention = 5 * 24 * time.Hour

// notificationLog is Alertmanager's log of who was told what, with each entry in the store as soon as it is made.
type notificationLog struct {
	inner *nflog.Log
	store *state.Store
}

// openLog takes up what is in the store. failed is called when the store does not take an entry.
func openLog(ctx context.Context, store *state.Store, logger *slog.Logger, registry prometheus.Registerer, failed func(error)) (*notificationLog, error) {
	inner, err := nflog.New(nflog.Options{Retention: retention, Logger: logger, Metrics: registry})
	if err != nil {
		return nil, err
	}
	l := &notificationLog{inner: inner, store: store}
	for _, entry := range store.All() {
		if err := inner.Merge(entry); err != nil {
			return nil, fmt.Errorf("reading the notification log: %w", err)
		}
	}
	ctx = context.WithoutCancel(ctx)
	inner.SetBroadcast(func(data []byte) {
		entry, err := decode(data)
		if err == nil {
			err = store.Update(ctx, map[string][]byte{keyOf(entry): data}, nil)
		}
		if err != nil {
			failed(err)
		}
	})
	return l, nil
}

// forget drops entries that are too old to matter.
func (l *notificationLog) forget(ctx context.Context, now time.Time) error {
	if _, err := l.inner.GC(); err != nil {
		return err
	}
	var old []string
	for key, data := range l.store.All() {
		if entry, err := decode(data); err != nil || !entry.ExpiresAt.AsTime().After(now) {
			old = append(old, key)
		}
	}
	return l.store.Update(ctx, nil, old)
}

func decode(data []byte) (*nflogpb.MeshEntry, error) {
	var entry nflogpb.MeshEntry
	err := protodelim.UnmarshalFrom(bytes.NewReader(data), &entry)
	return &entry, err
}

func keyOf(entry *nflogpb.MeshEntry) string {
	receiver := entry.Entry.Receiver
	return fmt.Sprintf("%s %s/%s/%d", entry.Entry.GroupKey, receiver.GroupName, receiver.Integration, receiver.Idx)
}
