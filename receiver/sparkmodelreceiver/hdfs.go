package sparkmodelreceiver

import (
	"context"
	"time"

	"go.uber.org/multierr"
	"golang.org/x/sync/errgroup"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/emit"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/hdfs"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/metadata"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
)

// hdfsSource reads the servers of an HDFS file system.
type hdfsSource struct {
	r         *sparkModelReceiver
	wants     hdfsWants
	nameNodes []*nameNode
	dataNodes []*rest.Client
	found     *emit.HDFS
}

// nameNode is a NameNode, with what is remembered of it from one poll to the next.
type nameNode struct {
	server *rest.Client
	// started is when its process was started; zero until that was asked, and again once it may be another process.
	started time.Time
	// collections counted its garbage collections at the last poll.
	collections float64
}

// hdfsWants tells which answers any enabled metric needs.
type hdfsWants struct{ listed, nameNodeJVM, dataNodeJVM, rpc bool }

func newHDFSSource(r *sparkModelReceiver) *hdfsSource {
	s := &hdfsSource{r: r, wants: wantsOfHDFS(r.cfg.MetricsBuilderConfig.Metrics), dataNodes: r.servers.dataNodes}
	for _, server := range r.servers.nameNodes {
		s.nameNodes = append(s.nameNodes, &nameNode{server: server})
	}
	return s
}

func wantsOfHDFS(m metadata.MetricsConfig) hdfsWants {
	return hdfsWants{
		listed: m.HdfsDatanodeBlocks.Enabled || m.HdfsDatanodeCapacityFree.Enabled || m.HdfsDatanodeCapacityLimit.Enabled ||
			m.HdfsDatanodeCapacityNonDfsUsage.Enabled || m.HdfsDatanodeCapacityUsage.Enabled || m.HdfsDatanodeHeartbeatAge.Enabled ||
			m.HdfsDatanodeStatus.Enabled || m.HdfsDatanodeVolumeFailures.Enabled,
		nameNodeJVM: m.HdfsNamenodeJvmGcCount.Enabled || m.HdfsNamenodeJvmGcTime.Enabled || m.HdfsNamenodeJvmMemoryLimit.Enabled ||
			m.HdfsNamenodeJvmMemoryUsage.Enabled || m.HdfsNamenodeJvmPauseTime.Enabled || m.HdfsNamenodeJvmThreads.Enabled,
		dataNodeJVM: m.HdfsDatanodeJvmGcCount.Enabled || m.HdfsDatanodeJvmGcTime.Enabled || m.HdfsDatanodeJvmMemoryLimit.Enabled ||
			m.HdfsDatanodeJvmMemoryUsage.Enabled || m.HdfsDatanodeJvmPauseTime.Enabled || m.HdfsDatanodeJvmThreads.Enabled,
		rpc: m.HdfsNamenodeRPCCalls.Enabled || m.HdfsNamenodeRPCConnections.Enabled || m.HdfsNamenodeRPCProcessingTime.Enabled ||
			m.HdfsNamenodeRPCQueueLength.Enabled || m.HdfsNamenodeRPCQueueTime.Enabled,
	}
}

func (*hdfsSource) name() string { return sourceHDFS }

func (s *hdfsSource) look(ctx context.Context) {
	nameNodes := make([]emit.NameNode, len(s.nameNodes))
	dataNodes := make([]*emit.DataNode, len(s.dataNodes))
	var group errgroup.Group
	group.SetLimit(readers)
	for i, n := range s.nameNodes {
		group.Go(func() error {
			var err error
			nameNodes[i], err = n.read(ctx, s.wants)
			s.r.answered(ctx, sourceHDFS+" namenode "+n.server.Endpoint(), err)
			return nil
		})
	}
	for i, server := range s.dataNodes {
		group.Go(func() error {
			var err error
			dataNodes[i], err = readDataNode(ctx, server, s.wants)
			s.r.answered(ctx, sourceHDFS+" datanode "+server.Endpoint(), err)
			return nil
		})
	}
	_ = group.Wait() // each server's error was reported
	s.found = &emit.HDFS{NameNodes: nameNodes}
	for _, d := range dataNodes {
		if d != nil {
			s.found.DataNodes = append(s.found.DataNodes, *d)
		}
	}
}

func (s *hdfsSource) handOver() { s.r.builder.HDFS(s.found) }

func (*hdfsSource) delivered() {}

// read asks a NameNode for what it tells of itself and, if it is the active one, of the file system.
func (n *nameNode) read(ctx context.Context, wants hdfsWants) (emit.NameNode, error) {
	out := emit.NameNode{Name: n.server.Address()}
	namesystem, err := hdfs.ReadNamesystem(ctx, n.server)
	if err != nil {
		n.started = time.Time{}
		return out, err
	}
	out.Namesystem = &namesystem
	if wants.nameNodeJVM {
		jvm, failed := hdfs.ReadNameNodeJVM(ctx, n.server)
		if failed == nil {
			out.JVM = &jvm
			n.notice(&jvm)
		}
		err = multierr.Append(err, failed)
	}
	if wants.rpc {
		var failed error
		out.RPC, failed = hdfs.ReadRPC(ctx, n.server)
		err = multierr.Append(err, failed)
	}
	if out.Active() && wants.listed || n.started.IsZero() {
		info, failed := hdfs.ReadNameNodeInfo(ctx, n.server)
		if at, ok := hdfs.Known(info.Started); ok && failed == nil {
			n.started = time.UnixMilli(int64(at))
		}
		out.Listed = info.DataNodes
		err = multierr.Append(err, failed)
	}
	out.Started = n.started
	return out, err
}

// notice forgets when the process was started if it has been started again, which its counters tell.
func (n *nameNode) notice(jvm *hdfs.JVM) {
	collections, _ := hdfs.Known(jvm.GCCount)
	if collections < n.collections {
		n.started = time.Time{}
	}
	n.collections = collections
}

// readDataNode asks a DataNode. It returns nil if the DataNode did not tell which one it is.
func readDataNode(ctx context.Context, server *rest.Client, wants hdfsWants) (*emit.DataNode, error) {
	node, err := hdfs.ReadDataNode(ctx, server)
	if err != nil {
		return nil, err
	}
	out := emit.DataNode{DataNode: node}
	dataset, failed := hdfs.ReadDataset(ctx, server)
	if failed == nil {
		out.Dataset = &dataset
	}
	err = multierr.Append(err, failed)
	if wants.dataNodeJVM {
		jvm, failed := hdfs.ReadDataNodeJVM(ctx, server)
		if failed == nil {
			out.JVM = &jvm
		}
		err = multierr.Append(err, failed)
	}
	return &out, err
}
