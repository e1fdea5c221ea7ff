package sparkmodelreceiver

import (
	"context"
	"errors"
	"regexp"
	"slices"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/metadata"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
)

// Names of the sources, in logs and telemetry.
const (
	sourceYARN      = "yarn"
	sourceMaster    = "master"
	sourceDriver    = "driver"
	sourceHistory   = "history"
	sourceHDFS      = "hdfs"
	sourceMapReduce = "mapreduce"
)

// Requests under way to one server: a live one answers somebody's production job, and a History Server may load an
// event log for each.
const (
	liveConcurrency    = 8
	historyConcurrency = 2
)

// servers are the clients of the configured servers.
type servers struct {
	yarn []*rest.Client
	// direct makes, by source, the client of an application's driver; it has none for sources where that is not wanted.
	direct  map[string]func(address string) (*rest.Client, error)
	masters []*rest.Client
	drivers []*rest.Client
	// nameNodes and dataNodes are those of one HDFS file system.
	nameNodes, dataNodes []*rest.Client
	// jobHistory is nil where none is configured.
	jobHistory *rest.Client
	// history is nil where none is configured.
	history *rest.Client
	close   []func()
}

// newServers returns clients that use the host's authenticators.
func newServers(ctx context.Context, cfg *Config, host component.Host, tel component.TelemetrySettings, tb *metadata.TelemetryBuilder) (*servers, error) {
	s := servers{direct: map[string]func(string) (*rest.Client, error){}}
	var errs []error
	add := func(source string, cc confighttp.ClientConfig, endpoints []string, concurrency int) []*rest.Client {
		hc, err := cc.ToClient(ctx, host.GetExtensions(), tel)
		if err != nil {
			errs = append(errs, err)
			return nil
		}
		s.close = append(s.close, hc.CloseIdleConnections)
		timeout := cc.Timeout
		if timeout <= 0 {
			timeout = liveTimeout
		}
		hc.Timeout = 0 // the client's own deadline covers waiting for the answer and reading it
		var clients []*rest.Client
		for _, endpoint := range endpoints {
			c, err := rest.New(rest.Options{
				Source: source, Endpoint: endpoint, HTTP: hc, Timeout: timeout, Concurrency: concurrency, Observe: observer(tb, source),
			})
			if err != nil {
				errs = append(errs, err)
				continue
			}
			clients = append(clients, c)
		}
		return clients
	}
	allow := func(source string, clients []*rest.Client, hosts []string) {
		patterns, err := hostPatterns(hosts)
		errs = append(errs, err)
		if len(clients) > 0 && len(patterns) > 0 {
			s.direct[source] = directly(clients[0], patterns)
		}
	}
	if c := cfg.YARN.Get(); c != nil {
		s.yarn = add(sourceYARN, c.ClientConfig, c.Endpoints, liveConcurrency)
		allow(sourceYARN, s.yarn, c.DirectDrivers)
	}
	if c := cfg.Master.Get(); c != nil {
		s.masters = add(sourceMaster, c.ClientConfig, c.Endpoints, liveConcurrency)
		allow(sourceMaster, s.masters, c.DirectDrivers)
	}
	if c := cfg.Driver.Get(); c != nil {
		s.drivers = add(sourceDriver, c.ClientConfig, c.Endpoints, liveConcurrency)
	}
	if c := cfg.MapReduce.Get(); c != nil && c.ClientConfig.Endpoint != "" {
		if clients := add(sourceMapReduce, c.ClientConfig, []string{c.ClientConfig.Endpoint}, historyConcurrency); len(clients) > 0 {
			s.jobHistory = clients[0]
		}
	}
	if c := cfg.HDFS.Get(); c != nil {
		s.nameNodes = add(sourceHDFS, c.ClientConfig, c.NameNodes, liveConcurrency)
		s.dataNodes = add(sourceHDFS, c.ClientConfig, c.DataNodes, liveConcurrency)
	}
	if c := cfg.History.Get(); c != nil {
		if clients := add(sourceHistory, c.ClientConfig, []string{c.ClientConfig.Endpoint}, historyConcurrency); len(clients) > 0 {
			s.history = clients[0]
		}
	}
	return &s, errors.Join(errs...)
}

// directly returns clients of drivers whose hosts the patterns name, with the settings of the client of the server that told of them.
// An application chooses what it gives for the address of its driver.
func directly(server *rest.Client, patterns []*regexp.Regexp) func(string) (*rest.Client, error) {
	return func(address string) (*rest.Client, error) {
		u, err := rest.ParseEndpoint(address)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(patterns, func(re *regexp.Regexp) bool { return re.MatchString(u.Hostname()) }) {
			return nil, nil
		}
		u.Path, u.RawPath, u.User = "", "", nil
		return server.At(u), nil
	}
}

func (s *servers) shutdown() {
	for _, c := range s.close {
		c()
	}
}
