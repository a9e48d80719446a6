package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"reflect"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	shardingv1alpha1 "github.com/timebertt/kubernetes-controller-sharding/pkg/apis/sharding/v1alpha1"
	shardcontroller "github.com/timebertt/kubernetes-controller-sharding/pkg/shard/controller"
)

// How long a reconcile takes at least: two shards at work on one object would be seen.
const workTime = 20 * time.Millisecond

// addChecksums adds the controller, wrapped in the original's, which answers drains.
func addChecksums(mgr manager.Manager, ring, shard string, trace *trace) error {
	reconciler, err := shardcontroller.NewShardedReconciler(mgr).
		For(&corev1.Secret{}).
		WithClient(&drainClient{mgr.GetClient(), trace}).
		InControllerRing(ring).
		WithShardName(shard).
		Build(&checksums{mgr.GetClient(), ring, shard, trace})
	if err != nil {
		return err
	}
	dataChanged := predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		return !reflect.DeepEqual(e.ObjectOld.(*corev1.Secret).Data, e.ObjectNew.(*corev1.Secret).Data)
	}}
	return builder.ControllerManagedBy(mgr).
		Named("checksums").
		For(&corev1.Secret{}, builder.WithPredicates(shardcontroller.Predicate(ring, shard, dataChanged))).
		Owns(&corev1.ConfigMap{}).
		WithOptions(controller.Options{MaxConcurrentReconciles: 5}).
		Complete(reconciler)
}

// checksums keeps the ConfigMap of a Secret. It is called for those of this shard only.
type checksums struct {
	client.Client
	ring, shard string
	trace       *trace
}

func (c *checksums) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	secret := &corev1.Secret{}
	if err := c.Get(ctx, request.NamespacedName, secret); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	c.trace.reconcile("reconcile-begin", secret)
	defer c.trace.reconcile("reconcile-end", secret)
	time.Sleep(workTime)
	if secret.DeletionTimestamp != nil {
		return reconcile.Result{}, nil
	}
	return reconcile.Result{}, c.keep(ctx, secret)
}

func (c *checksums) keep(ctx context.Context, secret *corev1.Secret) error {
	data := make(map[string]string, len(secret.Data))
	for key, value := range secret.Data {
		sum := sha256.Sum256(value)
		data[key] = hex.EncodeToString(sum[:])
	}
	configMap := &corev1.ConfigMap{}
	key := client.ObjectKey{Namespace: secret.Namespace, Name: "checksums-" + secret.Name}
	err := c.Get(ctx, key, configMap)
	switch {
	case apierrors.IsNotFound(err):
		configMap.ObjectMeta = metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name, Labels: c.labelsOf(secret)}
		configMap.Data = data
		if err := controllerutil.SetControllerReference(secret, configMap, c.Scheme()); err != nil {
			return err
		}
		// One that the cache doesn't show yet makes this fail, and it is tried again.
		return c.trace.write("create", secret, configMap, func() error { return c.Create(ctx, configMap) })
	case err != nil || maps.Equal(configMap.Data, data):
		return err
	}
	configMap = configMap.DeepCopy()
	configMap.Data = data
	return c.trace.write("update", secret, configMap, func() error { return c.Update(ctx, configMap) })
}

// labelsOf are the Secret's, and that of its shard; neither its drain nor its pin.
func (c *checksums) labelsOf(secret *corev1.Secret) map[string]string {
	labels := map[string]string{"secret": secret.Name, shardingv1alpha1.LabelShard(c.ring): c.shard}
	for key, value := range secret.Labels {
		if !strings.Contains(key, ".alpha.sharding.timebertt.dev/") {
			labels[key] = value
		}
	}
	return labels
}

// drainClient is for the original's reconciler, whose only write is the answer to a drain.
type drainClient struct {
	client.Client
	trace *trace
}

func (c *drainClient) Patch(ctx context.Context, object client.Object, patch client.Patch, o ...client.PatchOption) error {
	err := c.Client.Patch(ctx, object, patch, o...)
	c.trace.handOver(object, err)
	return err
}
