package main

import (
	"encoding/json"
	"log"
	"os"
	"sync"

	"golang.org/x/sys/unix"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// trace is a file with a line of JSON for each event; its times are of the machine's monotonic clock, in ms.
type trace struct {
	shard string
	mutex sync.Mutex
	file  *os.File
}

type line struct {
	At              float64 `json:"at"`
	Shard           string  `json:"shard"`
	Pid             int     `json:"pid"`
	Event           string  `json:"event"`
	Object          string  `json:"object"`
	Uid             string  `json:"uid,omitempty"`
	Verb            string  `json:"verb,omitempty"`
	Resource        string  `json:"resource,omitempty"`
	Owner           string  `json:"owner,omitempty"`
	Outcome         string  `json:"outcome,omitempty"`
	ResourceVersion string  `json:"resourceVersion,omitempty"`
}

func openTrace(path, shard string) (*trace, error) {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	return &trace{shard: shard, file: file}, err
}

func (t *trace) reconcile(event string, object client.Object) {
	t.add(line{Event: event, Object: nameOf(object), Uid: string(object.GetUID())})
}

// write tells of a write to a ConfigMap that is done for its owner.
func (t *trace) write(verb string, owner, object client.Object, write func() error) error {
	event := line{Verb: verb, Resource: "configmaps", Object: nameOf(object), Owner: string(owner.GetUID())}
	event.Event = "write-begin"
	t.add(event)
	err := write()
	event.Event = "write-end"
	if err == nil {
		event.ResourceVersion = object.GetResourceVersion()
	}
	t.add(event)
	return err
}

func (t *trace) handOver(object client.Object, err error) {
	event := line{Event: "hand-over-end", Object: nameOf(object), Uid: string(object.GetUID()), Outcome: "failed"}
	if err == nil {
		event.Outcome, event.ResourceVersion = "handed-over", object.GetResourceVersion()
	}
	t.add(event)
}

func (t *trace) add(event line) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		log.Fatal(err)
	}
	event.At, event.Shard, event.Pid = float64(now.Nano())/1e6, t.shard, os.Getpid()
	text, err := json.Marshal(event)
	if err == nil {
		_, err = t.file.Write(append(text, '\n'))
	}
	if err != nil {
		log.Fatal(err)
	}
}

func nameOf(object client.Object) string {
	return object.GetNamespace() + "/" + object.GetName()
}
