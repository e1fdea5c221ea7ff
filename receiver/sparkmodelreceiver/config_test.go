package sparkmodelreceiver

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/discover"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/mapreduce"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/metadata"
)

func loadConfig(t *testing.T, name string) *Config {
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	sub, err := conf.Sub(component.NewIDWithName(metadata.Type, name).String())
	require.NoError(t, err)
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	require.NoError(t, sub.Unmarshal(cfg))
	return cfg
}

func TestConfig(t *testing.T) {
	least := loadConfig(t, "least")
	require.NoError(t, confmap.Validate(least))
	assert.Equal(t, []string{"http://rm1:8088", "http://rm2:8088"}, least.YARN.Get().Endpoints)
	assert.Equal(t, 10*time.Second, least.ControllerConfig.CollectionInterval)
	assert.Equal(t, liveTimeout, least.YARN.Get().ClientConfig.Timeout)
	assert.Equal(t, 10*time.Second, least.Stages.MinDuration)
	assert.Equal(t, 50, least.Stages.Max)
	assert.Equal(t, time.Minute, least.DriverMetricsInterval)
	assert.Equal(t, parentLink, least.Traces.Parent)
	assert.Nil(t, least.History.Get())
	assert.Nil(t, least.Driver.Get())
	assert.Nil(t, least.HDFS.Get())
	assert.Nil(t, least.MapReduce.Get())

	all := loadConfig(t, "all")
	require.NoError(t, confmap.Validate(all))
	assert.Equal(t, "prod", all.ClusterName)
	assert.Equal(t, "http://history:18080", all.History.Get().ClientConfig.Endpoint)
	assert.Equal(t, 5*time.Minute, all.History.Get().ClientConfig.Timeout)
	assert.Equal(t, []string{"http://nn1:9870", "http://nn2:9870"}, all.HDFS.Get().NameNodes)
	assert.Equal(t, []string{"http://dn1:9864"}, all.HDFS.Get().DataNodes)
	assert.Equal(t, "http://jobhistory:19888", all.MapReduce.Get().ClientConfig.Endpoint)
	assert.Equal(t, 100, all.MapReduce.Get().MaxTasks)
	assert.Equal(t, []mapreduce.Match{{Group: "TaskCounter"}}, all.MapReduce.Get().Counters)
	assert.Equal(t, []discover.Match{{Name: "churn-.*"}}, all.Applications.Include)
	assert.Equal(t, []discover.Match{{Queue: "root.dev", User: "bob"}}, all.Applications.Exclude)
	assert.Equal(t, time.Minute, all.Stages.MinDuration)
	assert.Equal(t, 5*time.Minute, all.DriverMetricsInterval)
	assert.Equal(t, parentChild, all.Traces.Parent)
	assert.False(t, all.MetricsBuilderConfig.Metrics.SparkExecutorDiskUsage.Enabled)
}

// HDFS can be all that is read, and MapReduce can do without either of its servers.
func TestConfigHadoop(t *testing.T) {
	require.NoError(t, confmap.Validate(loadConfig(t, "hdfs")))
	jobs := loadConfig(t, "mapreduce")
	require.NoError(t, confmap.Validate(jobs))
	assert.Equal(t, defaultCounters, jobs.MapReduce.Get().Counters)
	assert.Equal(t, 5000, jobs.MapReduce.Get().MaxTasks)
	assert.Equal(t, historyTimeout, jobs.MapReduce.Get().ClientConfig.Timeout)
	running := loadConfig(t, "mapreduce_running")
	require.NoError(t, confmap.Validate(running))
	assert.NotNil(t, running.MapReduce.Get())
}

func TestConfigHistory(t *testing.T) {
	cfg := loadConfig(t, "history")
	require.NoError(t, confmap.Validate(cfg))
	history := cfg.History.Get()
	assert.True(t, history.Running)
	assert.Equal(t, 24*time.Hour, history.Lookback)
	assert.Equal(t, 50, history.Max)
	assert.Equal(t, historyTimeout, history.ClientConfig.Timeout)
	assert.Equal(t, time.Hour, loadConfig(t, "all").History.Get().Lookback)
	assert.Equal(t, 500, loadConfig(t, "all").History.Get().Max)
}

func TestConfigErrors(t *testing.T) {
	for name, wants := range map[string][]string{
		"none":      {"no source is configured: give at least one of yarn, master, driver, history, hdfs, mapreduce"},
		"bounds":    {"history::lookback must be positive", "history::max must be positive", "queue and tag are told by YARN alone"},
		"endpoint":  {"yarn::endpoint: write endpoints: [http://rm:8088]"},
		"addresses": {"yarn::endpoints[1]: endpoint \"rm2:8088\" must be a URL", "master::endpoints must name at least one address", "driver::endpoints must name at least one address", "history::endpoint: endpoint \"\" must be a URL"},
		"values": {
			"cluster_name must not be empty", "applications::include[0]: name: error parsing regexp", "yarn::direct_drivers[1]: error parsing regexp", "master::direct_drivers[0]: error parsing regexp", "model::name_pattern: error parsing regexp",
			"stages::min_duration must not be negative", "stages::max must not be negative",
			"driver_metrics_interval must not be negative",
			`traces::parent must be link or child, not "sibling"`,
		},
		"no_namenode":    {"hdfs::namenodes must name at least one address"},
		"hdfs_addresses": {"hdfs::endpoint: write namenodes: [http://nn1:9870]", `hdfs::namenodes[0]: endpoint "nn1:9870" must be a URL`, `hdfs::datanodes[1]: endpoint "dn2:9864" must be a URL`},
		"no_jobs": {
			"mapreduce::endpoint must be the address of a JobHistory server, or add yarn", "mapreduce::counters[0]: give at least one of group, name",
			"mapreduce::max_tasks must not be negative",
		},
		"job_address": {`mapreduce::endpoint: endpoint "jobhistory:19888"`, "mapreduce::counters[0]: error parsing regexp"},
		"empty_match": {"applications::exclude[0]: give at least one of name, id, user, queue, tag"},
	} {
		t.Run(name, func(t *testing.T) {
			err := confmap.Validate(loadConfig(t, name))
			require.Error(t, err)
			for _, want := range wants {
				assert.ErrorContains(t, err, want)
			}
		})
	}
}
