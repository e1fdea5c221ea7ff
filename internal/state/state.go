// Package state keeps small records in a storage extension. A storage has keys but no list of them, and a write for
// each record would be many: so records are gathered by hash in a fixed number of buckets.
package state

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// Client opens the storage extension of that id for a component. It is nil where no id is configured.
func Client(ctx context.Context, host component.Host, id *component.ID, kind component.Kind, owner component.ID, name string) (storage.Client, error) {
	if id == nil {
		return nil, nil
	}
	extension, found := host.GetExtensions()[*id]
	if !found {
		return nil, fmt.Errorf("storage: there is no extension %q; define it, and list it in service::extensions", id)
	}
	storageExtension, ok := extension.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("storage: the extension %q is no storage", id)
	}
	client, err := storageExtension.GetClient(ctx, kind, owner, name)
	if err != nil {
		return nil, fmt.Errorf("storage: %w", err)
	}
	return client, nil
}

const buckets = 64

// Store is a set of records. A nil client makes one that keeps nothing. It is safe for concurrent use.
type Store struct {
	client storage.Client
	name   string

	mu      sync.Mutex
	buckets [buckets]map[string][]byte
	// changed are the buckets that were not written yet.
	changed map[int]struct{}
}

// Open reads the records of that name.
func Open(ctx context.Context, client storage.Client, name string) (*Store, error) {
	s := &Store{client: client, name: name, changed: map[int]struct{}{}}
	for i := range s.buckets {
		s.buckets[i] = map[string][]byte{}
	}
	if client == nil {
		return s, nil
	}
	ops := make([]*storage.Operation, buckets)
	for i := range ops {
		ops[i] = storage.GetOperation(s.key(i))
	}
	if err := client.Batch(ctx, ops...); err != nil {
		return nil, fmt.Errorf("reading %s from the storage: %w", name, err)
	}
	for i, op := range ops {
		if op.Value == nil {
			continue
		}
		if err := json.Unmarshal(op.Value, &s.buckets[i]); err != nil {
			return nil, fmt.Errorf("reading %s from the storage: %w", op.Key, err)
		}
	}
	return s, nil
}

// All returns a copy of the records.
func (s *Store) All() map[string][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string][]byte{}
	for _, bucket := range s.buckets {
		maps.Copy(all, bucket)
	}
	return all
}

// Update writes and removes records, all or none of them. After an error they are tried again with the next update.
func (s *Store) Update(ctx context.Context, put map[string][]byte, removed []string) error {
	if s.client == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, value := range put {
		s.put(key, value)
	}
	for _, key := range removed {
		s.remove(key)
	}
	return s.write(ctx)
}

// Replace makes these records the only ones. What has not changed is not written.
func (s *Store) Replace(ctx context.Context, records map[string][]byte) error {
	if s.client == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, bucket := range s.buckets {
		for key := range bucket {
			if _, kept := records[key]; !kept {
				s.remove(key)
			}
		}
	}
	for key, value := range records {
		s.put(key, value)
	}
	return s.write(ctx)
}

func (s *Store) put(key string, value []byte) {
	i := bucketOf(key)
	if before, known := s.buckets[i][key]; !known || !bytes.Equal(before, value) {
		s.buckets[i][key] = value
		s.changed[i] = struct{}{}
	}
}

func (s *Store) remove(key string) {
	i := bucketOf(key)
	if _, known := s.buckets[i][key]; known {
		delete(s.buckets[i], key)
		s.changed[i] = struct{}{}
	}
}

func (s *Store) write(ctx context.Context) error {
	if len(s.changed) == 0 {
		return nil
	}
	ops := make([]*storage.Operation, 0, len(s.changed))
	for i := range s.changed {
		value, err := json.Marshal(s.buckets[i])
		if err != nil {
			return err
		}
		ops = append(ops, storage.SetOperation(s.key(i), value))
	}
	if err := s.client.Batch(ctx, ops...); err != nil {
		return err
	}
	clear(s.changed)
	return nil
}

func (s *Store) key(bucket int) string {
	return fmt.Sprintf("%s/%02d", s.name, bucket)
}

func bucketOf(key string) int {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(key))
	return int(hash.Sum32() % buckets)
}
