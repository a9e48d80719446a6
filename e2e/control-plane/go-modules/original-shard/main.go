// A shard of the Go original, for a test: its packages hold the Lease and answer drains, controller-runtime does the
// rest. Like the checksum operator it keeps, for each Secret, a ConfigMap with the checksums of the data. What it works
// on it tells in a trace file, as the shards in TypeScript do.
package main

import (
	"flag"
	"log"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client/config"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/manager/signals"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	shardingv1alpha1 "github.com/timebertt/kubernetes-controller-sharding/pkg/apis/sharding/v1alpha1"
	shardlease "github.com/timebertt/kubernetes-controller-sharding/pkg/shard/lease"
)

type options struct {
	ring, shard, namespace, leaseNamespace, trace string
}

func main() {
	var o options // and --kubeconfig, which controller-runtime reads
	flag.StringVar(&o.ring, "ring", "", "the ring of the shard")
	flag.StringVar(&o.shard, "shard-name", "", "name of the shard and of its Lease")
	flag.StringVar(&o.namespace, "namespace", "", "where the objects are")
	flag.StringVar(&o.leaseNamespace, "lease-namespace", "", "where the Lease is")
	flag.StringVar(&o.trace, "trace-file", "", "gets a line for each reconcile, write and hand-over")
	flag.Parse()
	logf.SetLogger(klog.Background())
	if err := run(o); err != nil {
		log.Fatal(err)
	}
}

func run(o options) error {
	restConfig, err := config.GetConfig()
	if err != nil {
		return err
	}
	restConfig.QPS = -1 // no limit of its own, as in newer versions of controller-runtime
	trace, err := openTrace(o.trace, o.shard)
	if err != nil {
		return err
	}
	lease, err := shardlease.NewResourceLock(restConfig, shardlease.Options{
		ControllerRingName: o.ring,
		LeaseNamespace:     o.leaseNamespace,
		ShardName:          o.shard,
	})
	if err != nil {
		return err
	}
	own := labels.SelectorFromSet(labels.Set{shardingv1alpha1.LabelShard(o.ring): lease.Identity()})
	mgr, err := manager.New(restConfig, manager.Options{
		Metrics:                             metricsserver.Options{BindAddress: "0"},
		HealthProbeBindAddress:              "0",
		LeaderElection:                      true,
		LeaderElectionResourceLockInterface: lease,
		LeaderElectionReleaseOnCancel:       true,
		Cache: cache.Options{
			DefaultNamespaces:    map[string]cache.Config{o.namespace: {}},
			DefaultLabelSelector: own,
		},
	})
	if err != nil {
		return err
	}
	if err := addChecksums(mgr, o.ring, o.shard, trace); err != nil {
		return err
	}
	return mgr.Start(signals.SetupSignalHandler())
}
