// Package hdfs reads HDFS's NameNodes and DataNodes over JMX. It has a function for each set of beans that the receiver
// uses, each one request that names the beans, since all of them are 350 kB; it holds no state.
package hdfs

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
)

// The services whose beans are read.
const (
	nameNode = "NameNode"
	dataNode = "DataNode"
)

// ReadNamesystem reads what a NameNode knows of the file system. It is an error if the NameNode does not tell yet,
// because it is starting.
func ReadNamesystem(ctx context.Context, server *rest.Client) (Namesystem, error) {
	var n Namesystem
	err := beans(ctx, server, nameNode, "FSNamesystem*", func(string) any { return &n })
	if err == nil && n.HAState == "" {
		err = missing(server, "FSNamesystem")
	}
	return n, err
}

// ReadRPC reads the activity of each RPC port of a NameNode.
func ReadRPC(ctx context.Context, server *rest.Client) ([]RPC, error) {
	var ports []*RPC
	err := beans(ctx, server, nameNode, "RpcActivityForPort*", func(string) any {
		ports = append(ports, &RPC{})
		return ports[len(ports)-1]
	})
	list := make([]RPC, 0, len(ports))
	for _, p := range ports {
		list = append(list, *p)
	}
	return list, err
}

// ReadNameNodeJVM reads the Java virtual machine of a NameNode.
func ReadNameNodeJVM(ctx context.Context, server *rest.Client) (JVM, error) {
	return readJVM(ctx, server, nameNode)
}

// ReadDataNodeJVM reads the Java virtual machine of a DataNode.
func ReadDataNodeJVM(ctx context.Context, server *rest.Client) (JVM, error) {
	return readJVM(ctx, server, dataNode)
}

func readJVM(ctx context.Context, server *rest.Client, service string) (JVM, error) {
	var jvm JVM
	err := beans(ctx, server, service, "JvmMetrics", func(string) any { return &jvm })
	return jvm, err
}

// ReadNameNodeInfo reads when a NameNode was started, and which DataNodes it knows, in the order of their names.
func ReadNameNodeInfo(ctx context.Context, server *rest.Client) (NameNodeInfo, error) {
	var info struct {
		Started Number `json:"NNStartedTimeInMillis"`
		// Live and Dead are JSON in a string.
		Live string `json:"LiveNodes"`
		Dead string `json:"DeadNodes"`
	}
	if err := beans(ctx, server, nameNode, "NameNodeInfo", func(string) any { return &info }); err != nil {
		return NameNodeInfo{}, err
	}
	out := NameNodeInfo{Started: info.Started}
	for _, list := range []struct {
		text string
		dead bool
	}{{info.Live, false}, {info.Dead, true}} {
		nodes, err := listed(list.text, list.dead)
		if err != nil {
			return NameNodeInfo{}, fmt.Errorf("%s: the DataNodes that %s lists: %w", server.Source(), server.Endpoint(), err)
		}
		out.DataNodes = append(out.DataNodes, nodes...)
	}
	slices.SortFunc(out.DataNodes, func(a, b ListedDataNode) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

func listed(text string, dead bool) ([]ListedDataNode, error) {
	if text == "" {
		return nil, nil
	}
	var byName map[string]ListedDataNode
	if err := json.Unmarshal([]byte(text), &byName); err != nil {
		return nil, err
	}
	list := make([]ListedDataNode, 0, len(byName))
	for name, node := range byName {
		node.Name, node.Dead = name, dead
		list = append(list, node)
	}
	return list, nil
}

// ReadDataset reads what a DataNode stores.
func ReadDataset(ctx context.Context, server *rest.Client) (Dataset, error) {
	var d Dataset
	err := beans(ctx, server, dataNode, "FSDatasetState*", func(string) any { return &d })
	return d, err
}

// ReadDataNode reads what a DataNode is and does. It is an error if the DataNode does not tell its name yet, because it
// is starting.
func ReadDataNode(ctx context.Context, server *rest.Client) (DataNode, error) {
	var d DataNode
	err := beans(ctx, server, dataNode, "DataNode*", func(bean string) any {
		if bean == "DataNodeInfo" {
			return &d
		}
		address, ok := strings.CutPrefix(bean, "DataNodeActivity-")
		if port := strings.LastIndexByte(address, '-'); ok && port > 0 {
			d.Name = address[:port] + ":" + address[port+1:]
			return &d
		}
		return nil // a volume
	})
	if err == nil && d.Name == "" {
		err = missing(server, "DataNodeActivity")
	}
	return d, err
}

// beans asks for the beans of a service whose names match a pattern, and decodes each into what into returns for its
// name; nil skips it. They are decoded in the order of their names: where FSNamesystem and FSNamesystemState, or
// FSDatasetState and FSDatasetState-ID, tell the same, the second one is right, since the first is up to ten seconds old.
func beans(ctx context.Context, server *rest.Client, service, pattern string, into func(name string) any) error {
	prefix := "Hadoop:service=" + service + ",name="
	var answer struct {
		Beans []json.RawMessage `json:"beans"`
	}
	_, err := server.Get(ctx, rest.Request{
		Endpoint: "/jmx " + strings.TrimSuffix(pattern, "*"), Path: []string{"jmx"}, Query: url.Values{"qry": {prefix + pattern}},
	}, &answer)
	if err != nil {
		return err
	}
	type named struct {
		name string
		raw  json.RawMessage
	}
	var list []named
	for _, raw := range answer.Beans {
		var bean struct {
			Name string `json:"name"`
		}
		if err := json.Unmarshal(raw, &bean); err != nil {
			return fmt.Errorf("%s: a bean of %s: %w", server.Source(), server.Endpoint(), err)
		}
		if name, ok := strings.CutPrefix(bean.Name, prefix); ok {
			list = append(list, named{name, raw})
		}
	}
	slices.SortFunc(list, func(a, b named) int { return cmp.Compare(a.name, b.name) })
	for _, bean := range list {
		v := into(bean.name)
		if v == nil {
			continue
		}
		if err := json.Unmarshal(bean.raw, v); err != nil {
			return fmt.Errorf("%s: bean %.100s of %s: %w", server.Source(), bean.name, server.Endpoint(), err)
		}
	}
	return nil
}

func missing(server *rest.Client, bean string) error {
	return fmt.Errorf("%s: %s has no bean %s yet: it is starting, or is no server of this kind", server.Source(), server.Endpoint(), bean)
}
