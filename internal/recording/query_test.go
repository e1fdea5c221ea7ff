package recording

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A real History Server's list, queried.
func TestApplicationsAreChosen(t *testing.T) {
	rec, err := Load(filepath.Join("..", "..", "testdata", "recordings", "hadoop-3.5.0.har.zst"))
	require.NoError(t, err)
	p := NewPlayer(rec, PlayerOptions{From: rec.End()})
	server := httptest.NewServer(p.Handler(History))
	defer server.Close()
	chosen := func(query string) []string { return ids(t, server.URL+"/api/v1/applications?"+query) }

	all := chosen("")
	require.NotEmpty(t, all)
	assert.Equal(t, all, chosen("minEndDate=2020-01-01&maxDate=2099-01-01"))
	assert.Equal(t, all, chosen("status=completed&status=running"))
	assert.Equal(t, all[:1], chosen("limit=1"))
	assert.Empty(t, chosen("minDate=2099-01-01"))
	assert.Empty(t, chosen("maxEndDate=2020-01-01"))
	assert.Empty(t, chosen("status=completed&minEndDate="+url.QueryEscape(rec.End().Format("2006-01-02T15:04:05.000GMT"))))
	assert.Empty(t, p.Misses())

	resp, err := http.Get(server.URL + "/api/v1/applications?minDate=now")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, "/api/v1/applications?minDate=now", resp.Header.Get("Recording-Miss"))
}

func ids(t *testing.T, address string) []string {
	resp, err := http.Get(address)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	var list []struct{ ID string }
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&list))
	var ids []string
	for _, item := range list {
		ids = append(ids, item.ID)
	}
	return ids
}

// A real NameNode's beans, queried.
func TestBeansAreChosen(t *testing.T) {
	rec, err := Load(filepath.Join("..", "..", "testdata", "recordings", "hadoop-3.5.0.har.zst"))
	require.NoError(t, err)
	p := NewPlayer(rec, PlayerOptions{From: rec.Start().Add(time.Second)})
	server := httptest.NewServer(p.Handler(NameNode))
	defer server.Close()
	chosen := func(query string) (names []string) {
		resp, err := http.Get(server.URL + "/jmx?qry=" + query)
		require.NoError(t, err)
		defer resp.Body.Close()
		var list struct{ Beans []struct{ Name string } }
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&list))
		for _, bean := range list.Beans {
			names = append(names, bean.Name)
		}
		return names
	}
	assert.Equal(t, []string{"Hadoop:service=NameNode,name=FSNamesystem"}, chosen("Hadoop:service=NameNode,name=FSNamesystem"))
	assert.Equal(t, []string{"Hadoop:service=NameNode,name=FSNamesystem"}, chosen("Hadoop:name=FSNamesystem,service=NameNode"))
	assert.Subset(t, chosen("Hadoop:service=NameNode,*"), []string{"Hadoop:service=NameNode,name=FSNamesystem", "Hadoop:service=NameNode,name=JvmMetrics"})
	assert.Subset(t, chosen("Hadoop:service=NameNode,name=FSName*"), []string{"Hadoop:service=NameNode,name=FSNamesystem", "Hadoop:service=NameNode,name=FSNamesystemState"})
	assert.Empty(t, chosen("Hadoop:service=NameNode"))
	assert.Empty(t, chosen("Hadoop:service=NameNode,name=Nothing"))
	assert.Empty(t, p.Misses())
}
