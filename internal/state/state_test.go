package state

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

type memory struct {
	storage.Client
	values map[string][]byte
	writes int
	fail   error
}

func (m *memory) Batch(_ context.Context, ops ...*storage.Operation) error {
	if m.fail != nil {
		return m.fail
	}
	for _, op := range ops {
		if op.Type == storage.Get {
			op.Value = m.values[op.Key]
		} else {
			m.values[op.Key] = op.Value
			m.writes++
		}
	}
	return nil
}

func TestRecordsSurvive(t *testing.T) {
	ctx := context.Background()
	m := &memory{values: map[string][]byte{}}
	s, err := Open(ctx, m, "things")
	require.NoError(t, err)
	put := map[string][]byte{}
	for i := range 1000 {
		put[fmt.Sprint(i)] = []byte{byte(i)}
	}
	require.NoError(t, s.Update(ctx, put, nil))
	assert.Equal(t, buckets, m.writes, "a bucket is written once")
	require.NoError(t, s.Update(ctx, nil, []string{"7", "unknown"}))
	assert.LessOrEqual(t, m.writes, buckets+2)
	delete(put, "7")

	again, err := Open(ctx, m, "things")
	require.NoError(t, err)
	assert.Equal(t, put, again.All())
	other, err := Open(ctx, m, "others")
	require.NoError(t, err)
	assert.Empty(t, other.All())
}

func TestFailedWriteIsMadeUpFor(t *testing.T) {
	ctx := context.Background()
	m := &memory{values: map[string][]byte{}}
	s, err := Open(ctx, m, "things")
	require.NoError(t, err)
	m.fail = errors.New("full")
	require.ErrorIs(t, s.Update(ctx, map[string][]byte{"a": {1}}, nil), m.fail)
	m.fail = nil
	require.NoError(t, s.Update(ctx, map[string][]byte{"a": {2}}, nil))
	again, err := Open(ctx, m, "things")
	require.NoError(t, err)
	assert.Equal(t, map[string][]byte{"a": {2}}, again.All())
}

func TestBrokenStorage(t *testing.T) {
	ctx := context.Background()
	_, err := Open(ctx, &memory{fail: errors.New("gone")}, "things")
	require.ErrorContains(t, err, "reading things from the storage: gone")
	_, err = Open(ctx, &memory{values: map[string][]byte{"things/00": []byte("{")}}, "things")
	require.ErrorContains(t, err, "things/00")
}

func TestWithoutStorage(t *testing.T) {
	s, err := Open(context.Background(), nil, "things")
	require.NoError(t, err)
	require.NoError(t, s.Update(context.Background(), map[string][]byte{"a": {1}}, nil))
	assert.Empty(t, s.All())
}

func TestReplaceWritesWhatHasChanged(t *testing.T) {
	ctx := context.Background()
	m := &memory{values: map[string][]byte{}}
	s, err := Open(ctx, m, "things")
	require.NoError(t, err)
	require.NoError(t, s.Update(ctx, map[string][]byte{"kept": {1}, "changed": {1}, "gone": {1}}, nil))
	want := map[string][]byte{"kept": {1}, "changed": {2}, "new": {1}}
	m.fail = errors.New("disk full")
	require.Error(t, s.Replace(ctx, want))
	m.fail = nil
	require.NoError(t, s.Replace(ctx, want), "what was not written is made up for")
	again, err := Open(ctx, m, "things")
	require.NoError(t, err)
	assert.Equal(t, want, again.All())

	writes := m.writes
	require.NoError(t, s.Replace(ctx, want))
	assert.Equal(t, writes, m.writes)
}
