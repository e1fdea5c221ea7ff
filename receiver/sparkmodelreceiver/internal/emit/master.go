package emit

import (
	"net"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/master"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/metadata"
)

// Standalone adds a standalone cluster.
func (b *Builder) Standalone(s *master.State) {
	m := b.mb.ForSparkMaster(metadata.NewSparkMasterEntity(b.cluster))
	m.RecordSparkMasterCoreLimitDataPoint(b.ts, s.Cores)
	m.RecordSparkMasterCoreUsageDataPoint(b.ts, s.CoresUsed)
	m.RecordSparkMasterMemoryLimitDataPoint(b.ts, mib(s.Memory))
	m.RecordSparkMasterMemoryUsageDataPoint(b.ts, mib(s.MemoryUsed))
	m.RecordSparkMasterDriversDataPoint(b.ts, int64(len(s.Drivers)))

	var running, waiting int64
	for i := range s.Active {
		if s.Active[i].State == "RUNNING" {
			running++
		} else {
			waiting++
		}
	}
	m.RecordSparkMasterApplicationsDataPoint(b.ts, running, metadata.AttributeSparkMasterApplicationStateRunning)
	m.RecordSparkMasterApplicationsDataPoint(b.ts, waiting, metadata.AttributeSparkMasterApplicationStateWaiting)

	states := map[string]int64{}
	for i := range s.Workers {
		w := &s.Workers[i]
		states[w.State]++
		id := net.JoinHostPort(w.Host, strconv.Itoa(w.Port))
		m.RecordSparkWorkerHeartbeatAgeDataPoint(b.ts, max(0, s.Now.Sub(time.UnixMilli(w.LastHeartbeat)).Seconds()), id)
		if w.State != "ALIVE" {
			continue // what it says of its cores and memory was so when it was alive
		}
		m.RecordSparkWorkerCoreLimitDataPoint(b.ts, w.Cores, id)
		m.RecordSparkWorkerCoreUsageDataPoint(b.ts, w.CoresUsed, id)
		m.RecordSparkWorkerMemoryLimitDataPoint(b.ts, mib(w.Memory), id)
		m.RecordSparkWorkerMemoryUsageDataPoint(b.ts, mib(w.MemoryUsed), id)
	}
	for _, state := range []struct {
		name      string
		attribute metadata.AttributeSparkWorkerState
	}{
		{"ALIVE", metadata.AttributeSparkWorkerStateAlive},
		{"DEAD", metadata.AttributeSparkWorkerStateDead},
		{"DECOMMISSIONED", metadata.AttributeSparkWorkerStateDecommissioned},
		{"UNKNOWN", metadata.AttributeSparkWorkerStateUnknown},
	} {
		m.RecordSparkMasterWorkersDataPoint(b.ts, states[state.name], state.attribute)
	}
	m.Emit()
	// Nothing of it adds up, so nothing has a beginning.
	b.collect(starts{resource: pcommon.Timestamp(0)})
}
